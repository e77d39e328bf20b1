package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// watched is a monitor and a forwarder in a small world.
type watched struct {
	net   *p2ptest.Net
	mon   *Monitor
	log   bytes.Buffer // what the monitor passed on
	conns []p2p.ConnID // that the monitor accepted
	fwd   *Forwarder
	said  []string // the forwarder's trouble
}

const monitorAddr = "mon:6980"

func newWatched(t *testing.T, filter Filter) *watched {
	t.Helper()
	w := &watched{net: p2ptest.NewNet(1)}
	w.startMonitor(filter)
	w.net.Node(p2p.Config{Addr: "fwd:1"}, func(n *p2p.Node) {
		w.fwd = NewForwarder(n, ForwarderConfig{To: monitorAddr, Trouble: w.trouble})
		n.SetHooks(w.fwd.Hooks())
	})
	return w
}

func (w *watched) startMonitor(filter Filter) {
	w.net.Node(p2p.Config{Addr: monitorAddr}, func(n *p2p.Node) {
		w.mon = New(n, Config{Filter: filter, Sink: func(lines []Line) {
			for _, l := range lines {
				w.log.Write(l.AppendJSON(nil))
			}
		}})
		n.SetHooks(p2p.Hooks{Opened: func(c p2p.ConnInfo) { w.conns = append(w.conns, c.ID) }})
	})
}

func (w *watched) trouble(err error) { w.said = append(w.said, fmt.Sprint(err)) }

// want compares the counters.
func (w *watched) want(t *testing.T, records, filtered, lost uint64, left Totals) {
	t.Helper()
	s := w.mon.Stats()
	if s.Records != records || s.Filtered != filtered || s.Lost != lost {
		t.Errorf("the monitor has %d records, %d filtered, %d lost; want %d, %d, %d", s.Records, s.Filtered, s.Lost, records, filtered, lost)
	}
	if got := w.fwd.Totals(); got != left {
		t.Errorf("the forwarder has %+v, want %+v", got, left)
	}
}

// TestForward: what nodes say reaches the monitor as the very lines of a log.
func TestForward(t *testing.T) {
	w := newWatched(t, Filter{})
	var own bytes.Buffer
	lines := p2p.NewTapLog(&own)
	tap := func(r p2p.TapRecord) {
		lines.Record(r)
		w.fwd.Tap(r)
	}
	b := w.net.Node(p2p.Config{Addr: "b:1", Tap: tap}, nil)
	a := w.net.Node(p2p.Config{Addr: "a:1", Tap: tap}, nil)
	for range 500 {
		a.ConnectAndSend("b:1", p2p.Message{Type: p2p.LIST}, true, nil)
		b.ConnectAndSend("a:1", p2p.Message{Type: p2p.NAME}, true, nil)
		w.net.Run(10 * time.Millisecond)
	}
	if w.mon.Stats().Records == 0 {
		t.Error("nothing came while it happened")
	}
	flushed := false
	w.fwd.Flush(func() { flushed = true })
	w.net.Run(time.Second)
	if !flushed {
		t.Error("Flush did not tell")
	}
	w.want(t, 4000, 0, 0, Totals{Delivered: 4000}) // request and reply, each at both ends
	if !bytes.Equal(w.log.Bytes(), own.Bytes()) {
		t.Errorf("the monitor's %d bytes are not the log's %d", w.log.Len(), own.Len())
	}
	s := w.mon.Stats()
	if got, want := fmt.Sprint(s.ByType), "[{LIST {500 500 0 0}} {NAME {500 500 0 0}} {REPL {1000 1000 2000 2000}}]"; got != want {
		t.Errorf("by type %s, want %s", got, want)
	}
	if s.Sources != 1 || len(w.said) != 0 || len(w.conns) != 1 {
		t.Errorf("%d sources, %d connections, said %q", s.Sources, len(w.conns), w.said)
	}
	w.net.Run(time.Hour) // the monitor closes a silent connection: no trouble
	w.fwd.Tap(record(p2p.Sent, "a:1", "b:1", "NAME", 1))
	w.net.Run(time.Second)
	w.want(t, 4001, 0, 0, Totals{Delivered: 4001})
	if len(w.said) != 0 || len(w.conns) != 2 {
		t.Errorf("%d connections, said %q", len(w.conns), w.said)
	}
}

