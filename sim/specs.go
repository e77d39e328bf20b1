package sim

import (
	"slices"

	"starling/p2p"
)

// specTable is a protocol's Limits in a form that is quick to look into: it is
// asked of every message.
type specTable struct {
	slots   []specSlot // a power of two of them, half empty at least
	unknown p2p.Spec
}

type specSlot struct {
	t    p2p.Type
	used bool
	spec p2p.Spec
}

func (s *specTable) fill(l *p2p.Limits) {
	size := 16
	for size < 2*len(l.Specs) {
		size *= 2
	}
	s.slots = make([]specSlot, size)
	s.unknown = p2p.Spec{Max: l.Unknown}
	types := make([]p2p.Type, 0, len(l.Specs))
	for t := range l.Specs {
		types = append(types, t)
	}
	slices.Sort(types)
	for _, t := range types {
		i := s.at(t)
		for s.slots[i].used {
			i = (i + 1) & (size - 1)
		}
		s.slots[i] = specSlot{t, true, l.Specs[t]}
	}
}

func (s *specTable) at(t p2p.Type) int {
	return int(uint32(t)*0x9e3779b1>>16) & (len(s.slots) - 1)
}

func (s *specTable) find(t p2p.Type) p2p.Spec {
	for i := s.at(t); s.slots[i].used; i = (i + 1) & (len(s.slots) - 1) {
		if s.slots[i].t == t {
			return s.slots[i].spec
		}
	}
	return s.unknown
}
