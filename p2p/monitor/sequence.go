package monitor

import (
	"cmp"
	"slices"

	"starling/p2p"
)

// The sequences of a comparison: what waits, what meets, what differs.

type pairKey struct {
	from, to string
	dir      p2p.Dir
}

// mark is what must be the same in both logs.
type mark struct {
	typ    p2p.Type
	length int
	digest uint32
}

// waiting is a message that the other log has yet to show.
type waiting struct {
	mark mark
	line uint64
}

// pair is one sequence. Only one of the logs is ahead.
type pair struct {
	key   pairKey
	ahead int // which log queue is of
	queue []waiting
	first int    // in queue; those before it have met theirs
	same  uint64 // messages that were the same
	// loose, for a sequence without order, is what one log has and the other
	// has not shown.
	loose map[mark]*surplus
	diff  *Difference // once there is one, the rest does not matter
}

// surplus is how many more of one kind one log has, and since which line.
type surplus struct {
	side  int
	count int
	line  uint64
}

// meet holds a message against the one at its place in the other log, or has it
// wait for that.
func (c *comparison) meet(p *pair, side int, m mark, line uint64) {
	if len(p.queue) == p.first || p.ahead == side {
		if p.first == len(p.queue) {
			p.queue, p.first = p.queue[:0], 0
		}
		p.ahead = side
		p.queue = append(p.queue, waiting{mark: m, line: line})
		c.held[side]++
		return
	}
	other := p.queue[p.first]
	if other.mark == m {
		p.same++
		p.first++
		c.held[p.ahead]--
		if p.first > 64 && p.first > len(p.queue)/2 {
			p.queue, p.first = p.queue[:copy(p.queue, p.queue[p.first:])], 0
		}
		return
	}
	c.differ(p, side, &waiting{mark: m, line: line}, &other, false)
}

// meetLoose is meet where only numbers count.
func (c *comparison) meetLoose(p *pair, side int, m mark, line uint64) {
	s := p.loose[m]
	switch {
	case s == nil:
		p.loose[m] = &surplus{side: side, count: 1, line: line}
		c.held[side]++
	case s.side == side:
		s.count++
	default:
		if s.count--; s.count == 0 {
			delete(p.loose, m)
			c.held[s.side]--
		}
	}
}

// differ notes the first difference of a pair: what one log has and what the
// other has, which may be nil.
func (c *comparison) differ(p *pair, side int, have, other *waiting, behind bool) {
	d := &Difference{Dir: p.key.dir, From: p.key.from, To: p.key.to, Behind: behind}
	if p.loose == nil {
		d.Number = p.same + 1
	}
	entries := [2]*Entry{}
	entries[side] = have.entry()
	if other != nil {
		entries[1-side] = other.entry()
	}
	d.A, d.B = entries[0], entries[1]
	c.held[p.ahead] -= len(p.queue) - p.first
	for _, s := range p.loose {
		c.held[s.side]--
	}
	p.diff, p.queue, p.first, p.loose = d, nil, 0, nil
}

func (w *waiting) entry() *Entry {
	return &Entry{Line: w.line, Type: w.mark.typ, Length: w.mark.length, Digest: w.mark.digest}
}

// unmet notes a difference where something still waits.
func (c *comparison) unmet(p *pair, behind bool) {
	switch {
	case p.diff != nil:
	case len(p.queue) > p.first:
		c.differ(p, p.ahead, &p.queue[p.first], nil, behind)
	case len(p.loose) > 0:
		// The earliest line, of A's before B's, which no two have in common.
		var first waiting
		side := 2
		for m, s := range p.loose {
			if s.side < side || s.side == side && s.line < first.line {
				first, side = waiting{mark: m, line: s.line}, s.side
			}
		}
		c.differ(p, side, &first, nil, behind)
	}
}

// giveUpLongest makes room.
func (c *comparison) giveUpLongest() {
	longest := slices.MaxFunc(c.order, func(a, b *pair) int { return cmp.Compare(a.waits(), b.waits()) })
	c.unmet(longest, true)
}

func (p *pair) waits() int { return len(p.queue) - p.first + len(p.loose) }