// TestForwarderBroken: connections that break at any moment, before, between and
// after a batch and its acknowledgement, lose nothing and repeat nothing.
func TestForwarderBroken(t *testing.T) {
	w := newWatched(t, Filter{})
	rng := rand.New(rand.NewPCG(3, 3))
	broken, total := 0, 0
	for range 10000 {
		for range rng.IntN(3) {
			w.fwd.Tap(record(p2p.Sent, "a:1", "b:1", "NAME", total))
			total++
		}
		w.net.Run(time.Duration(rng.IntN(1000)) * time.Microsecond)
		if w.fwd.open && len(w.fwd.flight) > 0 && rng.IntN(4) == 0 {
			w.mon.n.Close(w.conns[len(w.conns)-1], nil)
			broken++
			w.net.Run(time.Duration(rng.IntN(3000)) * time.Millisecond)
		}
	}
	w.net.Run(time.Minute)
	w.want(t, uint64(total), 0, 0, Totals{Delivered: uint64(total)})
	i := 0
	for line := range strings.Lines(w.log.String()) {
		l, err := ParseLine([]byte(line))
		if err != nil || l.Record.Length != i {
			t.Fatalf("line %d is %q, %v", i, line, err)
		}
		i++
	}
	if broken < 10 || len(w.conns) < broken {
		t.Errorf("%d connections were broken of %d", broken, len(w.conns))
	}
}

// TestForwarderDrops: without a monitor the oldest records go, and the monitor
// that comes is told how many.
func TestForwarderDrops(t *testing.T) {
	w := newWatched(t, Filter{})
	w.net.Kill(monitorAddr)
	const total = 3*maxQueued + 5
	for i := range total {
		w.fwd.Tap(record(p2p.Sent, "a:1", "b:1", "NAME", i))
		if i%1000 == 0 {
			w.net.Run(time.Second)
		}
	}
	if got := w.fwd.Totals(); got != (Totals{Lost: total - maxQueued, Waiting: maxQueued}) {
		t.Errorf("%+v", got)
	}
	if cap(w.fwd.queue) > 4*maxQueued {
		t.Errorf("the queue has room for %d", cap(w.fwd.queue))
	}
	w.fwd.Lose(10)
	w.startMonitor(Filter{})
	w.net.Run(time.Minute)
	lost := uint64(total - maxQueued + 10)
	w.want(t, maxQueued, 0, lost, Totals{Delivered: maxQueued, Lost: lost})
	first, _, _ := strings.Cut(w.log.String(), "\n")
	if first != fmt.Sprintf(`{"lost":%d}`, lost) || !strings.Contains(w.log.String(), fmt.Sprintf(`"length":%d,`, total-maxQueued)) {
		t.Errorf("the log begins with %s", first)
	}
	if len(w.said) != 2 || !strings.HasPrefix(w.said[0], "connection refused") || w.said[1] != "<nil>" {
		t.Errorf("said %q", w.said)
	}
}

// TestForwarderRetries: the waits grow, to a bound.
func TestForwarderRetries(t *testing.T) {
	h := p2ptest.NewHost(1)
	n := p2p.NewNode(h, p2p.Config{Addr: "me:1"})
	f := NewForwarder(n, ForwarderConfig{To: monitorAddr})
	n.SetHooks(f.Hooks())
	h.Start(n)
	f.Tap(p2p.TapRecord{Type: p2p.PING})
	h.Advance(gather)
	var waits []int
	for id := p2p.ConnID(1); id < 9; id++ {
		began := h.Now()
		h.Fail(id)
		for !h.Alive(id + 1) {
			h.Advance(100 * time.Millisecond)
		}
		waits = append(waits, int(h.Now().Sub(began).Seconds()+0.5))
	}
	for i, want := range []int{1, 2, 4, 8, 16, 30, 30, 30} {
		if d := waits[i] - want; d < -want/10-1 || d > want/10+1 {
			t.Errorf("waits %v", waits)
		}
	}
	h.Take()
	f.Stop()
	if got := h.TakeSends(); !strings.HasPrefix(got, "close 9") {
		t.Errorf("at Stop %q", got)
	}
	h.Advance(time.Hour)
	if got := h.TakeSends(); got != "" {
		t.Errorf("after Stop %q", got)
	}
}

