package fleet

import (
	"cmp"
	"net/netip"
	"slices"
)

// Bounds of a page.
const (
	MaxHostsPage  = 500
	MaxEdges      = 200
	MaxSwarmsPage = 500
)

// Query chooses a page of hosts.
type Query struct {
	// Sort is "done", who will be last first; "node", by name; or "down", the
	// fastest first.
	Sort          string
	Offset, Limit int
	Labels        []Label // all of which a host must have
}

// Sorts are the values of Query.Sort.
var Sorts = []string{"done", "node", "down"}

// Hosts returns a page of the hosts.
func (v *View) Hosts(q Query) Hosts {
	var list []*viewed
	for _, h := range v.order {
		if h.has(q.Labels) {
			list = append(list, h)
		}
	}
	switch q.Sort {
	case "node":
		slices.SortStableFunc(list, compareShown)
	case "down":
		slices.SortStableFunc(list, func(a, b *viewed) int { return cmp.Compare(b.Down, a.Down) })
	}
	out := Hosts{V: version, Total: len(list), Hosts: []HostInfo{}}
	from := min(max(q.Offset, 0), len(list))
	for _, h := range list[from:min(from+min(max(q.Limit, 0), MaxHostsPage), len(list))] {
		out.Hosts = append(out.Hosts, h.info())
	}
	return out
}

func (h *viewed) info() HostInfo {
	info := HostInfo{
		Node: h.shown, Addr: h.Addr.String(), Labels: h.labelMap(), Client: Client(h.ID), State: h.State.String(),
		Size: h.Size, DownBPS: h.Down, UpBPS: h.Up, Why: h.Why.String(), LeftS: h.leftS(), SeenS: h.seenS,
	}
	if !h.quiet {
		done := h.Done
		info.Done = &done
	}
	return info
}

// Changed shows fn the hosts, in order, with a number that is another one if what is
// shown of the host is another, but for how long ago it was heard of. fn returns
// whether it wants the host, and has it then, up to so many. It begins with the host
// from, and goes on with the first after the last; next is where to begin the next
// time, 0 if all were shown.
func (v *View) Changed(from, most int, fn func(at netip.AddrPort, state uint64) bool) (out []HostInfo, next int) {
	out = []HostInfo{}
	for i := range v.order {
		k := (from + i) % len(v.order)
		if len(out) == most {
			return out, k
		}
		if h := v.order[k]; fn(h.Addr, h.print()) {
			out = append(out, h.info())
		}
	}
	return out, 0
}

// print is FNV-1a over what is shown of a host.
func (h *viewed) print() uint64 {
	p := uint64(14695981039346656037)
	num := func(n int64) {
		for range 8 {
			p = (p ^ uint64(n&0xff)) * 1099511628211
			n >>= 8
		}
	}
	text := func(s string) {
		for i := range len(s) {
			p = (p ^ uint64(s[i])) * 1099511628211
		}
		num(int64(len(s)))
	}
	for _, n := range []int64{int64(h.State), int64(h.Why), h.Size, h.Done, h.Down, h.Up, h.LeftS} {
		num(n)
	}
	if h.seed {
		num(1)
	}
	text(h.node)
	for _, l := range h.labels {
		text(l.Name)
		text(l.Value)
	}
	return p
}

// WebSeed is the From of what web servers give.
const WebSeed = "web"

// Edges are who gives whom how much, the strongest first, at most limit.
func (v *View) Edges(limit int) Edges {
	return Edges{V: version, Edges: v.edges[:min(max(limit, 0), len(v.edges), MaxEdges)]}
}

// feed is an Edge that has no names yet.
type feed struct {
	bps  int64
	to   *viewed
	from netip.AddrPort
}

// allEdges finds the strongest of the edges; there may be MaxFrom for each host.
func (v *View) allEdges() []Edge {
	var best []feed
	least := int64(1)
	strongest := func() {
		slices.SortStableFunc(best, func(a, b feed) int { return cmp.Compare(b.bps, a.bps) })
		if len(best) > MaxEdges {
			best = best[:MaxEdges]
			least = best[MaxEdges-1].bps + 1 // of equal ones the first stay
		}
	}
	for _, h := range v.order {
		for _, src := range h.from[:h.nfrom] {
			if src.BPS < least {
				continue
			}
			if best = append(best, feed{src.BPS, h, src.Addr}); len(best) == 2*MaxEdges {
				strongest()
			}
		}
	}
	strongest()
	return v.named(best)
}

// named are feeds as edges.
func (v *View) named(feeds []feed) []Edge {
	wanted := make(map[netip.AddrPort]string, len(feeds))
	for _, f := range feeds {
		wanted[f.from] = f.from.String()
	}
	wanted[netip.AddrPort{}] = WebSeed
	for _, h := range v.order {
		for _, at := range []netip.AddrPort{h.Addr, h.also} {
			if _, ok := wanted[at]; ok && at.IsValid() {
				wanted[at] = h.shown
			}
		}
	}
	out := make([]Edge, 0, len(feeds))
	for _, f := range feeds {
		out = append(out, Edge{From: wanted[f.from], To: f.to.shown, BPS: f.bps})
	}
	slices.SortFunc(out, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(b.BPS, a.BPS), CompareNames(a.From, b.From), CompareNames(a.To, b.To))
	})
	return out
}

// Availability adds up how much the hosts have of each part of the content; those
// that left have nothing for others.
func (v *View) Availability() Availability {
	a := new(availability)
	for _, h := range v.order {
		a.add(h)
	}
	return Availability{V: version, Buckets: Buckets, Copies: a.copies(), Seeds: a.seeds}
}

// availability is a sum over hosts.
type availability struct {
	seeds int
	parts [Buckets]int // in 255ths
}

func (a *availability) add(h *viewed) {
	switch {
	case h.State == Left:
	case h.quiet && !h.seed:
	case h.quiet || h.whole():
		a.seeds++
	default:
		for k, share := range h.Have {
			a.parts[k] += int(share)
		}
	}
}

func (a *availability) copies() []float64 {
	out := make([]float64, Buckets)
	for k, n := range a.parts {
		out[k] = float64(a.seeds) + float64(n)/255
	}
	return out
}
