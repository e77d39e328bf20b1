package fleet

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// View is a swarm's hosts at one moment. What it is asked for is computed from that
// and changes nothing.
type View struct {
	at    time.Duration
	kept  []host // a copy of the store's
	hosts []viewed
	order []*viewed // worst first
	edges []Edge
}

// viewed is one host of a View.
type viewed struct {
	*host
	shown string // what people call it, like no other
	key   string // of shown; see appendNameKey
	seenS int64
	quiet bool // it tells nothing but its announces
	seed  bool // of a quiet one
}

// View copies out the hosts of a swarm, none if there are none.
func (s *Store) View(now time.Duration, hash [20]byte) *View {
	v := &View{at: now}
	if g := s.swarms[hash]; g != nil {
		v.kept = slices.Clone(g.hosts)
	}
	return v
}

// Hashes are the swarms of which there are reports, in order.
func (s *Store) Hashes() [][20]byte {
	all := make([][20]byte, 0, len(s.swarms))
	for h := range s.swarms {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b [20]byte) int { return slices.Compare(a[:], b[:]) })
	return all
}

// Peer is a peer that the tracker lists, whether it reports or not.
type Peer struct {
	Addr  netip.AddrPort
	ID    [20]byte
	Seed  bool
	SeenS int64 // since its last announce
}

// Add adds those of a swarm's peers that do not report.
func (v *View) Add(peers []Peer) {
	known := make(map[netip.AddrPort]bool, len(v.kept)+len(v.hosts))
	same := make(map[process]bool, len(v.kept)+len(v.hosts))
	for i := range v.kept {
		known[v.kept[i].Addr], same[v.kept[i].process()] = true, true
	}
	for i := range v.hosts {
		known[v.hosts[i].Addr], same[v.hosts[i].process()] = true, true
	}
	for _, p := range peers {
		if who := (process{p.ID, p.Addr.Port()}); !known[p.Addr] && !same[who] {
			same[who] = true
			v.hosts = append(v.hosts, viewed{
				host: &host{Report: Report{Addr: p.Addr, ID: p.ID, LeftS: -1}}, seenS: p.SeenS, quiet: true, seed: p.Seed,
			})
		}
	}
}

// Seal must be called once all hosts are there, before anything is asked: it names
// the hosts and brings them in the order of all answers, those that will be last
// first, those that are done last. A sealed View never changes.
func (v *View) Seal() {
	for i := range v.kept {
		h := &v.kept[i]
		v.hosts = append(v.hosts, viewed{host: h, seenS: int64((v.at - h.seen) / time.Second)})
	}
	v.nameHosts()
	v.keyHosts()
	order := make([]*viewed, len(v.hosts))
	for i := range order {
		order[i] = &v.hosts[i]
	}
	slices.SortFunc(order, func(a, b *viewed) int {
		return cmp.Or(compareProgress(a, b), compareShown(a, b), a.Addr.Compare(b.Addr))
	})
	v.order = order
	v.blameLinks()
	v.edges = v.allEdges()
}

// nameHosts finds for each host what no other is called: its name, or that and its
// port where several processes have one, or that and its address.
func (v *View) nameHosts() {
	type place struct {
		node string
		port uint16
	}
	named, placed := make(map[string]int, len(v.hosts)), make(map[place]int)
	for i := range v.hosts {
		named[v.hosts[i].node]++
	}
	for i := range v.hosts {
		if h := &v.hosts[i]; named[h.node] > 1 {
			placed[place{h.node, h.Addr.Port()}]++
		}
	}
	for i := range v.hosts {
		switch h := &v.hosts[i]; {
		case h.node == "":
			h.shown = h.Addr.String()
		case placed[place{h.node, h.Addr.Port()}] > 1:
			h.shown = h.node + "@" + h.Addr.String()
		case named[h.node] > 1:
			h.shown = h.node + ":" + strconv.Itoa(int(h.Addr.Port()))
		default:
			h.shown = h.node
		}
	}
}

// Len is how many hosts there are, once it is sealed.
func (v *View) Len() int { return len(v.order) }

// compareProgress puts the host first that will be last: one whose time left nobody
// knows, then by time left, then by what it lacks.
func compareProgress(a, b *viewed) int {
	if c := cmp.Compare(a.rank(), b.rank()); c != 0 || a.done() {
		return c
	}
	return cmp.Or(cmp.Compare(b.LeftS, a.LeftS), cmp.Compare(a.share(), b.share()))
}

// rank is how much is known of when a host will be done.
func (h *viewed) rank() int {
	switch {
	case h.done():
		return 3
	case h.quiet:
		return 2 // it may be a client that takes its time
	case h.LeftS >= 0:
		return 1
	}
	return 0
}

func (h *viewed) done() bool {
	if h.quiet {
		return h.seed
	}
	return h.complete()
}

// share is how much of what it wants a host has; of one that tells nothing 0 or 1.
func (h *viewed) share() float64 {
	switch {
	case h.done():
		return 1
	case h.quiet || h.Size == 0:
		return 0
	}
	return min(float64(h.Done)/float64(h.Size), almost)
}

// almost is what a host that lacks anything may be said to have at most.
const almost = 0.9999

// known says whether it is known how much a host has.
func (h *viewed) known() bool { return !h.quiet || h.seed }

func (h *viewed) label(key string) string {
	for _, l := range h.labels {
		if l.Name == key {
			return l.Value
		}
	}
	return ""
}

// has says whether the host has all of some labels.
func (h *viewed) has(labels []Label) bool {
	for _, l := range labels {
		if h.label(l.Name) != l.Value {
			return false
		}
	}
	return true
}

func (h *viewed) labelMap() map[string]string {
	m := make(map[string]string, len(h.labels))
	for _, l := range h.labels {
		m[l.Name] = l.Value
	}
	return m
}

// leftS is the seconds until it has all; nil is unknown.
func (h *viewed) leftS() *int64 {
	switch left := h.LeftS; {
	case h.done():
		return new(int64)
	case left < 0:
		return nil
	default:
		return &left
	}
}

func (h *viewed) slow() Slow {
	s := Slow{Node: h.shown, Why: h.Why.String(), LeftS: h.leftS()}
	if h.known() {
		share := h.share()
		s.Done = &share
	}
	return s
}

// Client is the client that a peer id begins with: what BEP 20 has between dashes, or
// the printable part of its first eight bytes.
func Client(id [20]byte) string {
	if id[0] == '-' && id[7] == '-' && printable(id[1:7]) {
		return string(id[1:7])
	}
	n := 0
	for n < 8 && printable(id[n:n+1]) {
		n++
	}
	return string(id[:n])
}

func printable(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
