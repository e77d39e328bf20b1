package choke

import (
	"cmp"
	"slices"
)

// role is what a decision makes of a remote.
type role uint8

const (
	idle       role = iota // wants nothing
	waiting                // wants a slot and has none yet
	lagging                // as waiting, but after all who wait
	regular                // gets a slot by merit
	optimistic             // gets a slot to be tried
	parked                 // wants nothing and keeps a slot that nobody needs
)

// table is one decision in the making. Its memory is reused, so that a policy
// allocates only when the number of remotes grows.
type table struct {
	rs    []Remote
	order []int  // indexes into rs, by ascending ID
	role  []role // by index into rs
	free  int    // slots not given yet; never negative
	top   []int  // scratch of give

	unchoked, optimistic []ID
}

// load begins a decision over rs with so many slots. Those that ok accepts
// are waiting.
func (t *table) load(rs []Remote, slots int, ok func(*Remote) bool) {
	t.rs, t.free = rs, slots
	t.order, t.role = t.order[:0], t.role[:0]
	sorted := true
	for i := range rs {
		t.order = append(t.order, i)
		sorted = sorted && (i == 0 || rs[i-1].ID < rs[i].ID)
		r := idle
		if ok(&rs[i]) {
			r = waiting
		}
		t.role = append(t.role, r)
	}
	if !sorted {
		slices.SortFunc(t.order, func(a, b int) int { return cmp.Compare(rs[a].ID, rs[b].ID) })
	}
}

// assign gives a free slot to the remote at index i.
func (t *table) assign(i int, r role) {
	t.role[i] = r
	t.free--
}

// find returns the index of the remote id.
func (t *table) find(id ID) (int, bool) {
	k, ok := slices.BinarySearchFunc(t.order, id, func(i int, id ID) int {
		return cmp.Compare(t.rs[i].ID, id)
	})
	if !ok {
		return 0, false
	}
	return t.order[k], true
}

// give gives at most n of the free slots to waiting remotes that ok accepts,
// the best first. Equals go by ID, for before is a strict order and the walk
// is ascending. The cost is one comparison a remote once the n best so far
// are good.
func (t *table) give(n int, to role, ok func(*Remote) bool, before func(a, b *Remote) bool) {
	t.best(min(n, t.free), waiting, ok, before)
	for _, i := range t.top {
		t.assign(i, to)
	}
}

// best leaves in t.top the n best remotes of a role, best first.
func (t *table) best(n int, of role, ok func(*Remote) bool, before func(a, b *Remote) bool) {
	t.top = t.top[:0]
	if n <= 0 {
		return
	}
	for _, i := range t.order {
		r := &t.rs[i]
		if t.role[i] != of || !ok(r) {
			continue
		}
		if len(t.top) == n {
			if !before(r, &t.rs[t.top[n-1]]) {
				continue
			}
			t.top = t.top[:n-1]
		}
		k := len(t.top)
		t.top = append(t.top, i)
		for ; k > 0 && before(r, &t.rs[t.top[k-1]]); k-- {
			t.top[k] = t.top[k-1]
		}
		t.top[k] = i
	}
}

// decide parks, in the slots that are still free, remotes that had one and
// lost interest, the fastest first, and returns the decision.
func (t *table) decide() Decision {
	t.best(t.free, idle, func(r *Remote) bool { return r.Unchoked && !r.Seed },
		func(a, b *Remote) bool { return a.DownRate > b.DownRate })
	for _, i := range t.top {
		t.assign(i, parked)
	}
	t.unchoked, t.optimistic = t.unchoked[:0], t.optimistic[:0]
	for _, i := range t.order {
		switch t.role[i] {
		case optimistic:
			t.optimistic = append(t.optimistic, t.rs[i].ID)
			t.unchoked = append(t.unchoked, t.rs[i].ID)
		case regular, parked:
			t.unchoked = append(t.unchoked, t.rs[i].ID)
		}
	}
	t.rs = nil // the snapshot is the caller's
	return Decision{Unchoked: t.unchoked, Optimistic: t.optimistic}
}
