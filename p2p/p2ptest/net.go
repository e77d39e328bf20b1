package p2ptest

import (
	"container/heap"
	"errors"
	"math/rand/v2"
	"time"

	"starling/p2p"
)

// Latency is how long everything takes from one host of a Net to another.
const Latency = time.Millisecond

// ErrReset is how the other side sees a killed host.
var ErrReset = errors.New("connection reset")

// Net is a small world of hosts. The zero value is not ready; use NewNet.
type Net struct {
	now    time.Time
	seed   uint64
	events events
	seq    uint64
	hosts  map[string]*NetHost
	// Trace, if set, sees every message as it is delivered.
	Trace func(r p2p.TapRecord)
}

// NewNet returns an empty world.
func NewNet(seed uint64) *Net {
	return &Net{now: Epoch, seed: seed, hosts: make(map[string]*NetHost)}
}

// Host makes a host that others reach at addr. It takes part after Start.
func (w *Net) Host(addr string) *NetHost {
	h := &NetHost{
		net:   w,
		addr:  addr,
		rand:  rand.New(rand.NewPCG(w.seed, uint64(len(w.hosts)))),
		conns: make(map[p2p.ConnID]*end),
	}
	w.hosts[addr] = h
	return h
}

// Node makes a host at addr and a node on it, and starts it. setup, which may be
// nil, registers the node's handlers first.
func (w *Net) Node(cfg p2p.Config, setup func(n *p2p.Node)) *p2p.Node {
	h := w.Host(cfg.Addr)
	n := p2p.NewNode(h, cfg)
	if setup != nil {
		setup(n)
	}
	h.Start(n, n.Limits())
	return n
}

// Now is the world's time.
func (w *Net) Now() time.Time { return w.now }

// Kill ends the host at addr as kill -9 would: its connections break, dials to
// it fail, and its protocol hears nothing more.
func (w *Net) Kill(addr string) {
	h := w.hosts[addr]
	if h == nil {
		panic("p2ptest: no host " + addr)
	}
	delete(w.hosts, addr)
	h.dead = true
	for id := p2p.ConnID(1); id <= h.last; id++ {
		if e := h.conns[id]; e != nil {
			e.hangup(ErrReset)
		}
	}
}

// Run lets d pass.
func (w *Net) Run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.events) > 0 && !w.events[0].at.After(end) {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.fn()
	}
	w.now = end
}

// after schedules fn. Events of one instant happen in order of scheduling.
func (w *Net) after(d time.Duration, fn func()) {
	w.seq++
	heap.Push(&w.events, event{w.now.Add(d), w.seq, fn})
}

// event is something that happens at a time.
type event struct {
	at  time.Time
	seq uint64
	fn  func()
}

// events is a heap by time, then by order of scheduling.
type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].seq < q[j].seq
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}
