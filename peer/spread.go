package peer

import (
	"slices"
)

// spreader decides what a seed would like to send to whom. While there are
// pieces that no other peer has, each of them is suggested to one remote only,
// in random order, so that the seed's uplink carries every piece once before it
// carries any twice ("smart seed", Bharambe, Herley and Padmanabhan, INFOCOM
// 2006; the effect is that of super-seeding, BEP 16, without its waits). A
// leecher that wants another piece may still ask for it.
type spreader struct {
	active bool
	// left are pieces not suggested to anybody, taken from the end.
	left []int
}

// spreadAhead is how many suggestions a remote may hold beyond the requests
// that it has queued.
const spreadAhead = 2

// init shuffles the pieces, if we start as a seed. A leecher that completes
// does not spread: whatever it has, somebody else had before.
func (s *spreader) init(e *Engine) {
	if e.pick.NumHave() != e.geo.NumPieces() {
		return
	}
	s.active = true
	s.left = e.node.Host().Rand().Perm(e.geo.NumPieces())
}

// suggest names the next pieces to a remote that we serve.
func (e *Engine) suggest(r *remote) {
	s := &e.spread
	if !s.active || r.amChoking || r.phase != ready || r.caps&capSuggest == 0 || r.needs == 0 {
		return
	}
	room := max(spreadAhead, len(r.queue)) - len(r.spread)
	var fresh []int
	for len(s.left) > 0 && len(fresh) < room {
		i := s.left[len(s.left)-1]
		s.left = s.left[:len(s.left)-1]
		if e.pick.Availability(i) > 0 {
			continue // somebody has it already
		}
		fresh = append(fresh, i)
	}
	if len(fresh) > 0 {
		r.spread = append(r.spread, fresh...)
		e.scratch = appendIndexes(e.scratch[:0], fresh)
		e.send(r, typeSuggest, e.scratch)
	}
}

// asked notes that a remote took a suggestion up.
func (s *spreader) asked(r *remote, i int) {
	if k := slices.Index(r.spread, i); k >= 0 {
		r.spread = slices.Delete(r.spread, k, k+1)
		r.spreadSent = append(r.spreadSent, i)
	}
}

// arrived notes that a remote has a piece now.
func (s *spreader) arrived(r *remote, i int) {
	if !s.active {
		return
	}
	for _, l := range [...]*[]int{&r.spread, &r.spreadSent} {
		if k := slices.Index(*l, i); k >= 0 {
			*l = slices.Delete(*l, k, k+1)
		}
	}
}

// leave takes back what a remote was to get and has not got: it is gone, or
// choked.
func (s *spreader) leave(r *remote) {
	if s.active {
		s.left = append(s.left, r.spread...)
		s.left = append(s.left, r.spreadSent...)
	}
	r.spread, r.spreadSent = r.spread[:0], r.spreadSent[:0]
}
