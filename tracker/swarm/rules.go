package swarm

// SetRules changes the rules that the store works by, all but MaxSwarms, which was
// divided among the stores of a tracker. The configuration must be valid. Peers that
// are listed stay listed, whatever the limits per host say now; when they expire is
// by the new TTLs.
func (s *Store) SetRules(cfg Config) {
	cfg.MaxSwarms = s.cfg.MaxSwarms
	s.cfg, s.ttls = cfg, cfg.ttls()
	for _, w := range s.swarms { // their order in the queue is by due time and hash
		if !w.empty() {
			s.queue.put(w, w.nextExpiry(&s.ttls))
		}
	}
}
