package tcp

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"starling/p2p"
)

// pipeListener is a Listener of net.Pipes, with addresses and errors to order.
type pipeListener struct {
	conns chan net.Conn
	errs  chan error
	quit  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), errs: make(chan error, 100), quit: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case err := <-l.errs:
		return nil, err
	default:
	}
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.quit:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.quit); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects from an address.
func (l *pipeListener) dial(from string) net.Conn {
	a, b := net.Pipe()
	l.conns <- &addrConn{b, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}
	return a
}

type addrConn struct {
	net.Conn
	addr net.Addr
}

func (c *addrConn) RemoteAddr() net.Addr { return c.addr }

// serve runs an Acceptor on l until the test ends.
func serve(t *testing.T, l net.Listener, cfg AcceptorConfig) *Acceptor {
	t.Helper()
	if cfg.Limits == nil {
		cfg.Limits = testLimits()
	}
	a := NewAcceptor(l, cfg)
	served := make(chan error, 1)
	go func() { served <- a.Serve() }()
	t.Cleanup(func() {
		a.Close()
		if err := get(t, served); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return a
}

// expectClosed reads c to its end.
func expectClosed(t *testing.T, c net.Conn) {
	t.Helper()
	if b, err := io.ReadAll(c); err != nil || len(b) > 0 {
		t.Errorf("read %q, %v; want EOF", b, err)
	}
}

// The first message chooses the host and is delivered there, and so is what
// came with it.
func TestAcceptorRoutes(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hosts, heard := map[string]*Host{}, make(chan string, 10)
	for _, name := range []string{"one", "two"} {
		hosts[name] = start(t, Config{}, &hooks{
			opened:   func(p2p.ConnInfo) { heard <- name + " opened" },
			received: func(_ p2p.ConnID, m *p2p.Message) { heard <- name + " " + string(m.Head) },
		})
	}
	buffers := NewBufferPool(0)
	a := serve(t, ln, AcceptorConfig{Buffers: buffers, Route: func(f *FirstMessage) *Host {
		if f.Type != typeCtl || f.Addr == nil {
			t.Errorf("routing %v from %v", f.Type, f.Addr)
		}
		return hosts[string(f.Head[:min(3, len(f.Head))])]
	}})
	long := "two" + string(make([]byte, 1000))
	for _, first := range []string{"one", "two", long} {
		c, err := net.Dial("tcp", a.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write(append(frame(typeCtl, first), frame(typeCtl, "next")...))
		for _, want := range []string{first[:3] + " opened", first[:3] + " " + first, first[:3] + " next"} {
			if s := get(t, heard); s != want {
				t.Errorf("heard %q, want %q", s, want)
			}
		}
	}
	c, err := net.Dial("tcp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.Write(frame(typeCtl, "nobody"))
	expectClosed(t, c)
	do(t, hosts["two"], func() {})
	if s := buffers.Stats(); s.Lent != 0 {
		t.Errorf("%d bytes not released", s.Lent)
	}
}

// TestAcceptorLongFirst: where there is nothing else to be told apart, a first message
// may be as long as its type allows, as a full batch for a monitor is.
func TestAcceptorLongFirst(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	typ := p2p.T("LONG")
	limits := &p2p.Limits{Specs: map[p2p.Type]p2p.Spec{typ: {Max: 100_000}}}
	heard := make(chan int, 1)
	h := start(t, Config{}, &hooks{received: func(_ p2p.ConnID, m *p2p.Message) { heard <- len(m.Head) }})
	a := serve(t, ln, AcceptorConfig{Limits: limits, Route: func(*FirstMessage) *Host { return h }})
	c, err := net.Dial("tcp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(frame(typ, string(make([]byte, 70_000))))
	if n := get(t, heard); n != 70_000 {
		t.Errorf("heard %d bytes", n)
	}
}

func TestAcceptorRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		a := serve(t, l, AcceptorConfig{Route: func(f *FirstMessage) *Host {
			t.Errorf("routing %v", f.Type)
			return nil
		}})
		for _, input := range []string{
			"\x13BitTorrent protocol",
			"CTRL\xff\xff\xff\xff",
			string(frame(typeBulk, "twelve bytesand a body"))[:p2p.HeaderSize+bulkHead],
		} {
			c := l.dial("8.8.8.8:1")
			go c.Write([]byte(input))
			expectClosed(t, c)
		}
		// Silence, and a byte a second.
		begun := time.Now()
		silent, slow := l.dial("8.8.8.8:1"), l.dial("8.8.8.8:2")
		slowEnded := make(chan struct{})
		go func() {
			defer close(slowEnded)
			for {
				if _, err := slow.Write([]byte("C")); err != nil {
					return
				}
				time.Sleep(2 * time.Second)
			}
		}()
		expectClosed(t, silent)
		expectClosed(t, slow)
		if d := time.Since(begun); d != 10*time.Second {
			t.Errorf("closed after %v", d)
		}
		<-slowEnded
		synctest.Wait()
		if len(a.perIP) != 0 || len(a.pending) != 0 {
			t.Errorf("left: %v, %d pending", a.perIP, len(a.pending))
		}
	})
}

// An address has MaxPerIP connections for as long as they last, a /64 of IPv6
// counts as one, and private addresses are not counted.
func TestAcceptorPerIP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		h := start(t, Config{}, &hooks{})
		defer stop(t, h)
		serve(t, l, AcceptorConfig{MaxPerIP: 2, Route: func(*FirstMessage) *Host { return h }})
		live := func(want int) {
			t.Helper()
			synctest.Wait()
			if n := int(h.live.Load()); n != want {
				t.Errorf("%d connections live, want %d", n, want)
			}
		}
		dial := func(from string) net.Conn {
			c := l.dial(from)
			go c.Write(frame(typeCtl, "hello"))
			return c
		}
		first := dial("8.8.8.8:1")
		dial("8.8.8.8:2")
		dial("[::ffff:8.8.8.8]:3")
		live(2)
		dial("[2001:db8::1]:1")
		dial("[2001:db8::2]:2")
		dial("[2001:db8::3]:3")
		dial("[2001:db8:0:1::3]:3")
		live(5)
		for range 4 {
			dial("127.0.0.1:1")
			dial("10.0.0.1:1")
			dial("[fe80::1%eth0]:1")
		}
		live(17)
		first.Close()
		live(16)
		dial("8.8.8.8:4")
		dial("8.8.8.8:5")
		live(17)
	})
}

