package tcp

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"

	"starling/p2p"
)

// Two hosts: what one sends the other hears; Close on one side is an orderly
// end on the other.
func TestTwoHosts(t *testing.T) {
	echo := &hooks{}
	server := start(t, Config{}, echo)
	var infos []p2p.ConnInfo
	do(t, server, func() {
		echo.opened = func(c p2p.ConnInfo) { infos = append(infos, c) }
		echo.received = func(c p2p.ConnID, m *p2p.Message) { server.Send(c, *m) }
	})
	serverClosed := make(chan error, 1)
	do(t, server, func() { echo.closed = func(_ p2p.ConnID, err error) { serverClosed <- err } })
	addr := listen(t, server)

	opened, received := make(chan p2p.ConnInfo, 1), make(chan string, 1)
	client := start(t, Config{LocalAddr: netip.MustParseAddr("127.0.0.1")}, &hooks{
		opened:   func(c p2p.ConnInfo) { opened <- c },
		received: func(_ p2p.ConnID, m *p2p.Message) { received <- string(m.Head) },
		closed:   func(_ p2p.ConnID, err error) { t.Errorf("client closed: %v", err) },
	})
	var id p2p.ConnID
	do(t, client, func() { id = client.Dial(addr) })
	if c := get(t, opened); c != (p2p.ConnInfo{ID: id, Dialed: true, Addr: addr}) {
		t.Errorf("opened %+v", c)
	}
	do(t, client, func() { client.Send(id, p2p.Message{Type: typeCtl, Head: []byte("hello")}) })
	if s := get(t, received); s != "hello" {
		t.Errorf("received %q", s)
	}
	// What was written may be answered before it is counted.
	eventually(t, func() bool {
		var tr p2p.Traffic
		do(t, client, func() { tr = client.Traffic(id) })
		return tr == p2p.Traffic{In: 13, Out: 13}
	})
	do(t, client, func() { client.Close(id, nil) })
	if err := get(t, serverClosed); err != io.EOF {
		t.Errorf("server: closed with %v", err)
	}
	do(t, server, func() {
		if len(infos) != 1 || infos[0].Dialed || infos[0].ID == 0 {
			t.Errorf("server opened %+v", infos)
		}
	})
}

// A received buffer is a body like any other: it can be passed on.
func TestForwardABuffer(t *testing.T) {
	got := make(chan string, 1)
	sink := start(t, Config{}, &hooks{received: func(_ p2p.ConnID, m *p2p.Message) {
		got <- string(m.Body.(*Buffer).Bytes())
		m.Body.Release()
	}})
	addr := listen(t, sink)
	p := &hooks{}
	relay := start(t, Config{}, p)
	opened := make(chan p2p.ConnID, 1)
	do(t, relay, func() {
		p.opened = func(c p2p.ConnInfo) {
			if c.Dialed {
				opened <- c.ID
			}
		}
		relay.Dial(addr)
	})
	out := get(t, opened)
	do(t, relay, func() { p.received = func(_ p2p.ConnID, m *p2p.Message) { relay.Send(out, *m) } })
	in := rawPeer(t, relay)
	in.Write(frame(typeBulk, "twelve bytesand the body"))
	if s := get(t, got); s != "and the body" {
		t.Errorf("got %q", s)
	}
}

func TestDialFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	ln.Close()
	closed := make(chan error, 1)
	h := start(t, Config{}, &hooks{closed: func(_ p2p.ConnID, err error) { closed <- err }})
	for _, addr := range []string{nobody, "no port", "127.0.0.1:99999", ""} {
		do(t, h, func() { h.Dial(addr) })
		if err := get(t, closed); p2p.ReasonOf(err) != p2p.ReasonDialFailed {
			t.Errorf("%q: closed with %v", addr, err)
		}
	}
}

// Dials over MaxDials wait for their turn, dials over MaxConns are refused, and
// one that is closed, under way or waiting, is not heard of again.
func TestDialBounds(t *testing.T) {
	server := start(t, Config{}, &hooks{})
	addr := listen(t, server)
	events := make(chan p2p.ConnID, 10)
	var refused []p2p.ConnID
	h := start(t, Config{MaxDials: 1, MaxConns: 5}, &hooks{
		opened: func(c p2p.ConnInfo) { events <- c.ID },
		closed: func(c p2p.ConnID, err error) {
			if !errors.Is(err, &p2p.ProtocolError{Reason: p2p.ReasonTooMany}) {
				t.Errorf("%d closed with %v", c, err)
			}
			refused = append(refused, c)
		},
	})
	var ids []p2p.ConnID
	do(t, h, func() {
		for range 6 {
			ids = append(ids, h.Dial(addr))
		}
		h.Close(ids[0], nil) // under way
		h.Close(ids[2], nil) // waiting
	})
	for _, want := range []p2p.ConnID{ids[1], ids[3], ids[4]} {
		if id := get(t, events); id != want {
			t.Errorf("opened %d, want %d", id, want)
		}
	}
	do(t, h, func() {
		if len(refused) != 1 || refused[0] != ids[5] {
			t.Errorf("refused %v, want %d", refused, ids[5])
		}
		if len(h.dials) != 0 || len(h.queued) != 0 || h.dialers != 0 {
			t.Errorf("left: %d dials, %d queued, %d dialers", len(h.dials), len(h.queued), h.dialers)
		}
	})
}

// Accepted connections over MaxConns are closed.
func TestAdoptBound(t *testing.T) {
	h := start(t, Config{MaxConns: 1}, &hooks{})
	a, b := net.Pipe()
	defer a.Close()
	h.Adopt(b, nil)
	c, d := net.Pipe()
	h.Adopt(d, nil)
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the second connection: %v", err)
	}
}
