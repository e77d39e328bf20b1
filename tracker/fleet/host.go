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
	if isPublic(r.Addr.Addr()) {
		s.perIP[r.Addr.Addr()]++
	}
	return &g.hosts[i]
}

// remove takes the host at i out; the last one takes its place.
func (g *group) remove(s *Store, i int32) {
	h := &g.hosts[i]
	s.count(h, -1)
	s.text -= h.textSize()
	if h.State == Left {
		g.unleave(h)
	}
	if ip := h.Addr.Addr(); isPublic(ip) {
		if s.perIP[ip]--; s.perIP[ip] <= 0 {
			delete(s.perIP, ip)
		}
	}
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

// unleave takes a host out of the count of those that left.
func (g *group) unleave(h *host) {
	n := h.name()
	if g.gone[n]--; g.gone[n] <= 0 {
		delete(g.gone, n)
	}
}

// replaceLeft removes the host that left longest ago among those of the newcomer's
// name: it has come back, at another port.
func (g *group) replaceLeft(s *Store, r *Report) {
	n := name{r.Addr.Addr(), string(r.Node)}
	if g.gone[n] == 0 {
		return
	}
	oldest := int32(-1)
	for i := range g.hosts {
		h := &g.hosts[i]
		if h.State == Left && h.name() == n && (oldest < 0 || h.seen < g.hosts[oldest].seen) {
			oldest = int32(i)
		}
	}
	g.remove(s, oldest)
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

// Expire forgets the hosts that have been silent for too long. A swarm is looked at
// only when one of its hosts may be.
func (s *Store) Expire(now time.Duration) {
	for hash, g := range s.swarms {
		if now >= g.due {
			s.expire(hash, g, now, s.cfg.KeepLeft)
		}
	}
}

// sweep is an Expire with another KeepLeft.
func (s *Store) sweep(now, keepLeft time.Duration) {
	for hash, g := range s.swarms {
		s.expire(hash, g, now, keepLeft)
	}
}

func (s *Store) expire(hash [20]byte, g *group, now, keepLeft time.Duration) {
	next := now + max(s.cfg.TTL, keepLeft)
	for i := int32(0); int(i) < len(g.hosts); {
		h := &g.hosts[i]
		until := h.seen + s.cfg.TTL
		if h.State == Left {
			until = h.seen + keepLeft
		}
		if now >= until {
			g.remove(s, i)
			continue
		}
		next = min(next, until)
		i++
	}
	// Whoever joins later lives for the TTL at least.
	g.due = min(next, now+s.cfg.TTL)
	s.settle(hash, g)
}

// OldestReport is how long ago the host that has been silent longest reported, of
// those that have not left; 0 without one.
func (s *Store) OldestReport(now time.Duration) time.Duration {
	var oldest time.Duration
	for _, g := range s.swarms {
		for i := range g.hosts {
			if h := &g.hosts[i]; h.State != Left {
				oldest = max(oldest, now-h.seen)
			}
		}
	}
	return oldest
}
