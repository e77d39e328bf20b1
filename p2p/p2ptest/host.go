package p2ptest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"starling/p2p"
)

// Epoch is where virtual time begins.
var Epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Host is a p2p.Host whose world is the test. It refuses what a real host
// refuses: sends on a connection that is not open or whose outbox the test has
// filled.
type Host struct {
	p     p2p.Protocol
	now   time.Time
	wake  time.Time
	rand  *rand.Rand
	last  p2p.ConnID
	conns map[p2p.ConnID]*link
	jobs  []p2p.Job
	log   strings.Builder
}

// link is one connection.
type link struct {
	addr    string
	open    bool
	full    bool
	traffic p2p.Traffic
}

// NewHost returns a host whose Rand has the given seed.
func NewHost(seed uint64) *Host {
	return &Host{
		now:   Epoch,
		rand:  rand.New(rand.NewPCG(seed, seed)),
		conns: make(map[p2p.ConnID]*link),
	}
}

// Start gives the host the protocol it drives.
func (h *Host) Start(p p2p.Protocol) { h.p = p }

// Take returns the lines written since the last Take:
//
//	dial CONN ADDR
//	send CONN TYPE "HEAD" [+BODYSIZE]     the head as a Go string
//	refused CONN TYPE: ERROR
//	close CONN REASON
//	wake AT                               since Epoch, or "never"
//	run JOB                               its String, or its type
func (h *Host) Take() string {
	s := h.log.String()
	h.log.Reset()
	return s
}

