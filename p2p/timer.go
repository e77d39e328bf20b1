package p2p

import (
	"container/heap"
	"time"
)

// Timer is a single deadline of a protocol. A Node has as many as it likes on
// the one deadline that its Host offers; setting one allocates nothing.
type Timer struct {
	n  *Node
	fn func()
	at time.Time
	// seq is the order of setting, which settles ties of at.
	seq uint64
	// index is the place in the heap, -1 while the timer is not set.
	index int
}

// NewTimer returns an unset timer that calls fn.
func (n *Node) NewTimer(fn func()) *Timer {
	return &Timer{n: n, fn: fn, index: -1}
}

// Set makes the timer fire at t, replacing any earlier deadline. A time that has
// passed counts as now: it fires at the next Wake, never inside this call. Timers
// with one deadline fire in the order in which they were set.
func (t *Timer) Set(at time.Time) {
	s := &t.n.timers
	if now := t.n.host.Now(); at.Before(now) {
		at = now
	}
	s.seq++
	t.at, t.seq = at, s.seq
	if t.index < 0 {
		heap.Push(s, t)
	} else {
		heap.Fix(s, t.index)
	}
	t.n.arm()
}

// Armed says whether a deadline is set and has not come.
func (t *Timer) Armed() bool { return t.index >= 0 }

// Stop clears the deadline. It may be called on an unset timer.
func (t *Timer) Stop() {
	if t.index >= 0 {
		heap.Remove(&t.n.timers, t.index)
		t.n.arm()
	}
}

// Stabilize calls fn every interval, first after one interval, until the
// returned function is called (the paper's stabilizers). A late call does not
// shift the ones after it, and calls that were missed altogether are skipped.
// It panics unless interval is positive.
func (n *Node) Stabilize(interval time.Duration, fn func()) (stop func()) {
	if interval <= 0 {
		panic("p2p: stabilizer without an interval")
	}
	var t *Timer
	stopped := false
	next := n.host.Now().Add(interval)
	t = n.NewTimer(func() {
		fn()
		if stopped {
			return
		}
		next = next.Add(interval)
		if now := n.host.Now(); !next.After(now) {
			next = now.Add(interval)
		}
		t.Set(next)
	})
	t.Set(next)
	return func() {
		stopped = true
		t.Stop()
	}
}

// timers is a heap of the timers that are set, for container/heap.
type timers struct {
	heap []*Timer
	seq  uint64
	// asked is the deadline the host holds for us, zero for none.
	asked time.Time
}

func (s *timers) Len() int { return len(s.heap) }

func (s *timers) Less(i, j int) bool {
	a, b := s.heap[i], s.heap[j]
	if c := a.at.Compare(b.at); c != 0 {
		return c < 0
	}
	return a.seq < b.seq
}

func (s *timers) Swap(i, j int) {
	s.heap[i], s.heap[j] = s.heap[j], s.heap[i]
	s.heap[i].index, s.heap[j].index = i, j
}

// Push appends x, a *Timer.
func (s *timers) Push(x any) {
	t := x.(*Timer)
	t.index = len(s.heap)
	s.heap = append(s.heap, t)
}

// Pop removes the last timer.
func (s *timers) Pop() any {
	last := len(s.heap) - 1
	t := s.heap[last]
	s.heap[last] = nil
	s.heap = s.heap[:last]
	t.index = -1
	return t
}

// arm tells the host the earliest deadline if that has changed. During an event
// it waits for the event's end: a handler that moves ten timers costs one call.
func (n *Node) arm() {
	if n.inEvent {
		return
	}
	var at time.Time
	if len(n.timers.heap) > 0 {
		at = n.timers.heap[0].at
	}
	if !at.Equal(n.timers.asked) {
		n.timers.asked = at
		n.host.WakeAt(at)
	}
}

// fire runs what is due. A timer that is set again meanwhile waits for the next
// Wake even if its time has come, so that one which always asks for "now"
// cannot hold the node for ever. Such a one sorts behind all that is due, for
// Set puts nothing into the past.
func (n *Node) fire() {
	s := &n.timers
	s.asked = time.Time{} // a deadline is good for one Wake
	now, last := n.host.Now(), s.seq
	for len(s.heap) > 0 {
		t := s.heap[0]
		if t.at.After(now) || t.seq > last {
			return
		}
		heap.Pop(s)
		t.fn()
	}
}
