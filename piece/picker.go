package piece

import (
	"fmt"
	"math/rand/v2"
)

// MaxPriority is the highest priority of a piece; DefaultPriority is what
// every piece starts with. Priority 0 means that the piece is not wanted.
const (
	MaxPriority     = 7
	DefaultPriority = 1
)

// Strategy is how a piece to begin is chosen among those of one priority.
type Strategy uint8

const (
	// RarestFirst takes the piece that the fewest remotes have, and random
	// pieces until four are had: a newcomer needs something to trade soon, and
	// rare pieces come slowly (BEP 3; Cohen 2003; Legout et al. 2006 for four).
	RarestFirst Strategy = iota
	// Random takes any piece.
	Random
	// Sequential takes the lowest index. It makes poor swarms, where all peers
	// have the same prefix, and is here to be compared with.
	Sequential
)

// randomFirst is how many pieces are had before rarest first begins.
const randomFirst = 4

// Picker is what one peer knows of the pieces of one torrent. It is not safe
// for concurrent use. Piece indices given to its methods must be in range;
// a Run that Geometry.Contains refuses changes nothing.
type Picker struct {
	geo      Geometry
	rng      *rand.Rand
	strategy Strategy

	have *Bitfield // verified
	lack *Bitfield // wanted (priority > 0) and not verified
	left int64     // bytes of the pieces in lack, without padding
	prio []uint8

	// A piece's availability is avail + seeds. Both only count, so a remote
	// that became full by HAVEs may leave as a seed: then seeds is negative.
	avail []int32
	seeds int32

	// pos says where a piece lies. Invariant: a place in its shelf's order if
	// the piece is in lack and not begun; none-1-index into partials if it is
	// begun; else none.
	pos      []int32
	shelves  [MaxPriority + 1]*shelf // by priority; nil until used
	shelved  int                     // pieces on all shelves
	partials []*partial
	open     []*partial // those with blocks to ask for
	free     []*partial
}

// NewPicker returns a Picker for a torrent of valid geometry g, of which the
// pieces in have are verified; nil means none. It keeps no reference to have.
// rng is the only source of chance. It panics if have is over another number
// of pieces.
func NewPicker(g Geometry, have *Bitfield, rng *rand.Rand) *Picker {
	n := g.NumPieces()
	p := &Picker{
		geo:   g,
		rng:   rng,
		have:  NewBitfield(n),
		lack:  NewBitfield(n),
		prio:  make([]uint8, n),
		avail: make([]int32, n),
		pos:   make([]int32, n),
	}
	if have != nil {
		if have.Len() != n {
			panic(fmt.Sprintf("piece: bitfield of %d pieces for a torrent of %d", have.Len(), n))
		}
		p.have = have.Clone()
	}
	for i := range n {
		p.prio[i] = DefaultPriority
		p.pos[i] = none
		if !p.have.Has(i) {
			p.want(i)
		}
	}
	p.shelf(DefaultPriority).fill(p.lack)
	p.shelved = p.lack.Count()
	return p
}

// SetStrategy changes how pieces to begin are chosen.
func (p *Picker) SetStrategy(s Strategy) { p.strategy = s }

// SetPriority sets the priority of piece i; one above MaxPriority counts as
// MaxPriority. A begun piece that is no longer wanted keeps its blocks and
// its requests; no more are picked.
func (p *Picker) SetPriority(i int, prio uint8) {
	prio = min(prio, MaxPriority)
	if prio == p.prio[i] {
		return
	}
	p.unshelve(i)
	p.prio[i] = prio
	if prio == 0 {
		p.unwant(i)
	} else if !p.have.Has(i) {
		p.want(i)
	}
	if q := p.partial(i); q != nil {
		p.file(q)
	} else {
		p.shelve(i)
	}
}

// Geometry is the torrent's division into pieces.
func (p *Picker) Geometry() Geometry { return p.geo }

// Have is the set of verified pieces. It is the Picker's own: read it, do not
// change it, and Clone it to keep it.
func (p *Picker) Have() *Bitfield { return p.have }

// NumHave is the number of verified pieces.
func (p *Picker) NumHave() int { return p.have.Count() }

// Done says whether all wanted pieces are verified.
func (p *Picker) Done() bool { return p.lack.None() }

// Left is the number of bytes in wanted pieces that are not verified, without the
// padding at their ends.
func (p *Picker) Left() int64 { return p.left }

// InFlightPieces is the number of pieces that are begun and not verified.
func (p *Picker) InFlightPieces() int { return len(p.partials) }

// WantsPiece says whether piece i is wanted and not verified. A remote whose
// HAVE names such a piece is interesting.
func (p *Picker) WantsPiece(i int) bool { return p.lack.Has(i) }

// Open says whether piece i is wanted and has blocks that are neither received
// nor asked for nor reserved.
func (p *Picker) Open(i int) bool {
	q := p.partial(i)
	return p.lack.Has(i) && (q == nil || q.open != none && !q.reserved)
}

// Wanted says whether bf has a piece that is wanted and not verified. It
// costs at most a step for 64 pieces.
func (p *Picker) Wanted(bf *Bitfield) bool { return p.lack.Intersects(bf) }

// CountWanted is the number of pieces in bf that are wanted and not verified.
// An engine that keeps it for each remote knows in O(1), after a HAVE or a
// verified piece, whether the remote is still interesting.
func (p *Picker) CountWanted(bf *Bitfield) int { return p.lack.Common(bf) }

// InEndgame says whether every block of every wanted piece is received or
// requested while some piece is not yet verified. A block that no remote can
// give keeps endgame away: else a peer that is far from the seeds, which
// waits for new pieces most of the time, would ask for each of them twice.
func (p *Picker) InEndgame() bool {
	return p.shelved == 0 && len(p.open) == 0 && !p.lack.None()
}

// Idle is the piece to give up (with Corrupt) when too many are begun: the
// one with the fewest received blocks of those that wait for blocks and have
// none requested. A piece of which the only owner left is such a one.
func (p *Picker) Idle() (i int, ok bool) {
	fewest := 0
	for _, q := range p.partials {
		if !q.idle() {
			continue
		}
		got := len(q.blocks) - q.at[0]
		if !ok || got < fewest || got == fewest && q.piece < i {
			i, fewest, ok = q.piece, got, true
		}
	}
	return i, ok
}

func (p *Picker) want(i int) {
	if p.lack.Set(i) {
		p.left += int64(p.geo.DataSize(i))
	}
}

func (p *Picker) unwant(i int) {
	if p.lack.Clear(i) {
		p.left -= int64(p.geo.DataSize(i))
	}
}

// shelf is the shelf of a priority, made when it is first used.
func (p *Picker) shelf(prio uint8) *shelf {
	if p.shelves[prio] == nil {
		p.shelves[prio] = newShelf(p.avail, p.pos, p.rng)
	}
	return p.shelves[prio]
}

// shelve puts piece i, which is not begun, on its shelf if it is wanted.
func (p *Picker) shelve(i int) {
	if p.lack.Has(i) {
		p.shelf(p.prio[i]).insert(int32(i))
		p.shelved++
	}
}

// unshelve takes piece i off its shelf if it is on one.
func (p *Picker) unshelve(i int) {
	if p.pos[i] > none {
		p.shelves[p.prio[i]].remove(int32(i))
		p.shelved--
	}
}
