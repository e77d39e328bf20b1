package monitor

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"starling/p2p"
)

const (
	// maxTypes and maxSenders bound what is counted apart; what comes beyond
	// them is counted as one, under other.
	maxTypes   = 64
	maxSenders = 16384
	// maxTold bounds the senders that the answer to a STAT names: it must fit
	// an envelope even if each byte of each name is escaped.
	maxTold = 24
)

// other is the name of what is not counted apart.
const other = "(other)"

// Tally counts messages, and the bytes of their data, as both ends saw them.
type Tally struct {
	Sent          uint64 `json:"sent"`
	Received      uint64 `json:"received"`
	BytesSent     uint64 `json:"bytes_sent"`
	BytesReceived uint64 `json:"bytes_received"`
}

func (t *Tally) add(r *p2p.TapRecord) {
	if r.Dir == p2p.Sent {
		t.Sent++
		t.BytesSent += uint64(r.Length)
	} else {
		t.Received++
		t.BytesReceived += uint64(r.Length)
	}
}

// Named is a Tally of something: of a type, or of those whose From is a peer.
type Named struct {
	Name string `json:"name"`
	Tally
}

// Stats is what a Monitor has counted.
type Stats struct {
	// Records passed the filter; Filtered did not.
	Records  uint64 `json:"records"`
	Filtered uint64 `json:"filtered"`
	// Lost is how many records the sources dropped. Nobody knows whether the
	// filter would have let them pass.
	Lost uint64 `json:"lost"`
	// Sources is how many have sent batches, as far as they are remembered.
	Sources int `json:"sources"`
	// ByType is in order of the name, BySender with the most messages first.
	ByType   []Named `json:"by_type"`
	BySender []Named `json:"by_sender"`
}

type counts struct {
	records, filtered, lost uint64
	types, senders          map[string]*Tally
}

func newCounts() counts {
	return counts{types: make(map[string]*Tally), senders: make(map[string]*Tally)}
}

func (c *counts) add(r *p2p.TapRecord) {
	c.records++
	tally(c.types, r.Type.String(), maxTypes).add(r)
	tally(c.senders, r.From, maxSenders).add(r)
}

// tally is the Tally of a name in a table of at most limit names and one of the
// rest.
func tally(table map[string]*Tally, name string, limit int) *Tally {
	t := table[name]
	if t == nil && len(table) >= limit {
		name = other
		t = table[name]
	}
	if t == nil {
		t = new(Tally)
		table[name] = t
	}
	return t
}

func (c *counts) stats() Stats {
	s := Stats{Records: c.records, Filtered: c.filtered, Lost: c.lost, ByType: list(c.types), BySender: list(c.senders)}
	slices.SortFunc(s.BySender, func(a, b Named) int {
		return cmp.Or(cmp.Compare(b.Sent+b.Received, a.Sent+a.Received), strings.Compare(a.Name, b.Name))
	})
	return s
}

// list is a table in order of the names.
func list(table map[string]*Tally) []Named {
	out := make([]Named, 0, len(table))
	for _, name := range slices.Sorted(maps.Keys(table)) {
		out = append(out, Named{Name: name, Tally: *table[name]})
	}
	return out
}
