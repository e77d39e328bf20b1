package piece

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

const (
	// walkSteps bounds how many pieces one pick looks at, from the rarest end
	// of a shelf or at random places, before it scans. It serves a remote that
	// has one piece in twenty more than nine times in ten.
	walkSteps = 64
	// scanMatches bounds how many pieces, useful and held by the remote, the
	// scan compares after the walk has failed.
	scanMatches = 256
)

// none is the position of a piece that is neither shelved nor begun.
const none = -1

// shelf holds the pieces of one priority that are wanted and not begun, in
// order of availability. Pieces of equal availability (a bucket) lie in random
// order: each piece enters its bucket at a random place.
//
// avail and pos are the Picker's own arrays, shared by its shelves; both are
// indexed by piece. Invariant: order[pos[i]] == i for each piece i of the
// shelf, and bucket k is order[end[k-1]:end[k]].
type shelf struct {
	avail []int32 // remotes that have the piece, without the seeds
	pos   []int32 // place in order
	order []int32 // pieces
	end   []int32 // by availability
	bits  *Bitfield
	rng   *rand.Rand
}

func newShelf(avail, pos []int32, rng *rand.Rand) *shelf {
	return &shelf{avail: avail, pos: pos, end: []int32{0}, bits: NewBitfield(len(avail)), rng: rng}
}

// start is where bucket k begins.
func (s *shelf) start(k int32) int32 {
	if k == 0 {
		return 0
	}
	return s.end[k-1]
}

// grow makes sure that bucket k exists.
func (s *shelf) grow(k int32) {
	for int(k) >= len(s.end) {
		s.end = append(s.end, int32(len(s.order)))
	}
}

// insert puts piece i on the shelf. It costs a step a bucket above i's own.
func (s *shelf) insert(i int32) {
	k := s.avail[i]
	s.grow(k)
	s.bits.Set(int(i))
	hole := int32(len(s.order))
	s.order = append(s.order, i)
	for b := int32(len(s.end)) - 1; b > k; b-- {
		if first := s.start(b); first != hole {
			s.put(s.order[first], hole)
			hole = first
		}
		s.end[b]++
	}
	s.put(i, hole)
	s.end[k]++
	s.shuffleIn(hole, k)
}

// remove takes piece i off the shelf, at the same cost as insert.
func (s *shelf) remove(i int32) {
	s.bits.Clear(int(i))
	hole := s.pos[i]
	for b := int(s.avail[i]); b < len(s.end); b++ {
		s.end[b]--
		if last := s.end[b]; last != hole {
			s.put(s.order[last], hole)
			hole = last
		}
	}
	s.order = s.order[:len(s.order)-1]
	s.pos[i] = none
}

// raise moves piece i of the shelf up by one bucket, in O(1). The caller
// updates avail[i] afterwards.
func (s *shelf) raise(i int32) {
	k := s.avail[i]
	s.grow(k + 1)
	s.end[k]--
	s.swap(s.pos[i], s.end[k])
	s.shuffleIn(s.end[k], k+1)
}

// lower moves piece i of the shelf down by one bucket, in O(1). The caller
// updates avail[i] afterwards.
func (s *shelf) lower(i int32) {
	k := s.avail[i]
	first := s.end[k-1]
	s.end[k-1]++
	s.swap(s.pos[i], first)
	s.shuffleIn(first, k-1)
}

// fill puts all pieces of bits on the empty shelf while no remote is known, in
// O(pieces).
func (s *shelf) fill(bits *Bitfield) {
	s.bits = bits.Clone()
	s.order = make([]int32, 0, bits.Count())
	for i := range bits.Ones() {
		s.order = append(s.order, int32(i))
	}
	s.rng.Shuffle(len(s.order), func(x, y int) {
		s.order[x], s.order[y] = s.order[y], s.order[x]
	})
	for at, i := range s.order {
		s.pos[i] = int32(at)
	}
	s.end[0] = int32(len(s.order))
}

// shuffleIn gives the newcomer of bucket k, now at place at, a random place in
// it. Without it pieces would lie in the order of the HAVEs that moved them,
// which is the same at every peer, and all peers would pick the same piece.
func (s *shelf) shuffleIn(at, k int32) {
	lo, hi := s.start(k), s.end[k]
	s.swap(at, lo+s.rng.Int32N(hi-lo))
}

func (s *shelf) swap(x, y int32) {
	i, j := s.order[x], s.order[y]
	s.put(i, y)
	s.put(j, x)
}

func (s *shelf) put(i, at int32) {
	s.order[at] = i
	s.pos[i] = at
}

// pick chooses a piece of the shelf that the remote has. Nobody has the pieces
// with an avail of at most absent, so no step is spent on them.
func (s *shelf) pick(a *Ask, how Strategy, absent int32) (int, bool) {
	lo := int32(0)
	if absent >= 0 {
		lo = s.end[min(int(absent), len(s.end)-1)]
	}
	switch {
	case int(lo) == len(s.order):
		return 0, false
	case how == Sequential:
		return s.first(a)
	case how == Random:
		return s.random(a, lo)
	}
	return s.rarest(a, lo)
}

// rarest walks up the buckets from place lo, each from a random place in it.
func (s *shelf) rarest(a *Ask, lo int32) (int, bool) {
	steps := int32(walkSteps)
	for n := int32(len(s.order)); lo < n; {
		hi := s.end[s.avail[s.order[lo]]]
		at := lo + s.rng.Int32N(hi-lo)
		for range min(hi-lo, steps) {
			if i := int(s.order[at]); a.has(i) {
				return i, true
			}
			if at++; at == hi {
				at = lo
			}
		}
		if steps < hi-lo {
			return s.scan(a.Have, RarestFirst)
		}
		steps -= hi - lo
		lo = hi
	}
	return 0, false
}

// random tries random places from lo on.
func (s *shelf) random(a *Ask, lo int32) (int, bool) {
	n := int32(len(s.order))
	for range walkSteps {
		if i := int(s.order[lo+s.rng.Int32N(n-lo)]); a.has(i) {
			return i, true
		}
	}
	return s.scan(a.Have, Random)
}

// first is the piece of the lowest index that the remote has.
func (s *shelf) first(a *Ask) (int, bool) {
	for w, word := range s.bits.words {
		if !a.Seed {
			word &= a.Have.words[w]
		}
		if word != 0 {
			return w<<6 + bits.LeadingZeros64(word), true
		}
	}
	return 0, false
}

// scan chooses among the pieces that are on the shelf and in have: by Random
// any of them, else the one of the first place, which is the rarest with ties
// broken at random. Where there are more than scanMatches it chooses among
// about that many neighbours.
func (s *shelf) scan(have *Bitfield, how Strategy) (int, bool) {
	best, first, seen := 0, int32(math.MaxInt32), 0
	words := len(s.bits.words)
	w := s.rng.IntN(words)
	for range words {
		for word := s.bits.words[w] & have.words[w]; word != 0; {
			z := bits.LeadingZeros64(word)
			word &^= bit(z)
			i := w<<6 + z
			seen++
			if how == Random {
				if s.rng.IntN(seen) == 0 { // each of those seen with 1/seen
					best = i
				}
			} else if at := s.pos[i]; at < first {
				best, first = i, at
			}
		}
		if seen >= scanMatches {
			break
		}
		if w++; w == words {
			w = 0
		}
	}
	return best, seen > 0
}
