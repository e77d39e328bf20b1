package p2p_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// nullHost takes everything and does nothing.
type nullHost struct{}

func (nullHost) Now() time.Time                     { return p2ptest.Epoch }
func (nullHost) Rand() *rand.Rand                   { return nil }
func (nullHost) Dial(string) p2p.ConnID             { return 0 }
func (nullHost) Send(p2p.ConnID, p2p.Message) error { return nil }
func (nullHost) Close(p2p.ConnID, error)            {}
func (nullHost) Traffic(p2p.ConnID) p2p.Traffic     { return p2p.Traffic{} }
func (nullHost) WakeAt(time.Time)                   {}
func (nullHost) Run(p2p.Job)                        {}

// dispatcher is a node with 1000 kept connections and a handler of HAVE, and a
// function that delivers the i-th message to it.
func dispatcher(tap p2p.Tap) func(i int) {
	have := p2p.T("HAVE")
	n := p2p.NewNode(nullHost{}, p2p.Config{Addr: "me:1", Tap: tap})
	n.Handle(have, p2p.Spec{Max: 4}, func(p2p.ConnID, *p2p.Message) {})
	for c := range p2p.ConnID(1000) {
		n.Opened(p2p.ConnInfo{ID: c + 1, Addr: "x:9"})
		n.Keep(c + 1)
	}
	m := &p2p.Message{Type: have, Head: make([]byte, 4)}
	return func(i int) { n.Received(p2p.ConnID(i%1000+1), m) }
}

func TestDispatchAllocs(t *testing.T) {
	for name, tap := range map[string]p2p.Tap{"plain": nil, "tapped": func(p2p.TapRecord) {}} {
		deliver := dispatcher(tap)
		i := 0
		if got := testing.AllocsPerRun(1000, func() { deliver(i); i++ }); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
	deliver := enveloped()
	if got := testing.AllocsPerRun(1000, deliver); got != 0 {
		t.Errorf("enveloped: %v allocations", got)
	}
}

// enveloped is a node that answers a request in an envelope.
func enveloped() func() {
	echo := p2p.T("ECHO")
	n := p2p.NewNode(nullHost{}, p2p.Config{Addr: "me:1"})
	n.Handle(echo, p2p.Spec{Max: 4}, func(c p2p.ConnID, m *p2p.Message) { n.Reply(c, *m) })
	n.Opened(p2p.ConnInfo{ID: 1, Dialed: true, Addr: "x:9"})
	data := []byte("\x00\x00\x00\x01\x00ECHOdata")
	m := &p2p.Message{}
	return func() {
		*m = p2p.Message{Type: p2p.MSID, Head: data}
		n.Received(1, m)
	}
}

func BenchmarkDispatch(b *testing.B) {
	deliver := dispatcher(nil)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		deliver(i)
		i++
	}
}

func BenchmarkDispatchEnvelope(b *testing.B) {
	deliver := enveloped()
	b.ReportAllocs()
	for b.Loop() {
		deliver()
	}
}

func BenchmarkHeader(b *testing.B) {
	buf := make([]byte, 0, p2p.HeaderSize)
	b.ReportAllocs()
	for b.Loop() {
		buf = p2p.AppendHeader(buf[:0], p2p.NAME, 1234)
		if t, n := p2p.ParseHeader(buf); t != p2p.NAME || n != 1234 {
			b.Fatal(t, n)
		}
	}
}

func BenchmarkTimerSet(b *testing.B) {
	n := p2p.NewNode(nullHost{}, p2p.Config{Addr: "me:1"})
	timers := make([]*p2p.Timer, 1000)
	for i := range timers {
		timers[i] = n.NewTimer(func() {})
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		timers[i%1000].Set(p2ptest.Epoch.Add(time.Duration(i * 7919 % 100000)))
		i++
	}
}

// BenchmarkNet runs 100 nodes that ping one another, in virtual time.
func BenchmarkNet(b *testing.B) {
	w := p2ptest.NewNet(1)
	for i := range 100 {
		n := w.Node(p2p.Config{Addr: fmt.Sprintf("n%d:1", i)}, nil)
		for j := range 10 {
			addr := fmt.Sprintf("n%d:1", (i+j+1)%100)
			if err := n.AddPeer(addr, addr); err != nil {
				b.Fatal(err)
			}
		}
		n.Stabilize(time.Second, n.CheckLivePeers)
	}
	b.ReportAllocs()
	pings := 0
	w.Trace = func(p2p.TapRecord) { pings++ }
	for b.Loop() {
		w.Run(time.Second)
	}
	b.ReportMetric(float64(pings)/b.Elapsed().Seconds(), "pings/s")
}
