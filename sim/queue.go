package sim

import "time"

// actor is what happens at an event's time.
type actor interface{ act() }

// actorFunc is for what happens seldom; each is an allocation.
type actorFunc func()

func (f actorFunc) act() { f() }

// event is an actor's turn. seq orders the events of one instant by when they
// were scheduled, so the order is total.
type event struct {
	at  time.Duration
	seq uint64
	do  actor
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// queue is a heap of events in which each has four children: half as deep as
// a binary one, and the four lie in two cache lines.
type queue struct {
	heap []event
	seq  uint64
}

func (q *queue) push(at time.Duration, do actor) {
	q.seq++
	e := event{at, q.seq, do}
	h := append(q.heap, e)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
	q.heap = h
}

// pop takes the first event. The queue must not be empty.
func (q *queue) pop() event {
	h := q.heap
	first := h[0]
	last := len(h) - 1
	e := h[last]
	h[last] = event{}
	h = h[:last]
	q.heap = h
	if last == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= last {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, last); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
	return first
}
