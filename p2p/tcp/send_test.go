package tcp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"starling/p2p"
)

// pair is a host with one connection to a bare end.
type pair struct {
	h      *Host
	id     p2p.ConnID
	far    net.Conn
	closed chan error
	*hooks
}

// newPair connects over TCP, or by net.Pipe, which has no buffer.
func newPair(t testing.TB, cfg Config, pipe bool, p *hooks) *pair {
	t.Helper()
	pr := &pair{closed: make(chan error, 1), hooks: p}
	opened := make(chan struct{})
	p.opened = func(c p2p.ConnInfo) { pr.id = c.ID; close(opened) }
	p.closed = func(_ p2p.ConnID, err error) { pr.closed <- err }
	pr.h = start(t, cfg, p)
	if pipe {
		a, b := net.Pipe()
		t.Cleanup(func() { a.Close() })
		pr.h.Adopt(b, nil)
		pr.far = a
	} else {
		pr.far = rawPeer(t, pr.h)
	}
	<-opened
	return pr
}

func (p *pair) send(m p2p.Message) (err error) {
	if e := p.h.Do(func() { err = p.h.Send(p.id, m) }); e != nil {
		return e
	}
	return err
}

// testFile is a file of n bytes, no two pages of which are alike.
func testFile(t testing.TB, n int) (*os.File, []byte) {
	t.Helper()
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i>>8 ^ i*13)
	}
	name := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, data
}

// Every kind of body arrives as it is, by every way, and is released once.
func TestBodies(t *testing.T) {
	f, data := testFile(t, 300<<10)
	head := []byte("twelve bytes")
	for name, pipe := range map[string]bool{"tcp": false, "pipe": true} {
		t.Run(name, func(t *testing.T) {
			var released atomic.Int32
			count := func() { released.Add(1) }
			p := newPair(t, Config{BulkMessages: 8}, pipe, &hooks{})
			bodies := []p2p.Payload{
				&memBody{data: data[:256<<10], released: count},
				&memBody{released: count},
				&fileBody{spans: []span{{f, 0, 256 << 10}}, released: count},
				&fileBody{spans: []span{{f, 77, 100}, {f, 0, 0}, {f, 1000, 200 << 10}}, released: count},
				&fileBody{released: count},
			}
			contents := [][]byte{data[:256<<10], nil, data[:256<<10],
				append(bytes.Clone(data[77:177]), data[1000:1000+200<<10]...), nil}
			for _, b := range bodies {
				if err := p.send(p2p.Message{Type: typeBulk, Head: head, Body: b}); err != nil {
					t.Fatal(err)
				}
			}
			for i, want := range contents {
				want = append(frame(typeBulk, ""), append(bytes.Clone(head), want...)...)
				copy(want, p2p.AppendHeader(nil, typeBulk, len(want)-p2p.HeaderSize))
				got := make([]byte, len(want))
				if _, err := io.ReadFull(p.far, got); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("message %d differs", i)
				}
			}
			stop(t, p.h)
			if n := int(released.Load()); n != len(bodies) {
				t.Errorf("%d releases of %d bodies", n, len(bodies))
			}
		})
	}
}

// A body that cannot be read to its end has lost the framing.
func TestBrokenBodyClosesTheConnection(t *testing.T) {
	f, _ := testFile(t, 1000)
	gone, _ := testFile(t, 1000)
	gone.Close()
	for name, body := range map[string]p2p.Payload{
		"file ends early": &fileBody{spans: []span{{f, 500, 501}}},
		"file is closed":  &fileBody{spans: []span{{gone, 0, 1000}}},
		"no known kind":   struct{ p2p.Payload }{&memBody{data: make([]byte, 10)}},
	} {
		for way, pipe := range map[string]bool{"tcp": false, "pipe": true} {
			t.Run(name+"/"+way, func(t *testing.T) {
				p := newPair(t, Config{}, pipe, &hooks{})
				go io.Copy(io.Discard, p.far)
				p.send(p2p.Message{Type: typeBulk, Body: body})
				if err := get(t, p.closed); p2p.ReasonOf(err) != p2p.ReasonIO {
					t.Errorf("closed with %v", err)
				}
			})
		}
	}
}

