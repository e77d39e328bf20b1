package view

import (
	"cmp"
	"slices"

	"starling/tracker/fleet"
)

// setStatus takes the groups by a label: the one asked for, else the first there
// is, else each host alone.
func (p *rolloutPage) setStatus(src Source, hash [20]byte, by string) {
	whole, _ := src.Status(hash, "", nil)
	labels := whole.Labels
	if by == "" && len(labels) > 0 {
		by = labels[0]
	}
	p.By = fleet.ByHost
	if slices.Contains(labels, by) {
		p.By = by
	}
	p.Status, _ = src.Status(hash, p.By, nil)
	groups := p.Status.Groups
	if len(groups) <= groupsByName {
		slices.SortFunc(groups, func(a, b fleet.Group) int {
			return cmp.Or(cmp.Compare(nameless(a), nameless(b)), fleet.CompareNames(a.Name, b.Name))
		})
	}
	p.Groups = groups[:min(len(groups), groupsShown)]
	p.More = p.Status.GroupsTotal - len(p.Groups)
	p.Late = p.Status.Stragglers[:min(len(p.Status.Stragglers), stragglersShown)]
	for _, l := range append(slices.Clone(labels), fleet.ByHost) {
		p.Bys = append(p.Bys, choice{l, l, l == p.By})
	}
}

// nameless is 1 for the hosts without the label, which come last.
func nameless(g fleet.Group) int {
	if g.Name == "" {
		return 1
	}
	return 0
}