// TakeSends is Take without the wake lines, for tests that do not care about
// timers.
func (h *Host) TakeSends() string {
	var b strings.Builder
	for line := range strings.Lines(h.Take()) {
		if !strings.HasPrefix(line, "wake ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func (h *Host) logf(format string, args ...any) { fmt.Fprintf(&h.log, format+"\n", args...) }

// Now is virtual time.
func (h *Host) Now() time.Time { return h.now }

// Rand is seeded.
func (h *Host) Rand() *rand.Rand { return h.rand }

// Dial notes a connection that Open or Fail decides about.
func (h *Host) Dial(addr string) p2p.ConnID {
	h.last++
	h.conns[h.last] = &link{addr: addr}
	h.logf("dial %d %s", h.last, addr)
	return h.last
}

// Send notes a message. Its body is released at once.
func (h *Host) Send(c p2p.ConnID, m p2p.Message) error {
	if m.Body != nil {
		defer m.Body.Release()
	}
	l := h.conns[c]
	var err error
	switch {
	case l == nil || !l.open:
		err = p2p.ErrClosed
	case l.full:
		err = p2p.ErrOutboxFull
	}
	if err != nil {
		h.logf("refused %d %v: %v", c, m.Type, err)
		return err
	}
	l.traffic.Out += uint64(p2p.HeaderSize + m.Len())
	if m.Body != nil {
		h.logf("send %d %v %q +%d", c, m.Type, m.Head, m.Body.Size())
	} else {
		h.logf("send %d %v %q", c, m.Type, m.Head)
	}
	return nil
}

// Close notes the end of a connection.
func (h *Host) Close(c p2p.ConnID, reason error) {
	if h.conns[c] == nil {
		return
	}
	delete(h.conns, c)
	h.logf("close %d %v", c, reason)
}

// Traffic counts what was sent and delivered.
func (h *Host) Traffic(c p2p.ConnID) p2p.Traffic {
	if l := h.conns[c]; l != nil {
		return l.traffic
	}
	return p2p.Traffic{}
}

// WakeAt notes the deadline; Advance keeps it.
func (h *Host) WakeAt(t time.Time) {
	h.wake = t
	if t.IsZero() {
		h.logf("wake never")
	} else {
		h.logf("wake %v", t.Sub(Epoch))
	}
}

// Run notes a job; FinishJob does it.
func (h *Host) Run(j p2p.Job) {
	h.jobs = append(h.jobs, j)
	if s, ok := j.(fmt.Stringer); ok {
		h.logf("run %v", s)
	} else {
		h.logf("run %T", j) // its value may hold pointers, which differ from run to run
	}
}

// Accept opens a connection from addr to the protocol.
func (h *Host) Accept(addr string) p2p.ConnID {
	h.last++
	h.conns[h.last] = &link{addr: addr, open: true}
	h.p.Opened(p2p.ConnInfo{ID: h.last, Addr: addr})
	return h.last
}

// Open lets a Dial succeed.
func (h *Host) Open(c p2p.ConnID) {
	l := h.mustConn(c)
	l.open = true
	h.p.Opened(p2p.ConnInfo{ID: c, Dialed: true, Addr: l.addr})
}

// ErrDial is what a failed dial reports.
var ErrDial = errors.New("connection refused")

// Fail lets a Dial fail with ErrDial.
func (h *Host) Fail(c p2p.ConnID) { h.Hangup(c, ErrDial) }

// Hangup closes a connection from the other side: io.EOF for an orderly end.
func (h *Host) Hangup(c p2p.ConnID, err error) {
	h.mustConn(c)
	delete(h.conns, c)
	h.p.Closed(c, err)
}

// Deliver hands the protocol a message without a body. The head's memory is
// overwritten afterwards, to catch a protocol that holds on to it. A connection
// that the protocol has closed takes no more: Deliver then does nothing, like a
// socket whose reader has gone.
func (h *Host) Deliver(c p2p.ConnID, t p2p.Type, head string) { h.DeliverBody(c, t, head, nil) }

// DeliverBody is Deliver with a body.
func (h *Host) DeliverBody(c p2p.ConnID, t p2p.Type, head string, body p2p.Payload) {
	l := h.conns[c]
	if l == nil {
		if body != nil {
			body.Release()
		}
		return
	}
	m := p2p.Message{Type: t, Head: []byte(head), Body: body}
	mem := m.Head
	l.traffic.In += uint64(p2p.HeaderSize + m.Len())
	h.p.Received(c, &m)
	for i := range mem {
		mem[i] = 0xdb
	}
}

// Fill makes a connection's outbox refuse messages, or take them again.
func (h *Host) Fill(c p2p.ConnID, full bool) { h.mustConn(c).full = full }

// Drain tells the protocol that a connection's bulk has left.
func (h *Host) Drain(c p2p.ConnID) {
	h.mustConn(c)
	h.p.Drained(c, 0)
}

// Alive reports whether a connection is open or being dialed.
func (h *Host) Alive(c p2p.ConnID) bool { return h.conns[c] != nil }

// Advance lets time pass, waking the protocol at each deadline on the way.
func (h *Host) Advance(d time.Duration) {
	end := h.now.Add(d)
	for !h.wake.IsZero() && !h.wake.After(end) {
		if h.wake.After(h.now) {
			h.now = h.wake
		}
		h.wake = time.Time{}
		h.p.Wake()
	}
	h.now = end
}

// WakeEarly wakes the protocol now, as a host may.
func (h *Host) WakeEarly() {
	h.wake = time.Time{}
	h.p.Wake()
}

// Jobs is the number of jobs that have not been finished.
func (h *Host) Jobs() int { return len(h.jobs) }

// FinishJob does the i-th unfinished job, in order of Run, and gives it back.
// Jobs finish in any order: so may the test.
func (h *Host) FinishJob(i int) {
	j := h.PopJob(i)
	j.Do(context.Background())
	h.p.Done(j)
}

// PopJob takes the i-th unfinished job away without doing it, for a test that
// makes up its outcome and then calls Return.
func (h *Host) PopJob(i int) p2p.Job {
	j := h.jobs[i]
	h.jobs = slices.Delete(h.jobs, i, i+1)
	return j
}

// Return gives a job back to the protocol.
func (h *Host) Return(j p2p.Job) { h.p.Done(j) }

// mustConn panics for a connection that is gone: the test's script is wrong.
func (h *Host) mustConn(c p2p.ConnID) *link {
	l := h.conns[c]
	if l == nil {
		panic(fmt.Sprintf("p2ptest: connection %d is gone", c))
	}
	return l
}
