package monitor

import (
	"slices"
	"strings"

	"starling/p2p"
)

// Filter chooses records. The zero value lets all pass.
type Filter struct {
	// Types, if there are any, are the only ones to pass.
	Types []p2p.Type
	// Peers, if there are any, are parts of names: From or To must contain
	// one of them.
	Peers []string
}

// Match reports whether a record passes.
func (f *Filter) Match(r *p2p.TapRecord) bool {
	if len(f.Types) > 0 && !slices.Contains(f.Types, r.Type) {
		return false
	}
	if len(f.Peers) == 0 {
		return true
	}
	return slices.ContainsFunc(f.Peers, func(part string) bool {
		return strings.Contains(r.From, part) || strings.Contains(r.To, part)
	})
}
