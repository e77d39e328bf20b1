//go:build linux

package interop

import (
	"strings"
	"testing"

	"starling/metainfo"
)

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

// TestHybridByV2 has a leecher that knows a hybrid by its v2 infohash only find the
// seeder in the v2 swarm of the tracker (BEP 52).
func TestHybridByV2(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.v2 && a.hybrid }, func(t *testing.T, seed, leech *program) {
		s := newSwarm(t, "--format", "hybrid")
		s.seed(seed, settings{})
		s.tracker.counts(s.meta.InfoHashV2.Short(), 1, 0)
		s.arrived(s.fetchBy(s.v2Link(), leech, settings{}))
	})
}

// TestHybridMagnet has a leecher that knows both infohashes, and nothing else. From
// rtorrent, which knows no v2, starling gets no piece layers and takes it for v1;
// rtorrent takes no link with two infohashes, and gets one with that of v1.
func TestHybridMagnet(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.hybrid }, func(t *testing.T, seed, leech *program) {
		s := newSwarm(t, "--format", "hybrid")
		link := s.meta.Magnet()
		if leech == rtorrent {
			link.V2 = metainfo.HashV2{}
		}
		s.seed(seed, settings{})
		s.tracker.knows(s.meta, 1, 0)
		s.arrived(s.fetchBy(link.String(), leech, settings{}))
	})
}

// TestHybridCalled has a leecher wait in the v2 swarm and call nobody: the seeder, who
// comes later, calls it by the name under which the tracker knows it.
func TestHybridCalled(t *testing.T) {
	needs(t, libtorrent)
	t.Parallel()
	s := newSwarm(t, "--format", "hybrid")
	leech := s.fetchBy(s.v2Link(), libtorrent, settings{waits: true})
	s.tracker.counts(s.meta.InfoHashV2.Short(), 0, 1)
	s.seed(ours, settings{})
	s.arrived(leech)
	if said := strings.Join(leech.client.(*libtorrentClient).alerts(t), "\n"); !strings.Contains(said, "incoming connection from") {
		t.Errorf("it was not called:\n%s", said)
	}
	// Now that it has the metadata it is in both swarms, and so is the seed.
	for _, h := range s.hashes() {
		s.tracker.counts(h, 2, 0)
	}
}

// TestEncrypted has a client that takes and makes encrypted connections only.
func TestEncrypted(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.secret }, func(t *testing.T, seed, leech *program) {
		s := newSwarm(t)
		s.transfer(seed, leech, settings{encrypted: true})
	})
}
