package fleet

import (
	"net/netip"
	"slices"
	"time"
)

// Leave takes note of a goodbye: the host stays as one that left if it had all, and
// goes if not. id is who says it.
func (s *Store) Leave(now time.Duration, hash [20]byte, at netip.AddrPort, id [20]byte) {
	g := s.swarms[hash]
	if g == nil {
		return
	}
	i := g.find(at, id)
	if i < 0 || g.hosts[i].ID != id || g.hosts[i].State == Left {
		return
	}
	h := &g.hosts[i]
	if !h.complete() || s.cfg.KeepLeft == 0 {
		g.remove(s, i)
		s.settle(hash, g)
		return
	}
	h.seen = now
	g.leave(s, h)
}

// leave makes a host that has all one that left.
func (g *group) leave(s *Store, h *host) {
	s.count(h, -1)
	h.State, h.Why, h.Down, h.Up, h.nfrom = Left, WhyNone, 0, 0, 0
	s.count(h, 1)
	g.gone[h.name()]++
	s.crowd(h.Addr.Addr(), 0, 1)
}

// unleave takes a host out of the count of those that left.
func (g *group) unleave(s *Store, h *host) {
	n := h.name()
	if g.gone[n]--; g.gone[n] <= 0 {
		delete(g.gone, n)
	}
	s.crowd(h.Addr.Addr(), 0, -1)
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

// room says whether there is room for one more host. Those that have left give way
// to those that come.
func (s *Store) room(r *Report) bool {
	for s.full(r) && s.totals.Left > 0 {
		s.giveWay(netip.Addr{})
	}
	ip := r.Addr.Addr()
	if s.crowded(ip) && s.perIP[ip].left > 0 {
		s.giveWay(ip)
	}
	return !s.full(r) && !s.crowded(ip)
}

func (s *Store) full(r *Report) bool {
	return s.totals.Hosts >= s.cfg.MaxHosts || s.text+textSize(r) > s.cfg.MaxBytes
}

// crowded says whether an address has as many reports as it may have.
func (s *Store) crowded(ip netip.Addr) bool {
	return s.cfg.MaxPerHost > 0 && s.perIP[ip].all >= s.cfg.MaxPerHost
}

// crowd adds to the counts of an address. Those of private ones are not bounded, and
// not kept.
func (s *Store) crowd(ip netip.Addr, all, left int) {
	if !isPublic(ip) {
		return
	}
	c := s.perIP[ip]
	if c = (addrUse{c.all + all, c.left + left}); c.all == 0 {
		delete(s.perIP, ip)
		return
	}
	s.perIP[ip] = c
}

// giveWay removes, of the hosts that left from an address, or of all if it is none,
// the quarter that did so longest ago: not one alone, for this is a walk over all
// reports, and not all, for a rollout that is under way counts on those that are done.
func (s *Store) giveWay(ip netip.Addr) {
	chosen := func(h *host) bool { return h.State == Left && (!ip.IsValid() || h.Addr.Addr() == ip) }
	var times []time.Duration
	for _, g := range s.swarms {
		for i := range g.hosts {
			if h := &g.hosts[i]; chosen(h) {
				times = append(times, h.seen)
			}
		}
	}
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	last := times[len(times)/4]
	for hash, g := range s.swarms {
		for i := int32(0); int(i) < len(g.hosts); {
			if h := &g.hosts[i]; chosen(h) && h.seen <= last {
				g.remove(s, i)
			} else {
				i++
			}
		}
		s.settle(hash, g)
	}
}
