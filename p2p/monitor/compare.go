package monitor

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"starling/p2p"
)

const (
	// maxHeld bounds the messages of one log that wait for the other's. Where
	// more do, the longest sequence is given up.
	maxHeld = 1 << 20
	// maxPairs bounds the sequences; more are an error.
	maxPairs = 1 << 18
	// maxDifferences bounds what a Diff tells in detail.
	maxDifferences = 1000
	// maxTypesCompared bounds the types that are counted; more are an error.
	maxTypesCompared = 4096
)

// nobody is how a Diff calls those that Options.Name gives no name.
const nobody = "(anybody)"

// Options say what counts in a comparison.
type Options struct {
	// Filter says which records count at all, by their names in the log.
	Filter Filter
	// Name, if set, is what a name in either log stands for; "" is nobody in
	// particular, as the port from which somebody dialed. Of the messages
	// from nobody, or to nobody, only the number of each kind counts: their
	// order is that of several connections.
	Name func(name string) string
	// AnyDigest has messages of one type and length count as the same.
	AnyDigest bool

	held int // maxHeld in tests, if not 0
}

// Compare reads two message logs to their ends and says where they differ. Each
// sequence of messages, those of one direction between two names as one end
// logged them, must be the same in both; times, and how sequences mix, do not
// count. The error is a reader's, or says which line of which log is none.
func Compare(a, b io.Reader, opt Options) (Diff, error) {
	c := comparison{opt: opt, pairs: make(map[pairKey]*pair), types: make(map[p2p.Type]*TypeCount)}
	if c.opt.held <= 0 {
		c.opt.held = maxHeld
	}
	c.logs[0] = logReader{name: "A", in: bufio.NewReaderSize(a, 64<<10)}
	c.logs[1] = logReader{name: "B", in: bufio.NewReaderSize(b, 64<<10)}
	for !c.logs[0].ended || !c.logs[1].ended {
		// The log that holds less is behind.
		side := 0
		if c.logs[0].ended || !c.logs[1].ended && c.held[1] < c.held[0] {
			side = 1
		}
		if err := c.step(side); err != nil {
			return Diff{}, err
		}
	}
	return c.diff(), nil
}

// comparison is a Compare under way.
type comparison struct {
	opt   Options
	logs  [2]logReader
	pairs map[pairKey]*pair
	order []*pair // in order of their first message
	types map[p2p.Type]*TypeCount
	held  [2]int // messages that wait, by their log
}

// step reads a line of one log.
func (c *comparison) step(side int) error {
	r, line, ok, err := c.logs[side].next()
	if err != nil || !ok {
		return err
	}
	if !c.opt.Filter.Match(&r) {
		return nil
	}
	c.logs[side].sum.Records++
	if err := c.count(side, r.Type); err != nil {
		return err
	}
	key := pairKey{from: c.nameOf(r.From), to: c.nameOf(r.To), dir: r.Dir}
	p := c.pairs[key]
	if p == nil {
		if len(c.pairs) == maxPairs {
			return fmt.Errorf("the logs have more than %d pairs of peers: compare some of them", maxPairs)
		}
		p = &pair{key: key}
		if key.from == nobody || key.to == nobody {
			p.loose = make(map[mark]*surplus)
		}
		c.pairs[key] = p
		c.order = append(c.order, p)
	}
	m := mark{typ: r.Type, length: r.Length, digest: r.Digest}
	if c.opt.AnyDigest {
		m.digest = 0
	}
	switch {
	case p.diff != nil:
	case p.loose != nil:
		c.meetLoose(p, side, m, line)
	default:
		c.meet(p, side, m, line)
	}
	if c.held[0]+c.held[1] > c.opt.held {
		c.giveUpLongest()
	}
	return nil
}

func (c *comparison) nameOf(name string) string {
	if c.opt.Name == nil {
		return name
	}
	return cmp.Or(c.opt.Name(name), nobody)
}

func (c *comparison) count(side int, t p2p.Type) error {
	n := c.types[t]
	if n == nil {
		if len(c.types) == maxTypesCompared {
			return fmt.Errorf("the logs have more than %d types of messages", maxTypesCompared)
		}
		n = &TypeCount{Type: t}
		c.types[t] = n
	}
	if side == 0 {
		n.A++
	} else {
		n.B++
	}
	return nil
}

// diff is the outcome, at the end of both logs.
func (c *comparison) diff() Diff {
	d := Diff{A: c.logs[0].sum, B: c.logs[1].sum, Pairs: len(c.pairs)}
	slices.SortFunc(c.order, func(a, b *pair) int {
		return cmp.Or(strings.Compare(a.key.from, b.key.from), strings.Compare(a.key.to, b.key.to), cmp.Compare(a.key.dir, b.key.dir))
	})
	for _, p := range c.order {
		c.unmet(p, false)
		if p.diff == nil {
			continue
		}
		d.Different++
		if len(d.Differences) < maxDifferences {
			d.Differences = append(d.Differences, *p.diff)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(c.types)) {
		d.ByType = append(d.ByType, *c.types[t])
	}
	return d
}
