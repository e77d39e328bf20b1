package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"starling/p2p"
)

// Errors that a protocol hears with Closed.
var (
	ErrRefused = errors.New("connection refused")
	ErrReset   = errors.New("connection reset")
	ErrTimeout = errors.New("timed out")
)

// Host is a host of a World: the p2p.Host of one protocol.
type Host struct {
	w        *World
	index    int
	addr, ip string
	cfg      HostConfig
	p        p2p.Protocol
	rand     *rand.Rand
	loss     *rand.Rand
	rack     *rack
	up       uplink
	down     link

	// conns are the ends by ConnID, nil once they are gone: a look-up is what
	// every message begins with, and ids are few in a run.
	conns []*end
	specs specTable
	last  p2p.ConnID
	timer timer
	skew  time.Duration // how far its clock is ahead

	life    uint64 // counts starts: what belongs to an earlier one is void
	running bool
	silent  bool // it lost its power: nobody is told that it is gone
	frozen  bool
	waiting []actor // what happened while it was frozen

	workers [p2p.NumClasses][]time.Duration // when each is free
	charge  time.Duration
	commits []func()
	heads   []byte // where copies of heads are cut from
	lastCut []byte // the last one
}

// workers is how many a host has, as p2p/tcp does.
var workers = [p2p.NumClasses]int{p2p.Disk: 2, p2p.Flush: 2, p2p.Network: 4}

// Start gives the host its protocol and what it may read. A host that was
// stopped may be started again.
func (h *Host) Start(p p2p.Protocol, l *p2p.Limits) {
	h.p, h.running = p, true
	h.specs.fill(l)
	for c := range h.workers {
		h.workers[c] = make([]time.Duration, workers[c])
	}
	if h.silent { // what was sent to it meanwhile is answered with a reset
		h.silent = false
		h.w.resume()
	}
}

// Index is the host's place in its world, from 0.
func (h *Host) Index() int { return h.index }

// Addr is where it is reached.
func (h *Host) Addr() string { return h.addr }

// Running says whether its protocol lives.
func (h *Host) Running() bool { return h.running }

// Now is the world's time on the host's clock.
func (h *Host) Now() time.Time { return Epoch.Add(h.w.now + h.skew) }

// Rand is seeded by the world's seed and the host's place in it.
func (h *Host) Rand() *rand.Rand { return h.rand }

// trace kinds.
const (
	traceOpened = iota + 1
	traceReceived
	traceDrained
	traceClosed
	traceWake
	traceDone
)

// timer is the host's one deadline. An event for an earlier deadline than the
// present one is let pass: deadlines move far more often than they come.
type timer struct {
	h  *Host
	at time.Time // zero: none
	// pending are the times of the events that are scheduled, the next one
	// last. A deadline needs a new one only if it is before all of them.
	pending []time.Duration
}

// WakeAt implements p2p.Host.
func (h *Host) WakeAt(t time.Time) {
	k := &h.timer
	k.at = t
	if t.IsZero() {
		return
	}
	at := max(h.w.now, t.Sub(Epoch)-h.skew)
	if n := len(k.pending); n == 0 || at < k.pending[n-1] {
		k.pending = append(k.pending, at)
		h.w.queue.push(at, k)
	}
}

func (k *timer) act() {
	h := k.h
	if n := len(k.pending); n > 0 && k.pending[n-1] <= h.w.now {
		k.pending = k.pending[:n-1]
	}
	switch {
	case k.at.IsZero() || !h.running:
	case h.frozen:
		h.waiting = append(h.waiting, k)
	case h.Now().Before(k.at):
		h.WakeAt(k.at)
	default:
		k.at = time.Time{}
		h.w.trace(traceWake, h, 0, 0)
		h.p.Wake()
	}
}

// doneJob is a job on its way back.
type doneJob struct {
	h       *Host
	life    uint64
	j       p2p.Job
	commits []func()
}

// Run implements p2p.Host: the job is done now, and comes back when a worker
// has had the time for it.
func (h *Host) Run(j p2p.Job) {
	h.charge, h.commits = 0, nil
	j.Do(context.Background())
	pool := h.workers[j.Class()]
	free := 0
	for i := range pool {
		if pool[i] < pool[free] {
			free = i
		}
	}
	pool[free] = max(pool[free], h.w.now) + h.charge
	h.w.queue.push(pool[free], &doneJob{h, h.life, j, h.commits})
	h.commits = nil
}

// Charge makes the job that is being done take d longer. For the code of jobs.
func (h *Host) Charge(d time.Duration) { h.charge += d }

// Commit has fn called when the job that is being done comes back, just before
// Done: for what must not have happened if the host dies meanwhile.
func (h *Host) Commit(fn func()) { h.commits = append(h.commits, fn) }

func (d *doneJob) act() {
	h := d.h
	switch {
	case d.life != h.life || !h.running:
	case h.frozen:
		h.waiting = append(h.waiting, d)
	default:
		for _, fn := range d.commits {
			fn()
		}
		h.w.trace(traceDone, h, 0, 0)
		h.p.Done(d.j)
	}
}

// Traffic implements p2p.Host.
func (h *Host) Traffic(c p2p.ConnID) p2p.Traffic {
	if e := h.end(c); e != nil {
		return e.traffic
	}
	return p2p.Traffic{}
}

// cut copies a head. Messages to many have the same one, which is copied once.
func (h *Host) cut(head []byte) []byte {
	if len(head) == 0 {
		return nil
	}
	if string(head) == string(h.lastCut) {
		return h.lastCut
	}
	if len(h.heads) < len(head) {
		h.heads = make([]byte, max(4<<10, len(head)))
	}
	c := h.heads[:len(head):len(head)]
	h.heads = h.heads[len(head):]
	copy(c, head)
	h.lastCut = c
	return c
}

func hostPart(addr string) string {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		return addr[:i]
	}
	return addr
}

// ephemeral is the address that a connection of ours comes from.
func (h *Host) ephemeral(c p2p.ConnID) string {
	return h.ip + ":" + strconv.FormatUint(32768+uint64(c)%28232, 10)
}
