package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"starling/p2p"
)

// Epoch is where virtual time begins.
var Epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Bounds and times of the model. The timeouts are those of p2p/tcp.
const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	linger       = 2 * time.Second
	minRTO       = 200 * time.Millisecond // RFC 6298's minimum is 1 s; Linux has this
	controlBytes = 512 << 10
	bulkMessages = 4
	// queueTime is how much a connection keeps on its way beyond what its
	// round trip needs.
	queueTime   = 50 * time.Millisecond
	quantumTime = 5 * time.Millisecond
	minQuantum  = 16 << 10
	maxQuantum  = 128 << 10
	// DefaultRate is a link's rate where none is given: 10 Gbit/s.
	DefaultRate = 1.25e9
)

// Config makes a World.
type Config struct {
	Seed uint64
	// Latency is one way, for every path, besides what its two hosts add.
	Latency time.Duration
	// Quantum is how many bytes a connection sends in its turn; 0 is 5 ms of
	// its uplink, 16 KiB at least and 128 KiB at most.
	Quantum int
	// Queue is how long the buffers before a host's uplink are, when they are
	// full.
	Queue time.Duration
}

// World is the network and its time. All of its methods, and those of its
// hosts, are for one goroutine.
type World struct {
	cfg    Config
	now    time.Duration
	queue  queue
	events uint64
	hash   uint64
	hosts  []*Host
	byName map[string]*Host // by host part of the address
	racks  map[string]*rack
	rules  []*rule
	// holding are the pipes that have held packets, in the order in which
	// they began to; some no longer have.
	holding []*pipe
	spare   []*packet
	watch   Watcher
}

// Watcher sees what hosts do, for checks. Its methods must change nothing, and
// what they are given is valid during the call.
type Watcher interface {
	// Sent: h has handed a message to the network.
	Sent(h *Host, c p2p.ConnID, m *p2p.Message)
	// Delivered: h is about to receive a message.
	Delivered(h *Host, c p2p.ConnID, m *p2p.Message)
	// Dialed: h begins to connect to addr.
	Dialed(h *Host, addr string)
}

// New returns a world without hosts.
func New(cfg Config) *World {
	return &World{cfg: cfg, byName: map[string]*Host{}, racks: map[string]*rack{}}
}

// Watch sets the one watcher.
func (w *World) Watch(o Watcher) { w.watch = o }

// Now is how much time has passed.
func (w *World) Now() time.Duration { return w.now }

// Events is how many events there have been.
func (w *World) Events() uint64 { return w.events }

// TraceHash is a hash over all that has happened: what was delivered, opened,
// closed and done, to whom and when.
func (w *World) TraceHash() string { return fmt.Sprintf("%016x", w.hash) }

// trace puts an occurrence into the hash.
func (w *World) trace(what uint64, h *Host, c p2p.ConnID, detail uint64) {
	const prime = 0x9e3779b97f4a7c15
	x := w.hash
	for _, v := range [...]uint64{uint64(w.now), what<<56 ^ uint64(h.index)<<32 ^ uint64(c), detail} {
		x = (x ^ v) * prime
		x ^= x >> 29
	}
	w.hash = x
}

// At has fn called at a time; a time that has passed is now.
func (w *World) At(t time.Duration, fn func()) { w.queue.push(max(t, w.now), actorFunc(fn)) }

// Step lets the next event happen if it is not later than until, and says
// whether there was one.
func (w *World) Step(until time.Duration) bool {
	if len(w.queue.heap) == 0 || w.queue.heap[0].at > until {
		return false
	}
	e := w.queue.pop()
	w.now = e.at
	w.events++
	e.do.act()
	return true
}

// Run lets time pass until a time, with all that happens on the way.
func (w *World) Run(until time.Duration) {
	for w.Step(until) {
	}
	w.now = max(w.now, until)
}

// HostConfig makes a Host. Rates are bytes a second; 0 is DefaultRate.
type HostConfig struct {
	// Addr is "IP:port"; connections from it come from the IP. One host an IP.
	Addr     string
	Up, Down float64
	Latency  time.Duration // one way, added to each of its paths
	// Loss is the share of the quanta it sends or receives that come late.
	Loss float64
	Rack string // "": none
}

// Host adds a host. It takes part once it is started.
func (w *World) Host(cfg HostConfig) *Host {
	ip := hostPart(cfg.Addr)
	if w.byName[ip] != nil {
		panic("sim: two hosts at " + ip)
	}
	h := &Host{
		w: w, index: len(w.hosts), addr: cfg.Addr, ip: ip, cfg: cfg,
		rand: rand.New(rand.NewPCG(w.cfg.Seed, uint64(len(w.hosts))+1)),
		loss: rand.New(rand.NewPCG(w.cfg.Seed^0x10c5, uint64(len(w.hosts))+1)),
		rack: w.racks[cfg.Rack],
	}
	if cfg.Rack != "" && h.rack == nil {
		panic("sim: no rack " + cfg.Rack)
	}
	h.up.h = h
	h.timer.h = h
	h.SetRates(cfg.Up, cfg.Down)
	w.hosts = append(w.hosts, h)
	w.byName[ip] = h
	return h
}

// rack is a pair of links that hosts share.
type rack struct{ up, down link }

// Rack adds a rack before its hosts are added. Rates are bytes a second.
func (w *World) Rack(name string, up, down float64) {
	w.racks[name] = &rack{up: link{nsPerByte: perByte(up)}, down: link{nsPerByte: perByte(down)}}
}

// perByte is the time that a byte takes, in nanoseconds.
func perByte(rate float64) float64 {
	if rate <= 0 {
		rate = DefaultRate
	}
	return 1e9 / rate
}

// link passes quanta on in the order in which they come.
type link struct {
	nsPerByte float64
	free      time.Duration // when all it was given will have left
}

// pass returns when n bytes have left the link that began to come took ago and
// are all here now.
func (l *link) pass(now time.Duration, n int, took time.Duration) time.Duration {
	l.free = max(now, max(l.free, now-took)+time.Duration(float64(n)*l.nsPerByte))
	return l.free
}
