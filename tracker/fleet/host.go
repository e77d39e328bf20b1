package fleet

import (
	"net/netip"
	"time"
)

// find returns where a host is, or -1: by the address that it announces from, or by
// its process if that was announced over the other address family.
func (g *group) find(at netip.AddrPort, id [20]byte) int32 {
	if i, ok := g.index[at]; ok {
		return i
	}
	if i, ok := g.ids[process{id, at.Port()}]; ok && g.hosts[i].Addr.Addr().Is4() != at.Addr().Is4() {
		return i
	}
	return -1
}

// add makes room for a host, whose report take brings.
func (g *group) add(s *Store, r *Report) *host {
	i := int32(len(g.hosts))
	g.index[r.Addr], g.ids[process{r.ID, r.Addr.Port()}] = i, i
	g.hosts = append(g.hosts, host{Report: Report{Addr: r.Addr, ID: r.ID, Size: -1}})
	s.crowd(r.Addr.Addr(), 1, 0)
	return &g.hosts[i]
}

// remove takes the host at i out; the last one takes its place.
func (g *group) remove(s *Store, i int32) {
	h := &g.hosts[i]
	s.count(h, -1)
	s.text -= h.textSize()
	if h.State == Left {
		g.unleave(s, h)
	}
	s.crowd(h.Addr.Addr(), -1, 0)
	delete(g.index, h.Addr)
	g.dropID(h)
	last := int32(len(g.hosts) - 1)
	if i != last {
		moved := g.hosts[last]
		g.hosts[i] = moved
		g.index[moved.Addr] = i
		if p := moved.process(); g.ids[p] == last {
			g.ids[p] = i
		}
	}
	g.hosts[last] = host{}
	g.hosts = g.hosts[:last]
}

// dropID forgets a host's process, unless another host says that it is that one.
func (g *group) dropID(h *host) {
	if i, ok := g.ids[h.process()]; ok && &g.hosts[i] == h {
		delete(g.ids, h.process())
	}
}

func (h *host) process() process { return process{h.ID, h.Addr.Port()} }

func (h *host) name() name { return name{h.Addr.Addr(), h.node} }

// take keeps what a report says.
func (g *group) take(s *Store, h *host, now time.Duration, r *Report) {
	same := h.sameText(r)
	if h.ID != r.ID { // a new process at its address
		h.peak = 0
		g.dropID(h)
		g.ids[process{r.ID, h.Addr.Port()}] = g.index[h.Addr]
	}
	at := h.Addr
	if r.Addr != at {
		h.also = r.Addr
	}
	h.Report, h.seen = *r, now
	h.Addr = at
	h.peak = max(h.peak, h.Up)
	h.nfrom = copy(h.from[:], r.From)
	h.Report.From, h.Report.Node, h.Report.Labels = nil, nil, nil
	if same {
		return
	}
	s.text += textSize(r) - h.textSize()
	h.node, h.labels = string(r.Node), nil
	for _, l := range r.Labels {
		h.labels = append(h.labels, Label{string(l.Name), string(l.Value)})
	}
}

// sameText says whether a report calls the host what it was called before.
func (h *host) sameText(r *Report) bool {
	if h.node != string(r.Node) || len(h.labels) != len(r.Labels) {
		return false
	}
	for i, l := range r.Labels {
		if h.labels[i].Name != string(l.Name) || h.labels[i].Value != string(l.Value) {
			return false
		}
	}
	return true
}

func (h *host) textSize() int {
	n := len(h.node)
	for _, l := range h.labels {
		n += len(l.Name) + len(l.Value)
	}
	return n
}

func textSize(r *Report) int {
	n := len(r.Node)
	for _, l := range r.Labels {
		n += len(l.Name) + len(l.Value)
	}
	return n
}

// whole says whether a host has every part of the content, wanted or not.
func (h *host) whole() bool {
	for _, share := range h.Have {
		if share != 255 {
			return false
		}
	}
	return true
}