// With MaxPending silent connections one more closes the oldest.
func TestAcceptorPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		serve(t, l, AcceptorConfig{MaxPending: 2, Route: func(*FirstMessage) *Host { return nil }})
		t0 := time.Now()
		var conns []net.Conn
		for range 4 {
			conns = append(conns, l.dial("10.0.0.1:1"))
			time.Sleep(time.Second)
		}
		expectClosed(t, conns[0])
		expectClosed(t, conns[1])
		if d := time.Since(t0); d != 4*time.Second {
			t.Errorf("the older two closed after %v", d)
		}
		expectClosed(t, conns[2])
		if d := time.Since(t0); d != 12*time.Second {
			t.Errorf("the third closed after %v", d)
		}
		expectClosed(t, conns[3])
	})
}

// Without descriptors the loop waits longer and longer, up to a second, and
// serves again when there are some.
func TestAcceptorBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		for range 12 {
			l.errs <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
		}
		t0 := time.Now()
		serve(t, l, AcceptorConfig{Route: func(*FirstMessage) *Host { return nil }})
		c := l.dial("10.0.0.1:1")
		// 5 ms doubled eight times is over a second; four of a second.
		if d, want := time.Since(t0), 1275*time.Millisecond+4*time.Second; d != want {
			t.Errorf("accepting again after %v, want %v", d, want)
		}
		c.Close()
	})
}

