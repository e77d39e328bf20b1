//go:build linux

package interop

import "testing"

// TestLSD has two find each other by local discovery (BEP 14) alone: the torrent
// has no tracker.
func TestLSD(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.lsd }, func(t *testing.T, seed, leech *program) {
		s := newSite(t)
		sw := s.swarm(smallTree, nil)
		sw.seed(seed, settings{lsd: true})
		sw.arrived(sw.leech(leech, settings{lsd: true}))
	})
}
