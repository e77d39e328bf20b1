package swarm

import (
	"math/rand/v2"
	"time"
)

// counts is the swarm's scrape.
func (w *swarm) counts() Counts {
	n := len(w.v4.peers) + len(w.v6.peers)
	seeds := w.v4.seeds + w.v6.seeds
	return Counts{
		Complete: seeds, Incomplete: n - seeds, Downloaders: w.v4.wanting + w.v6.wanting,
		Downloaded: w.downloaded,
	}
}

func (w *swarm) empty() bool { return len(w.v4.peers)+len(w.v6.peers) == 0 }

// counted says whether the announcer was complete before under its address of the
// other family. It looks at that whole family, but only when a peer completes.
func (w *swarm) counted(q *Request) bool {
	if q.Addr.Addr().Is4() {
		return w.v6.hasCounted(q)
	}
	return w.v4.hasCounted(q)
}

func (s *set[A]) hasCounted(q *Request) bool {
	for i := range s.peers {
		if p := &s.peers[i]; p.flags&flagCounted != 0 && p.isSelf(q) {
			return true
		}
	}
	return false
}

// ensure returns the swarm of h, made if it must be.
func (s *Store) ensure(h InfoHash) (*swarm, error) {
	if w := s.swarms[h]; w != nil {
		return w, nil
	}
	if s.cfg.MaxSwarms > 0 && len(s.swarms) >= s.cfg.MaxSwarms {
		return nil, ErrFull
	}
	w := &swarm{
		hash: h, v4: newSet[addr4](), v6: newSet[addr6](),
		joined: s.clock, due: never, place: unqueued,
	}
	s.swarms[h] = w
	return w, nil
}

// recount brings the totals up to date after one swarm has changed.
func (s *Store) recount(before, after Counts) {
	s.totals.Seeders += after.Complete - before.Complete
	s.totals.Leechers += after.Incomplete - before.Incomplete
	s.totals.Seedless += after.seedless() - before.seedless()
}

// seedless is 1 for a swarm in which some want more and nobody has all, else 0.
func (c Counts) seedless() int {
	if c.Downloaders > 0 && c.Complete == 0 {
		return 1
	}
	return 0
}

// advance moves the store's clock, never back.
func (s *Store) advance(now time.Duration) {
	if t := int64(now / time.Second); t > int64(s.clock) {
		s.clock = uint32(min(t, maxClock))
	}
}

// maxClock leaves room for a TTL on top; it is 136 years less two.
const maxClock = 1<<32 - 1 - 2*366*24*3600

// want is how many peers q gets.
func (s *Store) want(q *Request) int {
	if q.NumWant < 0 {
		return s.cfg.NumWant
	}
	return min(q.NumWant, s.cfg.MaxNumWant)
}

// setIntervals tells the announcer when to come again. While a swarm is young its
// leechers must find one another soon, so the interval starts at Config.Young and
// then follows the time since the last peer joined: each wait is about twice the
// one before, and a swarm that stops growing is at the full interval after a few
// announces. Seeds are found by others and need no haste. w may be nil.
func (s *Store) setIntervals(rng *rand.Rand, w *swarm, q *Request, r *Response) {
	secs := func(d time.Duration) int64 { return int64(d / time.Second) }
	full, every := secs(s.cfg.Interval), secs(s.cfg.Young)
	if w != nil {
		if q.Event != Started { // else it is the newcomer itself
			every = max(every, int64(s.clock-w.joined))
		}
		every = max(every, int64((len(w.v4.peers)+len(w.v6.peers))/s.cfg.SwarmRate))
	}
	if q.Left == 0 || q.Event == Paused || every > full {
		every = full
	}
	lowest := max(1, every*secs(s.cfg.MinInterval)/full)
	// ±10 % against herds, but never below what the peer must wait.
	spread := every / 10
	every += rng.Int64N(2*spread+1) - spread
	r.Interval = time.Duration(max(every, lowest)) * time.Second
	r.MinInterval = time.Duration(lowest) * time.Second
}
