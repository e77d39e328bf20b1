package fleet

import "time"

// Expire ends the hosts that have been silent for too long: one that had all has left,
// any other is forgotten, as is one that left long ago. A swarm is looked at only when
// one of its hosts may be due.
func (s *Store) Expire(now time.Duration) {
	for hash, g := range s.swarms {
		if now >= g.due {
			s.expire(hash, g, now)
		}
	}
}

func (s *Store) expire(hash [20]byte, g *group, now time.Duration) {
	g.due = now + s.cfg.TTL // whoever joins later lives that long at least
	var there map[name]bool
	for i := int32(0); int(i) < len(g.hosts); {
		h := &g.hosts[i]
		until := s.until(h)
		if now >= until && h.State != Left && h.complete() {
			if there == nil {
				there = g.heard(now - s.cfg.TTL)
			}
			// It may be back, at another port: then it is there already.
			if n := h.name(); !there[n] && g.gone[n] == 0 {
				g.leave(s, h)
				until = s.until(h)
			}
		}
		if now >= until {
			g.remove(s, i)
			continue
		}
		g.due = min(g.due, until)
		i++
	}
	s.settle(hash, g)
}

// until is when a host is over that is not heard of again.
func (s *Store) until(h *host) time.Duration {
	if h.State == Left {
		return h.seen + s.cfg.KeepLeft
	}
	return h.seen + s.cfg.TTL
}

// heard is the names of the hosts that have not left and reported after a time.
func (g *group) heard(after time.Duration) map[name]bool {
	names := make(map[name]bool)
	for i := range g.hosts {
		if h := &g.hosts[i]; h.State != Left && h.seen > after {
			names[h.name()] = true
		}
	}
	return names
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
