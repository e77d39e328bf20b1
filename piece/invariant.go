package piece

import "fmt"

// Invariant checks everything that the Picker keeps incrementally against
// what it is derived from. It costs O(pieces) and is meant for tests, here and
// in the packages that drive a Picker.
func (p *Picker) Invariant() error {
	if err := p.checkPieces(); err != nil {
		return err
	}
	shelved := 0
	for prio, s := range p.shelves {
		if s == nil {
			continue
		}
		shelved += len(s.order)
		if err := s.check(); err != nil {
			return fmt.Errorf("shelf of priority %d: %w", prio, err)
		}
		for _, i := range s.order {
			if int(p.prio[i]) != prio {
				return fmt.Errorf("piece %d of priority %d is on shelf %d", i, p.prio[i], prio)
			}
		}
	}
	if shelved != p.shelved {
		return fmt.Errorf("%d pieces on the shelves, counted %d", shelved, p.shelved)
	}
	return p.checkPartials()
}

// EachRequested calls fn for each block that remotes are asked for and that is
// not received, with their number: what whoever drives a Picker can hold against
// the requests it knows of. It costs a step for each block of a begun piece.
func (p *Picker) EachRequested(fn func(piece, block, requesters int)) {
	for _, q := range p.partials {
		for b, c := range q.blocks {
			if c != received && c > 0 {
				fn(q.piece, b, int(c))
			}
		}
	}
}

// checkPieces checks that each piece is in exactly the place it belongs.
func (p *Picker) checkPieces() error {
	left, shelved, begun := int64(0), 0, 0
	for i, at := range p.pos {
		wanted := p.prio[i] > 0 && !p.have.Has(i)
		if wanted != p.lack.Has(i) {
			return fmt.Errorf("piece %d: lack is %v", i, !wanted)
		}
		if wanted {
			left += int64(p.geo.DataSize(i))
		}
		switch {
		case at < none:
			begun++
			if p.have.Has(i) {
				return fmt.Errorf("piece %d is begun and had", i)
			}
		case at > none:
			shelved++
		}
		if wanted != (at > none) && at >= none {
			return fmt.Errorf("piece %d: wanted %v, place %d", i, wanted, at)
		}
	}
	if left != p.left || shelved != p.shelved || begun != len(p.partials) {
		return fmt.Errorf("left %d, shelved %d, begun %d; counted %d, %d, %d",
			left, shelved, begun, p.left, p.shelved, len(p.partials))
	}
	return nil
}

func (p *Picker) checkPartials() error {
	open := 0
	for at, q := range p.partials {
		if q.index != at || p.partial(q.piece) != q {
			return fmt.Errorf("partial of piece %d is not at its index %d", q.piece, at)
		}
		var levels [MaxRequesters + 1]int
		for _, c := range q.blocks {
			if c != received {
				levels[min(c, MaxRequesters)]++
			}
		}
		if levels != q.at || q.untouched() || len(q.blocks) != p.geo.NumBlocks(q.piece) {
			return fmt.Errorf("partial of piece %d: %d blocks, levels %v, counted %v", q.piece, len(q.blocks), levels, q.at)
		}
		isOpen := q.at[0] > 0 && p.prio[q.piece] > 0
		if isOpen {
			open++
		}
		if isOpen != (q.open != none) || isOpen && p.open[q.open] != q {
			return fmt.Errorf("partial of piece %d: open is %v", q.piece, isOpen)
		}
	}
	if open != len(p.open) {
		return fmt.Errorf("%d partials are open, counted %d", open, len(p.open))
	}
	return nil
}

// check checks a shelf by itself.
func (s *shelf) check() error {
	if s.bits.Count() != len(s.order) || int(s.end[len(s.end)-1]) != len(s.order) {
		return fmt.Errorf("%d pieces, %d bits, end %v", len(s.order), s.bits.Count(), s.end)
	}
	for at, i := range s.order {
		if int(s.pos[i]) != at || !s.bits.Has(int(i)) {
			return fmt.Errorf("piece %d at %d has place %d", i, at, s.pos[i])
		}
		if k := s.avail[i]; int32(at) < s.start(k) || int32(at) >= s.end[k] {
			return fmt.Errorf("piece %d of avail %d at %d is outside its bucket", i, k, at)
		}
	}
	return nil
}
