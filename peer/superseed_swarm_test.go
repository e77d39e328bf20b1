package peer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p/p2ptest"
	"starling/piece"
)

const superUplink = 1e6

// foreigner makes a member one that reads no SUGG, with an uplink.
func foreigner(m *member, cfg *EngineConfig) {
	m.uplink = superUplink
	cfg.Wanted = piece.NewBitfield(cfg.Geometry.NumPieces())
	cfg.Wanted.SetAll()
}

// nobody is a policy that serves none.
type nobody struct{}

func (nobody) Rechoke(time.Time, []choke.Remote, *rand.Rand) choke.Decision { return choke.Decision{} }
func (nobody) Fill(time.Time, []choke.Remote, *rand.Rand) choke.Decision    { return choke.Decision{} }

func taker(m *member, cfg *EngineConfig) {
	foreigner(m, cfg)
	cfg.Policy = choke.NewSwitching(nobody{}, nobody{})
}

// superSwarm is a seed and leechers.
type superSwarm struct {
	*swarm
	seed *member
	ls   []*member
}

func newSuperSwarm(t *testing.T, super bool, size, pieceLength int64, leechers ...func(*member, *EngineConfig)) *superSwarm {
	s := &superSwarm{swarm: newSwarm(t, 4, size, pieceLength)}
	s.seed = s.join(true, func(m *member, cfg *EngineConfig) { m.uplink, cfg.SuperSeed = superUplink, super })
	for _, l := range leechers {
		s.ls = append(s.ls, s.join(false, l))
	}
	return s
}

func (s *superSwarm) copies() float64 {
	return float64(s.seed.Counted().SentPayload) / float64(s.geo.TotalLength)
}

// run goes on until one of ms has all, and returns how many copies the seed has sent
// and how long it took.
func (s *superSwarm) run(limit time.Duration, ms ...*member) (float64, time.Duration) {
	s.t.Helper()
	for steps := 0; ; steps++ {
		took := s.net.Now().Sub(p2ptest.Epoch)
		if slices.ContainsFunc(ms, func(m *member) bool { return m.Have().All() }) {
			return s.copies(), took
		}
		if took > limit {
			s.t.Fatalf("nobody is complete after %v", limit)
		}
		s.net.Run(100 * time.Millisecond)
		if steps%10 == 0 {
			s.check()
		}
	}
}

func many(n int, l func(*member, *EngineConfig)) []func(*member, *EngineConfig) {
	return slices.Repeat([]func(*member, *EngineConfig){l}, n)
}

// TestSuperSeedSwarm: clients with equal uplinks fetch from a seed that has no more.
// Until one of them has all it has sent little more than one copy; without
// super-seeding more. One alone gets it as fast as ever.
func TestSuperSeedSwarm(t *testing.T) {
	const size = 16 << 20
	for _, tt := range []struct {
		leechers    int
		pieceLength int64
	}{{1, 64 << 10}, {2, 256 << 10}, {3, 256 << 10}, {8, 64 << 10}, {8, 256 << 10}} {
		var copies [2]float64
		var took [2]time.Duration
		for k, super := range []bool{true, false} {
			s := newSuperSwarm(t, super, size, tt.pieceLength, many(tt.leechers, foreigner)...)
			copies[k], took[k] = s.run(2*time.Minute, s.ls...)
			s.finish(2*time.Minute, s.ls...)
		}
		t.Logf("%d leechers, pieces of %d KiB: %.3f copies in %v; without super-seeding %.3f in %v",
			tt.leechers, tt.pieceLength>>10, copies[0], took[0], copies[1], took[1])
		if bound := 1.15 * size / superUplink; copies[0] > 1.15 || took[0].Seconds() > bound {
			t.Errorf("%d leechers: %.3f copies in %v", tt.leechers, copies[0], took[0])
		}
		if tt.leechers > 1 && copies[0] >= copies[1] || tt.leechers == 8 && copies[1] < 1.3 {
			t.Errorf("%d leechers: %.3f copies, and without super-seeding %.3f", tt.leechers, copies[0], copies[1])
		}
	}
}

// TestSuperSeedTakers: those who take and pass nothing on cost a few pieces, and hold
// nobody up.
func TestSuperSeedTakers(t *testing.T) {
	s := newSuperSwarm(t, true, 16<<20, 64<<10, append(many(2, taker), many(4, foreigner)...)...)
	takers, good := s.ls[:2], s.ls[2:]
	most := 0
	for s.seed.spread.active {
		s.net.Run(100 * time.Millisecond)
		s.check()
		for _, r := range s.seed.order {
			for _, m := range takers {
				if r.addr == m.addr && r.shown != nil && s.seed.spread.active {
					most = max(most, r.shown.Count())
				}
			}
		}
		if s.net.Now().Sub(p2ptest.Epoch) > time.Minute {
			t.Fatal("the spreading does not end")
		}
	}
	copies, took := s.run(time.Minute, good...)
	t.Logf("%.3f copies in %v; who passes nothing on was shown %d of %d pieces", copies, took, most, s.geo.NumPieces())
	if copies > 1.25 || took > 24*time.Second {
		t.Errorf("%.3f copies in %v", copies, took)
	}
	if most > s.geo.NumPieces()/8 {
		t.Errorf("who passes nothing on was shown %d of %d pieces", most, s.geo.NumPieces())
	}
	s.finish(2*time.Minute, s.ls...)
}

// TestSuperSeedAmongTakers: where nobody passes anything on, all get it in the end.
func TestSuperSeedAmongTakers(t *testing.T) {
	s := newSuperSwarm(t, true, 4<<20, 64<<10, many(2, taker)...)
	s.finish(4*time.Minute, s.ls...)
}

// TestSuperSeedLeavers: those who leave take pieces with them that the seed has to give
// again.
func TestSuperSeedLeavers(t *testing.T) {
	s := newSuperSwarm(t, true, 16<<20, 256<<10, many(6, foreigner)...)
	for _, gone := range s.ls[:3] {
		s.net.Run(4 * time.Second)
		s.check()
		s.net.Kill(gone.addr)
	}
	s.finish(time.Minute, s.ls[3:]...)
}

// TestSuperSeedMixed: some are ours and read SUGG; no piece goes to both kinds.
func TestSuperSeedMixed(t *testing.T) {
	s := newSuperSwarm(t, true, 16<<20, 64<<10, append(many(4, foreigner), many(4, slow(superUplink))...)...)
	copies, took := s.run(time.Minute, s.ls...)
	t.Logf("%.3f copies in %v", copies, took)
	if copies > 1.15 {
		t.Errorf("%.3f copies", copies)
	}
	s.finish(time.Minute, s.ls...)
}

// TestSuperSeedSome: one that wants some of the files only comes to them, and does
// not wait long for each of the others.
func TestSuperSeedSome(t *testing.T) {
	s := newSuperSwarm(t, true, 16<<20, 64<<10, func(m *member, cfg *EngineConfig) {
		m.uplink = superUplink
		cfg.Wanted = piece.NewBitfield(cfg.Geometry.NumPieces())
		for i := range 40 {
			cfg.Wanted.Set(100 + i)
		}
	})
	l := s.ls[0]
	for !l.has(Complete) {
		s.net.Run(time.Second)
		s.check()
		if s.net.Now().Sub(p2ptest.Epoch) > 30*time.Second {
			t.Fatalf("%d pieces after 30 s", l.Have().Count())
		}
	}
	t.Logf("complete after %v", l.doneAt)
}