// TestAcceptorKeepsDescriptors: who would have one of the last descriptors is closed,
// and the older half of the silent ones with him, so that the next find room. If all
// have spoken, the loop backs off.
func TestAcceptorKeepsDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		h := start(t, Config{}, &hooks{})
		defer stop(t, h)
		const plenty = 4
		var a *Acceptor
		silent := func() int {
			a.mu.Lock()
			defer a.mu.Unlock()
			return len(a.pending)
		}
		a = serve(t, l, AcceptorConfig{
			Route:  func(*FirstMessage) *Host { return h },
			scarce: func(net.Conn) bool { return silent()+int(h.live.Load()) == plenty },
		})
		open := func(waiting, live int) {
			t.Helper()
			synctest.Wait()
			if n := silent(); n != waiting || int(h.live.Load()) != live {
				t.Fatalf("%d are silent and %d are served, want %d and %d", n, h.live.Load(), waiting, live)
			}
		}
		speak := func() {
			go l.dial("10.0.0.1:2").Write(frame(typeCtl, "hello"))
			synctest.Wait()
		}
		var old []net.Conn
		for range plenty {
			old = append(old, l.dial("10.0.0.1:1"))
			synctest.Wait()
		}
		t0 := time.Now()
		for gone := 0; gone < plenty; {
			expectClosed(t, l.dial("10.0.0.1:3"))
			for range (plenty - gone + 1) / 2 {
				expectClosed(t, old[gone])
				speak()
				gone++
			}
			open(plenty-gone, gone)
		}
		if d := time.Since(t0); d != 3*minBackoff {
			t.Errorf("the silent gave way within %v", d)
		}
		t0 = time.Now()
		for range 10 {
			expectClosed(t, l.dial("10.0.0.1:3"))
		}
		// 5 ms doubled eight times, and a second; the first waited for none.
		if d, want := time.Since(t0), 1275*time.Millisecond+time.Second; d != want {
			t.Errorf("ten were closed within %v, want %v", d, want)
		}
		open(0, plenty)
	})
}

func TestAcceptorListenerFails(t *testing.T) {
	l := newPipeListener()
	broken := errors.New("broken")
	l.errs <- broken
	a := NewAcceptor(l, AcceptorConfig{Limits: testLimits()})
	if err := a.Serve(); !errors.Is(err, broken) {
		t.Errorf("Serve: %v", err)
	}
	a.Close()
}

// lengthCodec is another wire: a 4-byte length, a type of one byte, and after
// a zero length nothing. 0x13 is the first byte of its first message.
type lengthCodec struct{ greeted bool }

func (c *lengthCodec) ReadHead(r *Reader, f *Frame, lim *p2p.Limits) error {
	if !c.greeted {
		if _, err := r.Peek(20); err != nil {
			return err
		}
		r.Discard(20)
		c.greeted, f.Type = true, typeCtl
		f.MakeHead(0)
		return nil
	}
	b, err := r.Peek(4)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(b))
	r.Discard(4)
	if n == 0 {
		return nil
	}
	if b, err = r.Peek(1); err != nil {
		return err
	}
	f.Type = map[byte]p2p.Type{0: typeCtl, 7: typeBulk}[b[0]]
	r.Discard(1)
	spec, _ := lim.For(f.Type)
	head := n - 1
	if spec.Head > 0 {
		head = min(head, 8)
	}
	f.BodyLen = n - 1 - head
	return r.ReadFull(f.MakeHead(head))
}

func (c *lengthCodec) AppendHead(b []byte, m *p2p.Message) []byte {
	id, ok := map[p2p.Type]byte{typeCtl: 0, typeBulk: 7}[m.Type]
	if !ok {
		return b
	}
	b = binary.BigEndian.AppendUint32(b, uint32(1+m.Len()))
	return append(append(b, id), m.Head...)
}

// Another wire is another Codec and nothing else: keep-alives are swallowed,
// what it cannot say is dropped, bodies go the same way.
func TestAnotherWire(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, released := &hooks{}, 0
	h := start(t, Config{}, p)
	do(t, h, func() {
		p.received = func(c p2p.ConnID, m *p2p.Message) {
			h.Send(c, p2p.Message{Type: p2p.T("WHAT"), Head: []byte("no such thing there")})
			h.Send(c, p2p.Message{Type: p2p.T("WHAT"), Body: &memBody{released: func() { released++ }}})
			h.Send(c, *m)
		}
	})
	a := serve(t, ln, AcceptorConfig{
		Legacy: func() Codec { return &lengthCodec{} },
		Route:  func(*FirstMessage) *Host { return h },
	})
	c, err := net.Dial("tcp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := "\x13BitTorrent protocol" + "\x00\x00\x00\x00" + "\x00\x00\x00\x03\x00hi" + "\x00\x00\x00\x0d\x0712345678body"
	out := "\x00\x00\x00\x01\x00" + "\x00\x00\x00\x03\x00hi" + "\x00\x00\x00\x0d\x0712345678body"
	if _, err := io.WriteString(c, in); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(out))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != out {
		t.Errorf("got %q, %v\nwant %q", got, err, out)
	}
	do(t, h, func() {
		if released != 3 {
			t.Errorf("%d releases", released)
		}
	})
}
