//go:build linux

package interop

import "testing"

// clients are those of the matrix, in its order.
var clients = []*program{transmission, aria2, qbittorrent, rtorrent, libtorrent}

// bothWays runs a trial with each client that is able as seeder to starling, and
// as leecher from it.
func bothWays(t *testing.T, able func(abilities) bool, trial func(t *testing.T, seed, leech *program)) {
	t.Parallel()
	for _, p := range clients {
		t.Run("from "+p.name, func(t *testing.T) { cell(t, p, able, func() { trial(t, p, ours) }) })
		t.Run("to "+p.name, func(t *testing.T) { cell(t, p, able, func() { trial(t, ours, p) }) })
	}
}

// cell runs a trial with one client, beside others.
func cell(t *testing.T, p *program, able func(abilities) bool, trial func()) {
	t.Helper()
	if !able(p.can) {
		t.Skip(p.name + " cannot do this")
	}
	needs(t, p)
	t.Parallel()
	trial()
}

func anyone(abilities) bool { return true }

// transfer lets one client seed to another, which the tracker tells of it, and
// returns both.
func (s *cellSwarm) transfer(seed, leech *program, set settings) (from, to *node) {
	s.t.Helper()
	from = s.seed(seed, set)
	s.tracker.knows(s.meta, 1, 0)
	to = s.leech(leech, set)
	s.arrived(to)
	return from, to
}

func TestV1(t *testing.T) {
	bothWays(t, anyone, func(t *testing.T, seed, leech *program) {
		newSwarm(t).transfer(seed, leech, settings{})
	})
}

func TestV2(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.v2 }, func(t *testing.T, seed, leech *program) {
		newSwarm(t, "--format", "v2").transfer(seed, leech, settings{})
	})
}

// TestHybrid has those that know v1 only fetch a hybrid as v1, pads and all.
// transmission 3.00 refuses any hybrid, whoever made it, and aria2 1.36 takes
// another infohash for its own.
func TestHybrid(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.hybrid }, func(t *testing.T, seed, leech *program) {
		newSwarm(t, "--format", "hybrid").transfer(seed, leech, settings{})
	})
}

// TestMagnet has the leecher fetch the metadata from the seeder (BEP 9).
func TestMagnet(t *testing.T) {
	bothWays(t, anyone, func(t *testing.T, seed, leech *program) {
		newSwarm(t).transferMagnet(seed, leech)
	})
}

// TestMagnetV2 has it fetch the piece layers too (BEP 52).
func TestMagnetV2(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.v2 }, func(t *testing.T, seed, leech *program) {
		newSwarm(t, "--format", "v2").transferMagnet(seed, leech)
	})
}

func (s *cellSwarm) transferMagnet(seed, leech *program) {
	s.t.Helper()
	s.seed(seed, settings{})
	s.tracker.knows(s.meta, 1, 0)
	s.arrived(s.fetch(leech, settings{}))
}

// TestEncrypted has a client that takes and makes encrypted connections only.
func TestEncrypted(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.secret }, func(t *testing.T, seed, leech *program) {
		s := newSwarm(t)
		s.transfer(seed, leech, settings{encrypted: true})
	})
}