// Control messages keep their order, overtake bulk messages that wait, and
// never split one.
func TestControlOvertakesBulk(t *testing.T) {
	p := newPair(t, Config{}, true, &hooks{})
	bulk := func(s string) {
		if err := p.h.Send(p.id, p2p.Message{Type: typeBulk, Body: &memBody{data: []byte(s)}}); err != nil {
			t.Error(err)
		}
	}
	ctl := func(s string) {
		if err := p.h.Send(p.id, p2p.Message{Type: typeCtl, Head: []byte(s)}); err != nil {
			t.Error(err)
		}
	}
	// The first fills the pipe, which holds nothing: the writer is in it.
	do(t, p.h, func() { bulk("one") })
	first := make([]byte, 1)
	if _, err := io.ReadFull(p.far, first); err != nil {
		t.Fatal(err)
	}
	do(t, p.h, func() { bulk("two"); ctl("a"); bulk("three"); ctl("b"); ctl("c") })
	var want []byte
	for _, f := range [][]byte{frame(typeBulk, "one"), frame(typeCtl, "a"), frame(typeCtl, "b"),
		frame(typeCtl, "c"), frame(typeBulk, "two"), frame(typeBulk, "three")} {
		want = append(want, f...)
	}
	got := make([]byte, len(want)-1)
	if _, err := io.ReadFull(p.far, got); err != nil {
		t.Fatal(err)
	}
	if got = append(first, got...); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The outbox refuses what is over its bounds, and releases it; Drained comes
// when a bulk message has been written.
func TestOutboxBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drained, released := 0, 0
		p := newPair(t, Config{ControlBytes: 100, BulkMessages: 2}, true,
			&hooks{drained: func(p2p.ConnID) { drained++ }})
		check := func(want int) {
			t.Helper()
			synctest.Wait()
			do(t, p.h, func() {
				if drained != want {
					t.Errorf("drained %d times, want %d", drained, want)
				}
			})
		}
		m := func() p2p.Message {
			return p2p.Message{Type: typeBulk, Body: &memBody{data: make([]byte, 10), released: func() { released++ }}}
		}
		read := func() { io.ReadFull(p.far, make([]byte, p2p.HeaderSize+10)) }
		p.send(m())
		check(0) // in the writer's hands
		p.send(m())
		p.send(m())
		if err := p.send(m()); !errors.Is(err, p2p.ErrOutboxFull) {
			t.Errorf("a bulk message too many: %v", err)
		}
		synctest.Wait()
		if released != 1 {
			t.Errorf("%d releases, want that of the refused body", released)
		}
		check(0)
		read() // the second is in the writer's hands, the third waits
		check(1)
		read()
		check(2)
		for range 2 {
			if err := p.send(p2p.Message{Type: typeCtl, Head: make([]byte, 42)}); err != nil {
				t.Error(err)
			}
		}
		if err := p.send(p2p.Message{Type: typeCtl}); !errors.Is(err, p2p.ErrOutboxFull) {
			t.Errorf("a control message too many: %v", err)
		}
		if err := p.send(p2p.Message{Type: typeCtl}); !errors.Is(err, p2p.ErrOutboxFull) {
			t.Errorf("still: %v", err)
		}
	})
}

// A remote that takes nothing is closed after WriteTimeout; one that takes a
// byte now and then is not.
func TestSlowReader(t *testing.T) {
	for name, body := range map[string]func(t *testing.T) p2p.Payload{
		"memory": func(*testing.T) p2p.Payload { return &memBody{data: make([]byte, 64<<10)} },
		"file": func(t *testing.T) p2p.Payload {
			f, _ := testFile(t, 64<<10)
			return &fileBody{spans: []span{{f, 0, 64 << 10}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, Config{}, true, &hooks{})
				p.send(p2p.Message{Type: typeBulk, Body: body(t)})
				for range 20 {
					time.Sleep(20 * time.Second)
					if _, err := io.ReadFull(p.far, make([]byte, 1)); err != nil {
						t.Fatal(err)
					}
				}
				last := time.Now()
				err := <-p.closed
				if p2p.ReasonOf(err) != p2p.ReasonSlowReader {
					t.Errorf("closed with %v", err)
				}
				if d := time.Since(last); d < 30*time.Second || d > 45*time.Second {
					t.Errorf("closed after %v, want 30 s and at most half more", d)
				}
				stop(t, p.h) // inside the bubble
			})
		})
	}
}

