package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// TestControlOrder: a control message leaves at once, but behind the frame of
// its connection that is under way; and it goes ahead of the frames that wait.
func TestControlOrder(t *testing.T) {
	b := newBench(t, Config{})
	p, q := b.host(HostConfig{Up: 1e6}), b.host(HostConfig{})
	c, _ := p.connect(q)
	p.frame(c, 88)
	p.frame(c, 188)
	p.tell(c, "one")
	p.tell(c, "two")
	b.Run(50 * time.Microsecond)
	p.tell(c, "new")
	b.Run(time.Second)
	var order []string
	for _, l := range q.lines {
		_, what, _ := strings.Cut(l, "received 1 ")
		order = append(order, what)
	}
	want := `BULK "head" 92; NOTE "one" 3; NOTE "two" 3; NOTE "new" 3; BULK "head" 192`
	if got := strings.Join(order, "; "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestDrained: each frame that has left is told, with how many have not.
func TestDrained(t *testing.T) {
	b := newBench(t, Config{Latency: time.Second})
	p, q := b.host(HostConfig{Up: 1e6}), b.host(HostConfig{})
	c, _ := p.connect(q)
	for range 3 {
		p.frame(c, 988)
	}
	p.tell(c, "no frame")
	b.Run(b.Now() + 10*time.Second)
	p.want("2.001s drained 1 2", "2.002016s drained 1 1", "2.003016s drained 1 0")
}

// TestOutbox: it takes four frames besides the one that is under way, and so
// many bytes of control; it refuses what is more, and releases that.
func TestOutbox(t *testing.T) {
	b := newBench(t, Config{})
	p, q := b.host(HostConfig{Up: 1000}), b.host(HostConfig{})
	c, _ := p.connect(q)
	for i := range 7 {
		if err := p.frame(c, 1000); (err == nil) != (i < 1+bulkMessages) || i > bulkMessages && err != p2p.ErrOutboxFull {
			t.Errorf("frame %d: %v", i, err)
		}
	}
	text := strings.Repeat("x", 64<<10-p2p.HeaderSize)
	for i := range 10 {
		if err := p.tell(c, text); (err == nil) != (i < controlBytes>>16) || i >= controlBytes>>16 && err != p2p.ErrOutboxFull {
			t.Errorf("control message %d: %v", i, err)
		}
	}
	p.Close(c, nil)
	if err := p.frame(c, 1); err != p2p.ErrClosed {
		t.Errorf("a frame on a closed connection: %v", err)
	}
	if err := p.tell(c, ""); err != p2p.ErrClosed {
		t.Errorf("a message on a closed connection: %v", err)
	}
	// Without a frame, too, control has its bound: what nobody takes.
	d, _ := p.connect(b.host(HostConfig{}))
	sent := 0
	for p.tell(d, text) == nil {
		sent += len(text)
	}
	if sent < controlBytes || sent > 2*controlBytes {
		t.Errorf("%d bytes of control are on their way", sent)
	}
}

// TestClose: the frame that is under way and the control messages behind it
// leave, the rest does not, and the other side hears the end after them.
func TestClose(t *testing.T) {
	b := newBench(t, Config{Latency: 10 * ms})
	p, q := b.host(HostConfig{Up: 1e6}), b.host(HostConfig{})
	c, far := p.connect(q)
	p.frame(c, 99_988)
	p.frame(c, 99_988)
	p.tell(c, "bye")
	b.Run(b.Now() + 50*ms)
	p.Close(c, nil)
	p.Close(c, nil)
	q.tell(far, "what comes to a closed end is thrown away")
	b.Run(b.Now() + time.Second)
	p.want()
	q.want(`130ms received 1 BULK "head" 99992`, `130.011008ms received 1 NOTE "bye" 3`, "130.011008ms closed 1 EOF")
	if err := q.tell(far, "late"); err != p2p.ErrClosed {
		t.Error(err)
	}
}

// TestLinger: what has not left two seconds after Close is dropped.
func TestLinger(t *testing.T) {
	b := newBench(t, Config{})
	p, q := b.host(HostConfig{Up: 1e5}), b.host(HostConfig{})
	c, _ := p.connect(q)
	p.frame(c, 1_000_000)
	p.Close(c, nil)
	b.Run(time.Minute)
	q.want("2s closed 1 EOF")
	if q.got[1] != 0 {
		t.Errorf("%d bytes of half a frame", q.got[1])
	}
}

// TestDial: what may come of it.
func TestDial(t *testing.T) {
	b := newBench(t, Config{Latency: 10 * ms})
	p, q, r := b.host(HostConfig{}), b.host(HostConfig{}), b.host(HostConfig{})
	r.Kill()
	p.Dial("10.9.9.9:1")
	p.Dial("10.0.0.2:2")
	p.Dial(r.Addr())
	c := p.Dial(q.Addr())
	if err := p.tell(c, "early"); err != p2p.ErrClosed {
		t.Errorf("a message before the connection is open: %v", err)
	}
	b.Run(time.Second)
	p.want("20ms closed 2 connection refused", "20ms closed 3 connection refused", "20ms opened 4 true 10.0.0.2:1")
	q.want("10ms opened 1 false 10.0.0.1:32772")
	r.want()
	b.Run(time.Minute)
	p.want("10s closed 1 timed out")
	if p.Far(c) != q.Host || p.Far(99) != nil {
		t.Error("Far names another host")
	}

	// One that is given up before it has arrived is a connection that ends.
	p.Close(p.Dial(q.Addr()), nil)
	b.Run(2 * time.Minute)
	p.want()
	q.want("1m0.01s opened 2 false 10.0.0.1:32773", "1m0.02s closed 2 EOF")

	// Nobody hears of a host that lost its power, in either role.
	p.Dial(q.Addr())
	p.PowerOff()
	q.Dial(p.Addr())
	b.Run(3 * time.Minute)
	p.want()
	q.want("2m10s closed 3 timed out")
}

// TestTooLarge: a frame above its type's bound ends the connection.
func TestTooLarge(t *testing.T) {
	b := newBench(t, Config{Latency: 10 * ms})
	p, q := b.host(HostConfig{Up: 1e9}), b.host(HostConfig{})
	c, _ := p.connect(q)
	p.Send(c, p2p.Message{Type: p2p.T("WHAT"), Head: []byte("0123456789abcdef")})
	p.Send(c, p2p.Message{Type: p2p.T("WHAT"), Body: b.body(17)})
	p.frame(c, 10)
	b.Run(b.Now() + 15*ms)
	if len(q.lines) != 2 || !strings.HasSuffix(q.lines[0], `received 1 WHAT "0123" 16`) ||
		!strings.HasSuffix(q.lines[1], "closed 1 too_large: WHAT of 17 bytes") {
		t.Errorf("%q", q.lines)
	}
	b.Run(time.Second)
	if last := p.lines[len(p.lines)-1]; !strings.HasSuffix(last, "closed 1 EOF") {
		t.Errorf("%q", p.lines)
	}
}

// hears is a protocol that notes all that a message brings.
type hears struct {
	p2p.Protocol
	c   p2p.ConnID
	got []string
}

func (h *hears) Opened(c p2p.ConnInfo) { h.c = c.ID }
func (h *hears) Received(_ p2p.ConnID, m *p2p.Message) {
	body := "none"
	if m.Body != nil {
		body = fmt.Sprintf("%q", m.Body.(interface{ Bytes() []byte }).Bytes())
		m.Body.Release()
	}
	h.got = append(h.got, fmt.Sprintf("%v %q %s", m.Type, m.Head, body))
}
func (h *hears) Drained(p2p.ConnID, int) {}

// TestAsInP2ptest: messages come cut and in the order in which p2ptest's network
// delivers the same ones.
func TestAsInP2ptest(t *testing.T) {
	script := func(h p2p.Host, c p2p.ConnID) {
		for _, m := range []p2p.Message{
			{Type: bulk, Head: []byte("headbody")},
			{Type: bulk, Head: []byte("head"), Body: Bytes("body")},
			{Type: bulk, Head: []byte("he"), Body: Bytes("adbody")},
			{Type: bulk, Head: []byte("headbo"), Body: Bytes("dy")},
			{Type: bulk, Head: []byte("he")},
			{Type: bulk, Head: []byte("head")},
			{Type: note, Body: Bytes("all of it is head")},
			{Type: note, Head: []byte("x")},
			{Type: p2p.T("WHAT"), Head: []byte("unknown")},
			{Type: note},
		} {
			// Alone each, because a frame under way holds up control here.
			if err := h.Send(c, m); err != nil {
				t.Error(err)
			}
		}
	}
	theirs, ours := &hears{}, &hears{}
	net := p2ptest.NewNet(1)
	a, z := net.Host("10.0.0.1:1"), net.Host("10.0.0.2:1")
	from := &hears{}
	a.Start(from, limits)
	z.Start(theirs, limits)
	a.Dial("10.0.0.2:1")
	net.Run(time.Second)
	script(a, from.c)
	net.Run(time.Second)

	w := New(Config{Latency: ms})
	b, y := w.Host(HostConfig{Addr: "10.0.0.1:1"}), w.Host(HostConfig{Addr: "10.0.0.2:1"})
	from = &hears{}
	b.Start(from, limits)
	y.Start(ours, limits)
	b.Dial("10.0.0.2:1")
	w.Run(time.Second)
	script(&oneByOne{b, w}, from.c)
	w.Run(w.Now() + time.Second)

	if len(theirs.got) != 10 || strings.Join(theirs.got, "\n") != strings.Join(ours.got, "\n") {
		t.Errorf("p2ptest:\n%s\nsim:\n%s", strings.Join(theirs.got, "\n"), strings.Join(ours.got, "\n"))
	}
}

// oneByOne lets each message arrive before the next is sent.
type oneByOne struct {
	*Host
	w *World
}

func (o *oneByOne) Send(c p2p.ConnID, m p2p.Message) error {
	err := o.Host.Send(c, m)
	o.w.Run(o.w.Now() + 10*ms)
	return err
}

// TestTraffic counts both ways, headers included.
func TestTraffic(t *testing.T) {
	b := newBench(t, Config{})
	p, q := b.host(HostConfig{}), b.host(HostConfig{})
	c, far := p.connect(q)
	p.frame(c, 100)
	p.tell(c, "12345")
	q.tell(far, "")
	b.Run(time.Second)
	if got := p.Traffic(c); got != (p2p.Traffic{In: 8, Out: 125}) {
		t.Errorf("%+v", got)
	}
	if got := q.Traffic(far); got != (p2p.Traffic{In: 125, Out: 8}) {
		t.Errorf("%+v", got)
	}
	if got := p.Traffic(77); got != (p2p.Traffic{}) {
		t.Errorf("%+v of no connection", got)
	}
}
