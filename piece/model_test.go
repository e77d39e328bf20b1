package piece

import (
	"fmt"
	"math"
	"slices"
)

// model is a picker without any cleverness: it knows every block of every
// piece and looks at all of them each time.
type model struct {
	geo      Geometry
	strategy Strategy
	have     []bool
	prio     []int
	avail    []int
	blocks   [][]int // requesters of each block, or got
	reserved []bool  // of begun pieces
}

const got = -1

func newModel(g Geometry) *model {
	n := g.NumPieces()
	m := &model{geo: g, have: make([]bool, n), prio: make([]int, n), avail: make([]int, n), blocks: make([][]int, n), reserved: make([]bool, n)}
	for i := range n {
		m.prio[i] = DefaultPriority
		m.blocks[i] = make([]int, g.NumBlocks(i))
		m.forget(i)
	}
	return m
}

// forget sets the blocks of a piece back: those that are padding are there always.
func (m *model) forget(i int) {
	for b := range m.blocks[i] {
		m.blocks[i][b] = 0
		if b >= m.geo.AskBlocks(i) {
			m.blocks[i][b] = got
		}
	}
}

func (m *model) wants(i int) bool { return m.prio[i] > 0 && !m.have[i] }

func (m *model) begun(i int) bool {
	return slices.ContainsFunc(m.blocks[i][:m.geo.AskBlocks(i)], func(c int) bool { return c != 0 })
}

func (m *model) numHave() (n int) {
	for _, h := range m.have {
		if h {
			n++
		}
	}
	return n
}

// each applies f to the blocks of r unless the piece is had.
func (m *model) each(r Run, f func(c int) int) {
	if m.have[r.Piece] {
		return
	}
	from, to := r.blocks()
	for b := from; b < to; b++ {
		m.blocks[r.Piece][b] = f(m.blocks[r.Piece][b])
	}
}

// part is the run of a piece that the remote has in part: in the first part that has
// idle blocks, as many as follow each other there.
func (m *model) part(a *Ask) (Run, bool) {
	for _, part := range a.Parts {
		i := part.Piece
		if a.Alone || !m.wants(i) || m.reserved[i] || part.Blocks.Len() != len(m.blocks[i]) {
			continue
		}
		from, to := 0, 0
		for b, c := range m.blocks[i] {
			switch idle := c == 0 && part.Blocks.Has(b); {
			case idle && to == 0:
				from, to = b, b+1
			case idle && to == b && to-from < a.limit():
				to = b + 1
			}
		}
		if to > 0 {
			return m.geo.run(i, from, to), true
		}
	}
	return Run{}, false
}

// picks are the pieces that a Pick may return: those of the best rank.
func (m *model) picks(a *Ask) []int {
	var best []float64
	var all []int
	for i := range m.blocks {
		if !m.wants(i) || !a.has(i) || !slices.Contains(m.blocks[i], 0) || m.begun(i) && !m.may(i, a) {
			continue
		}
		r := m.rank(i, a)
		switch c := slices.Compare(r, best); {
		case best == nil || c < 0:
			best, all = r, []int{i}
		case c == 0:
			all = append(all, i)
		}
	}
	return all
}

// may says whether a begun piece is open to the remote.
func (m *model) may(i int, a *Ask) bool {
	if m.reserved[i] {
		return slices.Contains(a.Own, i)
	}
	return !a.Alone || m.avail[i] == 1
}

// rank says how good it is to pick piece i; the least is the best.
func (m *model) rank(i int, a *Ask) []float64 {
	if at := slices.Index(a.Suggested, i); at >= 0 {
		return []float64{math.Inf(-1), float64(at)}
	}
	prio := -float64(m.prio[i])
	if m.begun(i) {
		missing := 0
		for _, c := range m.blocks[i] {
			if c != got {
				missing++
			}
		}
		return []float64{prio, 0, float64(missing), float64(i)}
	}
	switch {
	case m.strategy == Sequential:
		return []float64{prio, 1, float64(i)}
	case m.strategy == Random, m.numHave() < randomFirst:
		return []float64{prio, 1}
	}
	return []float64{prio, 1, float64(m.avail[i])}
}

// run is the Run that a pick of piece i has to be.
func (m *model) run(i, limit int) Run {
	from := slices.Index(m.blocks[i], 0)
	to := from
	for to < len(m.blocks[i]) && to-from < limit && m.blocks[i][to] == 0 {
		to++
	}
	return m.geo.run(i, from, to)
}

// busy is the least number of requesters of a block that endgame may pick.
func (m *model) busy(a *Ask) int {
	least := MaxRequesters
	for i := range m.blocks {
		if !m.wants(i) || !a.has(i) {
			continue
		}
		for b, c := range m.blocks[i] {
			if c > 0 && c < least && !covers(a.Outstanding, i, b) {
				least = c
			}
		}
	}
	return least
}

func covers(runs []Run, i, b int) bool {
	return slices.ContainsFunc(runs, func(r Run) bool {
		from, to := r.blocks()
		return r.Piece == i && from <= b && b < to
	})
}

func (m *model) endgame() bool {
	wanted := false
	for i := range m.blocks {
		if m.wants(i) {
			wanted = true
			if slices.Contains(m.blocks[i], 0) {
				return false
			}
		}
	}
	return wanted
}

// compare checks what the Picker says of itself.
func (m *model) compare(p *Picker) error {
	var left int64
	rarest, least, inFlight := -1, -1, 0
	var missing []int
	for i := range m.blocks {
		if p.Availability(i) != m.avail[i] {
			return fmt.Errorf("piece %d: availability %d, want %d", i, p.Availability(i), m.avail[i])
		}
		if m.begun(i) {
			inFlight++
		} else {
			m.reserved[i] = false // which ends with what it was for
		}
		if open := m.wants(i) && slices.Contains(m.blocks[i], 0) && !m.reserved[i]; p.Open(i) != open {
			return fmt.Errorf("piece %d: open %v", i, !open)
		}
		if !m.wants(i) {
			continue
		}
		left += int64(m.geo.DataSize(i))
		if least < 0 || m.avail[i] < least {
			least = m.avail[i]
		}
		if slices.Contains(m.blocks[i], 0) && (rarest < 0 || m.avail[i] < rarest) {
			rarest = m.avail[i]
		}
		if m.avail[i] == 0 {
			missing = append(missing, i)
		}
	}
	if p.Left() != left || p.Done() != (left == 0) || p.InFlightPieces() != inFlight {
		return fmt.Errorf("left %d, in flight %d; want %d, %d", p.Left(), p.InFlightPieces(), left, inFlight)
	}
	if p.Rarest() != rarest || p.MinAvailability() != least || !slices.Equal(p.Missing(), missing) {
		return fmt.Errorf("rarest %d, least %d, missing %v; want %d, %d, %v",
			p.Rarest(), p.MinAvailability(), p.Missing(), rarest, least, missing)
	}
	if p.InEndgame() != m.endgame() {
		return fmt.Errorf("endgame %v", p.InEndgame())
	}
	return nil
}