// The same on a real socket with sendfile, whose deadline works another way.
func TestSlowReaderSendfile(t *testing.T) {
	f, _ := testFile(t, 256<<10)
	p := &hooks{}
	pr := newPair(t, Config{WriteTimeout: 200 * time.Millisecond}, false, p)
	send := func(c p2p.ConnID) {
		pr.h.Send(c, p2p.Message{Type: typeBulk, Body: &fileBody{spans: []span{{f, 0, 256 << 10}}}})
	}
	do(t, pr.h, func() { p.drained = send; send(pr.id) })
	if err := get(t, pr.closed); p2p.ReasonOf(err) != p2p.ReasonSlowReader {
		t.Errorf("closed with %v", err)
	}
}

// After Close the control messages still leave, bulk ones do not, nothing is
// heard of the connection, and the other end sees an orderly end even if it was
// sending all the while.
func TestClose(t *testing.T) {
	heard := make(chan string, 100)
	p := &hooks{received: func(_ p2p.ConnID, m *p2p.Message) { heard <- "received" }}
	pr := newPair(t, Config{}, false, p)
	released := make(chan struct{}, 10)
	do(t, pr.h, func() {
		pr.h.Send(pr.id, p2p.Message{Type: typeCtl, Head: []byte("bye")})
		pr.h.Close(pr.id, errors.New("enough"))
		pr.h.Close(pr.id, errors.New("twice"))
		err := pr.h.Send(pr.id, p2p.Message{Type: typeBulk, Body: &memBody{released: func() { released <- struct{}{} }}})
		if !errors.Is(err, p2p.ErrClosed) {
			t.Errorf("Send after Close: %v", err)
		}
		if pr.h.Traffic(pr.id) != (p2p.Traffic{}) {
			t.Error("Traffic of a closed connection")
		}
	})
	get(t, released)
	if _, err := pr.far.Write(frame(typeCtl, "still here")); err != nil {
		t.Error(err)
	}
	got, err := io.ReadAll(pr.far)
	if err != nil || !bytes.Equal(got, frame(typeCtl, "bye")) {
		t.Errorf("the other end read %q, %v", got, err)
	}
	pr.far.Close()
	stop(t, pr.h)
	select {
	case s := <-heard:
		t.Error(s)
	case err := <-pr.closed:
		t.Errorf("Closed(%v) after Close", err)
	default:
	}
}

// A closed connection that does not end is cut off after Linger.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, Config{Linger: 2 * time.Second}, true, &hooks{})
		p.send(p2p.Message{Type: typeCtl, Head: []byte("bye")})
		synctest.Wait()
		do(t, p.h, func() { p.h.Close(p.id, nil) })
		t0 := time.Now()
		synctest.Wait()
		if n := p.h.live.Load(); n != 1 {
			t.Errorf("%d connections live", n)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if n := p.h.live.Load(); n != 0 {
			t.Errorf("%d connections live after %v", n, time.Since(t0))
		}
		stop(t, p.h)
	})
}

// Connections that are reset by the hundred leave nothing behind.
func TestResets(t *testing.T) {
	closed := make(chan error, 100)
	p := &hooks{closed: func(_ p2p.ConnID, err error) { closed <- err }}
	h := NewHost(Config{})
	p.opened = func(c p2p.ConnInfo) {
		h.Send(c.ID, p2p.Message{Type: typeBulk, Body: &memBody{data: make([]byte, 64<<10)}})
	}
	h.Start(p, testLimits())
	defer stop(t, h)
	addr := listen(t, h)
	do(t, h, func() {})
	before := runtime.NumGoroutine()
	for range 300 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c.Write(frame(typeCtl, "hello")[:5])
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		if get(t, closed) == nil {
			t.Error("closed without an error")
		}
	}
	eventually(t, func() bool { return h.live.Load() == 0 && runtime.NumGoroutine() <= before })
}
