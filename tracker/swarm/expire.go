package swarm

import (
	"bytes"
	"container/heap"
	"time"
)

// Expire forgets the peers that have not announced for the TTL of their class, and
// the swarms that nothing is known of any more. It looks only at swarms that are
// due: those whose first peer to go, when last looked at, would have expired by
// now. It returns the number of peers removed.
func (s *Store) Expire(now time.Duration) (removed int) {
	s.advance(now)
	for len(s.queue) > 0 && s.queue[0].due <= s.clock {
		w := s.queue[0]
		if w.empty() {
			w.downloaded = 0 // EmptyTTL has passed
			s.settle(w)
			continue
		}
		before := w.counts()
		removed += expire(&w.v4, s.clock, &s.ttls) + expire(&w.v6, s.clock, &s.ttls)
		s.recount(before, w.counts())
		s.settle(w)
	}
	return removed
}

// ttls is how long a peer of each class is listed, in seconds.
type ttls [numClasses]uint32

func (c *Config) ttls() ttls {
	return ttls{prompt: seconds(c.TTL), lax: seconds(max(c.TTL, c.LaxTTL))}
}

// expire drops the peers of one set that were last seen the TTL of their class ago
// or earlier.
func expire[A address](set *set[A], now uint32, after *ttls) (removed int) {
	for c := range set.orders {
		o := &set.orders[c]
		for o.oldest != none && now-set.peers[o.oldest].seen >= after[c] {
			drop(set, o.oldest)
			removed++
		}
	}
	return removed
}

// settle decides what becomes of a swarm that has changed: it goes, or it waits in
// the queue for its due time. A peer that announces moves its own expiry, not its
// swarm's due time: that is a lower bound, made exact when it is reached. Whoever
// has just announced expires no sooner than a prompt peer would, so a bound within
// that time stays one, and the oldest peers need not be looked at.
func (s *Store) settle(w *swarm) {
	switch {
	case !w.empty():
		if !w.idle && w.due > s.clock && w.due <= s.clock+s.ttls[prompt] {
			return
		}
		due := w.nextExpiry(&s.ttls)
		if w.idle || w.due > due || w.due <= s.clock {
			s.queue.put(w, due)
		}
		w.idle = false
	case w.registered:
		s.queue.take(w)
		w.idle = false
	case w.downloaded == 0:
		s.queue.take(w)
		delete(s.swarms, w.hash)
	case !w.idle:
		s.queue.put(w, s.clock+seconds(s.cfg.EmptyTTL))
		w.idle = true
	}
}

// nextExpiry is when the first peer expires unless it announces again.
func (w *swarm) nextExpiry(after *ttls) uint32 {
	return min(w.v4.nextExpiry(after), w.v6.nextExpiry(after))
}

func (s *set[A]) nextExpiry(after *ttls) uint32 {
	due := never
	for c := range s.orders {
		if i := s.orders[c].oldest; i != none {
			due = min(due, s.peers[i].seen+after[c])
		}
	}
	return due
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) }

// never is the due time of a swarm that is not in the queue, place unqueued.
const (
	never    = ^uint32(0)
	unqueued = -1
)

// queue is a heap of swarms by due time.
type queue []*swarm

// put brings w to its place for a new due time.
func (q *queue) put(w *swarm, due uint32) {
	w.due = due
	if w.place == unqueued {
		heap.Push(q, w)
	} else {
		heap.Fix(q, w.place)
	}
}

// take removes w, if it is there.
func (q *queue) take(w *swarm) {
	if w.place != unqueued {
		heap.Remove(q, w.place)
	}
}

// The methods of heap.Interface.

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return bytes.Compare(q[i].hash[:], q[j].hash[:]) < 0
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *queue) Push(x any) {
	w := x.(*swarm)
	w.place = len(*q)
	*q = append(*q, w)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	w.place, w.due = unqueued, never
	return w
}
