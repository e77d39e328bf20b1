package piece

import "slices"

// maxOpenScan bounds how many open partials one pick looks at.
const maxOpenScan = 256

// Ask is what a Pick needs to know about the remote that would be asked.
type Ask struct {
	// Have are the pieces of the remote, which AddRemote has counted. It may be
	// nil if Seed.
	Have      *Bitfield
	Seed      bool // the remote has every piece, and is counted
	MaxLength int  // bytes of one Run at most; less than BlockSize counts as BlockSize
	// Suggested are pieces that the remote would rather send (BEP 6). They are
	// tried first, in this order; those we do not want are passed over.
	Suggested []int
	// Endgame allows a Run that other remotes are already asked for, once
	// nothing else is left.
	Endgame bool
	// Outstanding are the Runs this remote is already asked for: endgame never
	// asks it for a block of those again. It may be nil if Endgame is false.
	Outstanding []Run
	// Alone allows only pieces that nobody else gives a part of: those in Own,
	// those not begun, and those that nobody else has. What is begun so is to be
	// Reserved. It rules out Endgame.
	Alone bool
	// Own are the reserved pieces that this remote may be asked for.
	Own []int
	// Parts are blocks that the remote has of pieces that it has not whole, of
	// which AddRemote knows nothing.
	Parts []Part
}

// Part is some blocks of a piece.
type Part struct {
	Piece  int
	Blocks *Bitfield // by block
}

// may says whether the remote may be asked for blocks of q.
func (p *Picker) may(a *Ask, q *partial) bool {
	switch {
	case !a.has(q.piece):
		return false
	case q.reserved:
		return slices.Contains(a.Own, q.piece)
	default:
		return !a.Alone || p.Availability(q.piece) == 1
	}
}

func (a *Ask) has(i int) bool { return a.Seed || a.Have.Has(i) }

// limit is MaxLength in blocks.
func (a *Ask) limit() int { return max(1, a.MaxLength/BlockSize) }

// Pick chooses the next Run to ask a remote for, and says false if there is
// none. It prefers, in this order: a suggested piece; a higher priority; a
// piece already begun, the one with the fewest blocks missing; a new piece by
// the Strategy; a piece that the remote has in part; in endgame a Run with the fewest requesters, never more than
// MaxRequesters. The Run has no block that is received and, but in endgame,
// none that is requested. Pick marks nothing and allocates nothing.
//
// With MaxPartials pieces begun it begins no other: see Idle.
func (p *Picker) Pick(a *Ask) (Run, bool) {
	if !a.Seed && (a.Have == nil || a.Have.None()) {
		return p.pickPart(a)
	}
	if r, ok := p.pickSuggested(a); ok {
		return r, true
	}
	q := p.nearest(a)
	for prio := MaxPriority; prio > 0; prio-- {
		if q != nil && int(p.prio[q.piece]) == prio {
			return p.gap(q, a), true
		}
		if r, ok := p.pickNew(a, p.shelves[prio]); ok {
			return r, true
		}
	}
	if r, ok := p.pickPart(a); ok {
		return r, true
	}
	if a.Endgame && !a.Alone && p.InEndgame() {
		return p.pickBusy(a)
	}
	return Run{}, false
}

func (p *Picker) pickSuggested(a *Ask) (Run, bool) {
	for _, i := range a.Suggested {
		if !p.lack.Has(i) || !a.has(i) {
			continue
		}
		if q := p.partial(i); q == nil {
			if len(p.partials) < MaxPartials {
				return p.head(i, a), true
			}
		} else if q.open != none && p.may(a, q) {
			return p.gap(q, a), true
		}
	}
	return Run{}, false
}

// nearest is the open partial that the remote can help with: the highest
// priority, then the fewest blocks missing, then the lowest index. To finish
// what is begun makes a piece that we can trade, and frees its buffer.
func (p *Picker) nearest(a *Ask) *partial {
	var best *partial
	var bestPrio uint8
	missing := 0
	for _, q := range p.open[:min(len(p.open), maxOpenScan)] {
		if !p.may(a, q) {
			continue
		}
		prio, m := p.prio[q.piece], q.missing()
		switch {
		case best == nil, prio > bestPrio:
		case prio < bestPrio, m > missing, m == missing && q.piece > best.piece:
			continue
		}
		best, bestPrio, missing = q, prio, m
	}
	return best
}

func (p *Picker) pickNew(a *Ask, s *shelf) (Run, bool) {
	if s == nil || len(s.order) == 0 || len(p.partials) >= MaxPartials {
		return Run{}, false
	}
	how := p.strategy
	if how == RarestFirst && p.have.Count() < randomFirst {
		how = Random
	}
	i, ok := s.pick(a, how, -p.seeds)
	if !ok {
		return Run{}, false
	}
	return p.head(i, a), true
}

// pickPart is the first Run of a Part that nobody is asked for. The order is that
// of Parts.
func (p *Picker) pickPart(a *Ask) (Run, bool) {
	if a.Alone {
		return Run{}, false
	}
	for _, part := range a.Parts {
		q := p.partial(part.Piece)
		switch {
		case !p.lack.Has(part.Piece), part.Blocks.Len() != p.geo.NumBlocks(part.Piece):
			continue
		case q == nil && len(p.partials) >= MaxPartials, q != nil && (q.open == none || q.reserved):
			continue
		}
		idle := func(b int) bool { return part.Blocks.Has(b) && (q == nil || q.blocks[b] == 0) }
		for b, n := 0, p.geo.AskBlocks(part.Piece); b < n; b++ {
			if !idle(b) {
				continue
			}
			to := b + 1
			for to < n && to-b < a.limit() && idle(to) {
				to++
			}
			return p.geo.run(part.Piece, b, to), true
		}
	}
	return Run{}, false
}

// pickBusy is a Run that is requested and not received. It starts at a random
// partial, so that remotes which ask at the same time spread over the blocks.
func (p *Picker) pickBusy(a *Ask) (Run, bool) {
	var best Run
	level := MaxRequesters // of best; at the bound there is none
	n := len(p.partials)
	start := p.rng.IntN(n)
	for k := range n {
		q := p.partials[(start+k)%n]
		if p.prio[q.piece] == 0 || !a.has(q.piece) {
			continue
		}
		for c := 1; c < level; c++ {
			if q.at[c] == 0 {
				continue
			}
			if from, to, ok := q.busy(uint8(c), a.limit(), a.Outstanding); ok {
				best, level = p.geo.run(q.piece, from, to), c
			}
		}
		if level == 1 {
			break
		}
	}
	return best, level < MaxRequesters
}

// head is the first Run of piece i, which is not begun.
func (p *Picker) head(i int, a *Ask) Run {
	return Run{Piece: i, Length: min(a.limit()*BlockSize, p.geo.AskSize(i))}
}

// gap is the first Run of the open partial q.
func (p *Picker) gap(q *partial, a *Ask) Run {
	from, to := q.gap(a.limit())
	return p.geo.run(q.piece, from, to)
}
