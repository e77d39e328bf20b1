//go:build linux

package interop

import "testing"

// TestForeign proves the drivers, and our tracker: each client seeds to another
// and leeches from one, and they find each other by our HTTP tracker.
func TestForeign(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]*program{
		{transmission, aria2}, {aria2, qbittorrent}, {qbittorrent, rtorrent}, {rtorrent, libtorrent}, {libtorrent, transmission},
	} {
		seed, leech := pair[0], pair[1]
		t.Run(seed.name+" to "+leech.name, func(t *testing.T) {
			needs(t, seed, leech)
			t.Parallel()
			s := newSwarm(t)
			s.transfer(seed, leech, settings{})
			s.tracker.knows(s.meta, 2, 0)
		})
	}
}
