package piece

import "bytes"

const (
	// MaxRequesters is how many remotes may be asked for the same block, which
	// happens only in endgame.
	MaxRequesters = 3
	// MaxPartials bounds the pieces that are begun and not yet verified: 64 MiB
	// of unverified data in pieces of the smallest size.
	MaxPartials = 4096
	// maxFree bounds the partials kept for reuse, so that a steady download
	// allocates nothing.
	maxFree = 256
)

// received is the mark of a block that has arrived. Any other mark is the
// number of remotes that are asked for it.
const received = 0xFF

// partial is a piece that has been begun (a block of it is requested or
// received) and is not yet verified.
type partial struct {
	piece  int
	index  int // in Picker.partials
	open   int // in Picker.open, or none
	blocks []uint8
	asked  int // how many blocks, the first ones, are not padding
	// reserved means that only an Ask that Owns the piece may have more of it.
	reserved bool
	// at counts the blocks that have not been received by their number of
	// requesters; the last entry is for MaxRequesters and above.
	at [MaxRequesters + 1]int
}

// missing is the number of blocks not yet received.
func (q *partial) missing() int {
	n := 0
	for _, c := range q.at {
		n += c
	}
	return n
}

// idle says whether blocks are missing and none of them is requested.
func (q *partial) idle() bool { return q.at[0] > 0 && q.at[0] == q.missing() }

// untouched says whether no block is requested or received.
func (q *partial) untouched() bool { return q.at[0] == q.asked }

// mark changes the mark of block b.
func (q *partial) mark(b int, to uint8) {
	if from := q.blocks[b]; from != received {
		q.at[min(from, MaxRequesters)]--
	}
	if to != received {
		q.at[min(to, MaxRequesters)]++
	}
	q.blocks[b] = to
}

// gap is the first row of at most limit blocks that nobody is asked for. There
// is one, for the partial is open.
func (q *partial) gap(limit int) (from, to int) {
	from = bytes.IndexByte(q.blocks, 0)
	to = from + 1
	for to < len(q.blocks) && to-from < limit && q.blocks[to] == 0 {
		to++
	}
	return from, to
}

// busy is the first row of at most limit blocks that have exactly the given
// number of requesters and are in none of the runs in own.
func (q *partial) busy(requesters uint8, limit int, own []Run) (from, to int, ok bool) {
	for from < len(q.blocks) {
		d := bytes.IndexByte(q.blocks[from:], requesters)
		if d < 0 {
			break
		}
		from += d
		if end := q.covered(from, own); end > from {
			from = end
			continue
		}
		to = from + 1
		for to < len(q.blocks) && to-from < limit && q.blocks[to] == requesters && q.covered(to, own) == to {
			to++
		}
		return from, to, true
	}
	return 0, 0, false
}

// covered is the end of a run in own that covers block b, or b.
func (q *partial) covered(b int, own []Run) int {
	for _, r := range own {
		if r.Piece != q.piece {
			continue
		}
		if from, to := r.blocks(); from <= b && b < to {
			return to
		}
	}
	return b
}

// partial is the begun piece i, or nil.
func (p *Picker) partial(i int) *partial {
	if at := p.pos[i]; at < none {
		return p.partials[none-1-at]
	}
	return nil
}

// begin makes piece i a partial if it is not one yet.
func (p *Picker) begin(i int) *partial {
	if q := p.partial(i); q != nil {
		return q
	}
	p.unshelve(i)
	var q *partial
	if n := len(p.free); n > 0 {
		q, p.free = p.free[n-1], p.free[:n-1]
	} else {
		q = new(partial)
	}
	n := p.geo.NumBlocks(i)
	if cap(q.blocks) < n {
		q.blocks = make([]uint8, n)
	}
	*q = partial{piece: i, open: none, blocks: q.blocks[:n], asked: p.geo.AskBlocks(i)}
	clear(q.blocks[:q.asked])
	for b := q.asked; b < n; b++ {
		q.blocks[b] = received
	}
	q.at[0] = q.asked
	p.partials = append(p.partials, q)
	p.index(q, len(p.partials)-1)
	return q
}

// index notes where in p.partials q lies, in q and in p.pos.
func (p *Picker) index(q *partial, at int) {
	q.index = at
	p.pos[q.piece] = int32(none - 1 - at)
}

// settle brings the lists up to date after marks in q have changed: a piece
// of which nothing is requested or received goes back to its shelf.
func (p *Picker) settle(q *partial) {
	if q.untouched() {
		p.drop(q)
		p.shelve(q.piece)
		return
	}
	p.file(q)
}

// file puts q on the list of open partials or takes it off: open means that it
// is wanted and has blocks that nobody is asked for.
func (p *Picker) file(q *partial) {
	open := q.at[0] > 0 && p.prio[q.piece] > 0
	switch {
	case open && q.open == none:
		q.open = len(p.open)
		p.open = append(p.open, q)
	case !open && q.open != none:
		last := p.open[len(p.open)-1]
		p.open[q.open] = last
		last.open = q.open
		p.open = p.open[:len(p.open)-1]
		q.open = none
	}
}

// drop forgets q. The piece is left neither begun nor shelved.
func (p *Picker) drop(q *partial) {
	q.at[0] = 0
	p.file(q)
	last := p.partials[len(p.partials)-1]
	p.partials[q.index] = last
	p.index(last, q.index)
	p.partials = p.partials[:len(p.partials)-1]
	p.pos[q.piece] = none
	if len(p.free) < maxFree {
		p.free = append(p.free, q)
	}
}
