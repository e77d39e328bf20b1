package peer

import (
	"fmt"

	"starling/choke"
)

// invariant recomputes what the engine keeps incrementally.
func (e *Engine) invariant() error {
	asked := 0
	for _, r := range e.order {
		out := 0
		for _, q := range r.requests {
			if !q.released {
				out += q.run.Length
			}
		}
		asked += out
		if out != r.outstanding {
			return fmt.Errorf("%s: outstanding %d, really %d", r.addr, r.outstanding, out)
		}
		if r.phase != ready {
			continue
		}
		useful, needs := 0, 0
		for i := range e.geo.NumPieces() {
			if r.have.Has(i) && e.pick.WantsPiece(i) {
				useful++
			}
			if !r.have.Has(i) && e.pick.Have().Has(i) {
				needs++
			}
		}
		if useful != r.useful || needs != r.needs {
			return fmt.Errorf("%s: useful %d and needs %d, really %d and %d", r.addr, r.useful, r.needs, useful, needs)
		}
		if (r.useful > 0) != r.amInterested {
			return fmt.Errorf("%s: useful %d, interested %v", r.addr, r.useful, r.amInterested)
		}
		if r.amChoking && len(r.queue) > 0 {
			return fmt.Errorf("%s: choked with %d requests queued", r.addr, len(r.queue))
		}
	}
	if asked != e.asked {
		return fmt.Errorf("asked %d, really %d", e.asked, asked)
	}
	if n := e.slots(); n > choke.Default().Slots+choke.Default().Optimistic {
		return fmt.Errorf("%d slots in use", n)
	}
	return e.pick.Invariant()
}

// slots counts the remotes that are unchoked.
func (e *Engine) slots() int {
	n := 0
	for _, r := range e.order {
		count(&n, r.phase == ready && !r.amChoking)
	}
	return n
}
