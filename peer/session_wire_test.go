package peer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// frame is a message as bytes.
func frame(t p2p.Type, data string) []byte {
	return append(p2p.AppendHeader(nil, t, len(data)), data...)
}

// talk sends bytes to a session on a new connection and returns all that comes
// until the other side closes it.
func talk(t *testing.T, s *Session, data []byte) []byte {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	var net net.Error
	if errors.As(err, &net) && net.Timeout() {
		t.Fatal("the connection was not closed")
	}
	return got
}

// TestOneRequestConnections: the session's port answers the framework's own
// requests, one a connection, as in the paper.
func TestOneRequestConnections(t *testing.T) {
	s, other := testSession(t, 1, nil), testSession(t, 2, nil)
	p := newPayload(t, "content", 1<<20, 256<<10)
	if got := talk(t, s, frame(p2p.NAME, "")); len(got) != 0 {
		t.Errorf("a session without torrents answered %q", got)
	}
	p.seed(t, s)
	p.wait(t, p.leech(t, other, s.Addr().String()))
	name := nameOf([20]byte{1})
	if got := talk(t, s, frame(p2p.NAME, "")); !bytes.Equal(got, frame(p2p.REPL, name)) {
		t.Errorf("NAME was answered with %q", got)
	}
	// Whom the seed lists it may have let go: both have all by now.
	if got := talk(t, s, frame(p2p.LIST, "")); !bytes.HasPrefix(got, frame(p2p.REPL, "0")[:8]) {
		t.Errorf("LIST was answered with %q", got)
	}
	if got := talk(t, s, frame(p2p.JOIN, "x 10.0.0.1 80")); len(got) != 0 {
		t.Errorf("JOIN was answered with %q", got)
	}
}

// TestRefusedAtTheDoor: what is for no torrent of ours is closed, and leaves the
// torrents alone.
func TestRefusedAtTheDoor(t *testing.T) {
	s := testSession(t, 1, nil)
	tor := newPayload(t, "content", 1<<20, 256<<10).seed(t, s)
	wrong := testHello(9)
	for name, data := range map[string][]byte{
		"another torrent":  frame(wire.HELO, helloOf(wrong)),
		"a short HELO":     frame(wire.HELO, "x"),
		"a huge length":    p2p.AppendHeader(nil, wire.HELO, 0xffffffff),
		"a piece first":    frame(wire.PIEC, words(0, 0)+"bytes"),
		"a TLS hello":      []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		"an HTTP request":  []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"another protocol": append([]byte{19}, "BitTorrent protocol\x00\x00\x00\x00\x00\x00\x00\x00"...),
	} {
		if got := talk(t, s, data); len(got) != 0 && !bytes.HasPrefix(got, []byte("ERRO")) {
			t.Errorf("%s was answered with %q", name, got)
		}
	}
	if n := len(tor.Remotes()); n != 0 {
		t.Errorf("%d remotes", n)
	}
}

// TestTap: one tap sees the messages of all torrents, one at a time, and with
// the peers' names.
func TestTap(t *testing.T) {
	var log bytes.Buffer // guarded by the session alone
	lines := p2p.NewTapLog(&log)
	s := testSession(t, 1, nil)
	l := testSession(t, 2, func(c *Config) { c.Tap = lines.Record })
	var wait sync.WaitGroup
	for _, name := range []string{"one", "two", "three"} {
		p := newPayload(t, name, 1<<20, 64<<10)
		p.seed(t, s)
		tor := p.leech(t, l, s.Addr().String())
		wait.Go(func() { <-tor.Completed() })
	}
	wait.Wait()
	closeSession(t, l)
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	me, them := nameOf([20]byte{2}), nameOf([20]byte{1})
	payload := 0 // in pieces, or in parts of them where the machine is slow
	for line := range strings.Lines(log.String()) {
		var r struct {
			From, To, Type string
			Length         int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if r.Type == "PIEC" {
			payload += r.Length - wire.PieceHead
			if r.From != them || r.To != me || r.Length > 64<<10+wire.PieceHead {
				t.Errorf("line %q", line)
			}
		}
	}
	if payload != 3<<20 {
		t.Errorf("%d bytes of pieces in the log, want %d", payload, 3<<20)
	}
}

// TestNothingIsLeft: torrents that come and go leave no goroutine and no
// descriptor.
func TestNothingIsLeft(t *testing.T) {
	s, l := testSession(t, 1, nil), testSession(t, 2, nil)
	p := newPayload(t, "content", 64<<10, 16<<10)
	p.seed(t, s)
	st, have := p.open(t, t.TempDir(), false)
	defer st.Close()
	once := func() {
		t.Helper()
		tor, err := l.Add(TorrentConfig{Meta: p.meta, Store: st, Have: have, Peers: []string{s.Addr().String()}})
		if err != nil {
			t.Fatal(err)
		}
		<-tor.Completed()
		if err := tor.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	once()
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 100 {
		once()
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		g, f := runtime.NumGoroutine(), openFiles(t)
		if g <= goroutines+2 && f <= files+2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d goroutines and %d descriptors, before there were %d and %d", g, f, goroutines, files)
		}
	}
	if n := len(l.list()); n != 0 {
		t.Errorf("%d torrents are left", n)
	}
}

// TestCloseDuringTransfer: a session that is closed while pieces move, and
// torrents that are stopped from several sides, end in time.
func TestCloseDuringTransfer(t *testing.T) {
	for range 3 {
		s, l := testSession(t, 1, nil), testSession(t, 2, nil)
		p := newPayload(t, "content", 8<<20, 256<<10)
		p.seed(t, s)
		tor := p.leech(t, l, s.Addr().String())
		for tor.Stats().ReceivedPayload == 0 {
			time.Sleep(time.Millisecond)
		}
		var stops sync.WaitGroup
		stops.Go(func() { closeSession(t, l) })
		stops.Go(func() { closeSession(t, s) })
		stops.Go(func() { _ = tor.Stop(t.Context()) })
		stops.Wait()
		if st := tor.Stats(); st.ReceivedPayload == 0 {
			t.Error("the last reading is gone")
		}
	}
}