// TestForwarderOnATappedNode: on a node that does other work, too, and whose
// every message is copied, the copies themselves are not.
func TestForwarderOnATappedNode(t *testing.T) {
	w := newWatched(t, Filter{})
	var opened, closed []p2p.ConnID
	var fwd *Forwarder
	w.net.Node(p2p.Config{Addr: "b:1"}, nil)
	a := w.net.Node(p2p.Config{ID: `a "1"`, Addr: "a:1", Tap: func(r p2p.TapRecord) { fwd.Tap(r) }}, func(n *p2p.Node) {
		fwd = NewForwarder(n, ForwarderConfig{To: monitorAddr})
		its := fwd.Hooks()
		n.SetHooks(p2p.Hooks{
			Opened: func(c p2p.ConnInfo) { its.Opened(c); opened = append(opened, c.ID) },
			Closed: func(c p2p.ConnID, err error) { its.Closed(c, err); closed = append(closed, c) },
		})
	})
	other := a.Dial("b:1")
	a.ConnectAndSend("b:1", p2p.Message{Type: p2p.NAME}, true, nil)
	w.net.Run(time.Minute)
	if s := w.mon.Stats(); s.Records != 2 || s.Sources != 1 {
		t.Errorf("%+v", s)
	}
	for source := range w.mon.next {
		if !strings.HasPrefix(source, "a..1.-") {
			t.Errorf("source %q", source)
		}
	}
	a.Send(other, p2p.Message{Type: p2p.PING}) // closed by b by now
	if len(opened) != 2 || !slices.Contains(closed, other) {
		t.Errorf("opened %v, closed %v", opened, closed)
	}
}

// TestForwarderToStrangers: a node that is no monitor is not believed.
func TestForwarderToStrangers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(n *p2p.Node, c p2p.ConnID)
	}{
		{"one that does not know COPY", nil},
		{"one that has its own COPY", func(n *p2p.Node, c p2p.ConnID) { n.ReplyText(c, p2p.REPL, "ok") }},
		{"one that refuses", func(n *p2p.Node, c p2p.ConnID) { n.ReplyText(c, p2p.ERRO, "1") }},
		{"one that says too much", func(n *p2p.Node, c p2p.ConnID) {
			n.ReplyText(c, p2p.REPL, "1")
			n.ReplyText(c, p2p.REPL, "1")
		}},
		{"one that never answers", func(n *p2p.Node, c p2p.ConnID) { _, _ = n.Defer() }},
	} {
		w := newWatched(t, Filter{})
		w.net.Kill(monitorAddr)
		asked := 0
		w.net.Node(p2p.Config{Addr: monitorAddr}, func(n *p2p.Node) {
			if tc.answer != nil {
				n.Handle(COPY, p2p.Spec{Max: maxBatch}, func(c p2p.ConnID, _ *p2p.Message) {
					asked++
					tc.answer(n, c)
				})
			}
		})
		w.fwd.Tap(record(p2p.Sent, "a:1", "b:1", "NAME", 0))
		w.net.Run(10 * time.Minute)
		if got := w.fwd.Totals(); got != (Totals{Waiting: 1}) {
			t.Errorf("%s: %+v", tc.name, got)
		}
		if len(w.said) != 1 || tc.answer != nil && (asked < 15 || asked > 35) {
			t.Errorf("%s: asked %d times, said %q", tc.name, asked, w.said)
		}
	}
}

// TestForwarderFullOutbox: an outbox that refuses a batch is a broken connection.
func TestForwarderFullOutbox(t *testing.T) {
	h := p2ptest.NewHost(1)
	n := p2p.NewNode(h, p2p.Config{Addr: "me:1"})
	var said []error
	f := NewForwarder(n, ForwarderConfig{To: monitorAddr, Trouble: func(err error) { said = append(said, err) }})
	n.SetHooks(f.Hooks())
	h.Start(n)
	f.Tap(p2p.TapRecord{Type: p2p.PING})
	h.Advance(gather)
	h.Fill(1, true)
	h.Open(1)
	h.Advance(0)
	if h.Alive(1) || len(said) != 1 || !errors.Is(said[0], p2p.ErrOutboxFull) || f.Totals() != (Totals{Waiting: 1}) {
		t.Errorf("alive %v, said %v, %+v", h.Alive(1), said, f.Totals())
	}
	h.Advance(2 * time.Second)
	if !h.Alive(2) {
		t.Error("it does not try again")
	}
}
