package peer

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
	"starling/piece"
)

// slow gives a member an uplink.
func slow(rate float64) func(*member, *EngineConfig) {
	return func(m *member, _ *EngineConfig) { m.uplink = rate }
}

func TestCorruptPeerIsBanned(t *testing.T) {
	for _, tt := range []struct {
		pieceLength, size int64
		most              int // corrupt pieces that one leecher gets before the ban
	}{
		// A piece that is one run has one sender, who is known at once. Of
		// several senders all are on parole until the piece comes right. A
		// block is always one run; 64 KiB are, unless a slow remote's window
		// has shrunk.
		{piece.BlockSize, 2 << 20, strikesToBan},
		{64 << 10, 4 << 20, 3},
		{512 << 10, 24 << 20, 3},
	} {
		for seed := range uint64(5) {
			s := newSwarm(t, seed, tt.size, tt.pieceLength)
			s.join(true, slow(1<<20))
			s.join(true, slow(1<<20))
			liar := s.join(true, func(m *member, cfg *EngineConfig) {
				m.mem.corrupts = 0.3
				m.uplink = 1 << 20
			})
			var ls []*member
			for range 3 {
				ls = append(ls, s.join(false, slow(1<<20)))
			}
			s.finish(5*time.Minute, ls...)
			banned := 0
			for _, l := range ls {
				for _, ev := range l.events {
					if ev.Kind != Banned {
						continue
					}
					banned++
					if !strings.HasPrefix(ev.Detail, liar.addr) {
						t.Errorf("piece length %d, seed %d: an honest peer was banned: %s", tt.pieceLength, seed, ev.Detail)
					}
				}
				if n := l.stats.CorruptPieces; n > tt.most {
					t.Errorf("piece length %d, seed %d: %d corrupt pieces before the ban", tt.pieceLength, seed, n)
				}
			}
			if banned == 0 {
				t.Errorf("piece length %d, seed %d: nobody banned the liar", tt.pieceLength, seed)
			}
		}
	}
}

// TestBannedOnce: pieces of a liar that are being hashed when it is banned are no
// further bans.
func TestBannedOnce(t *testing.T) {
	s := newSwarm(t, 3, 8<<20, 256<<10)
	s.join(true, func(m *member, _ *EngineConfig) { m.mem.corrupts = 1 })
	s.join(true, slow(1<<20))
	l := s.join(false, nil)
	s.finish(time.Minute, l)
	bans := 0
	for _, ev := range l.events {
		if ev.Kind == Banned {
			bans++
		}
	}
	if bans != 1 || l.stats.CorruptPieces <= strikesToBan {
		t.Errorf("%d bans for %d corrupt pieces of one liar", bans, l.stats.CorruptPieces)
	}
}

// TestLyingBitfield: a remote says that it has everything, has nothing, and
// rejects what it is asked for.
func TestLyingBitfield(t *testing.T) {
	s := newSwarm(t, 5, 8<<20, 256<<10)
	s.join(true, slow(1<<20))
	liar := s.join(true, func(m *member, _ *EngineConfig) { m.uplink = 1 << 20 })
	liar.node.Handle(wire.REQU, p2p.Spec{Max: wire.RequestHead}, func(c p2p.ConnID, m *p2p.Message) {
		_ = liar.node.Send(c, p2p.Message{Type: wire.REJE, Head: m.Head})
	})
	l := s.join(false, slow(1<<20))
	s.finish(time.Minute, l)
}

// TestSilentRemote: a remote takes requests and never answers. What it holds is
// asked of others after requestTimeout.
func TestSilentRemote(t *testing.T) {
	s := newSwarm(t, 6, 8<<20, 256<<10)
	mute := s.join(true, func(m *member, _ *EngineConfig) { m.uplink = 1 })
	s.join(true, slow(2<<20))
	l := s.join(false, nil)
	s.finish(90*time.Second, l)
	if mute.stats.SentPayload == 0 {
		t.Error("the silent remote was never asked: the test tests nothing")
	}
}

func TestSeedDiesAndTheUnionFinishes(t *testing.T) {
	s := newSwarm(t, 7, 8<<20, 256<<10)
	seed := s.join(true, slow(1<<20))
	var ls []*member
	for range 4 {
		ls = append(ls, s.join(false, slow(1<<20)))
	}
	for !union(ls) {
		s.net.Run(50 * time.Millisecond)
	}
	for _, l := range ls {
		if l.has(Complete) {
			t.Fatal("somebody was done before the seed died: the test tests nothing")
		}
	}
	s.net.Kill(seed.addr)
	s.finish(time.Minute, ls...)
}

func union(ls []*member) bool {
	have := piece.NewBitfield(ls[0].geo.NumPieces())
	for _, l := range ls {
		for i := range l.pick.Have().Ones() {
			have.Set(i)
		}
	}
	return have.All()
}

func TestSeedDiesAndReturns(t *testing.T) {
	s := newSwarm(t, 8, 16<<20, 256<<10)
	seed := s.join(true, slow(1<<20))
	a, b := s.join(false, slow(1<<20)), s.join(false, slow(1<<20))
	s.net.Run(5 * time.Second)
	s.net.Kill(seed.addr)
	s.net.Run(2 * time.Minute)
	for _, l := range []*member{a, b} {
		st := l.Stats()
		if st.State != StateStalled || st.Missing == 0 || len(st.MissingFirst) == 0 || !l.has(Stalled) {
			t.Errorf("%s: state %s, %d missing, stalled %v", l.addr, st.State, st.Missing, l.has(Stalled))
		}
	}
	s.join(true, nil)
	s.finish(3*time.Minute, a, b)
	if !a.has(Resumed) {
		t.Error("no resumed event")
	}
}

// TestTrackerDies: those who know each other go on, and a newcomer that knows
// one of them finds the others from it.
func TestTrackerDies(t *testing.T) {
	s := newSwarm(t, 9, 16<<20, 256<<10)
	s.join(true, slow(1<<20))
	ls := []*member{s.join(false, slow(1<<20)), s.join(false, slow(1<<20)), s.join(false, slow(1<<20))}
	s.net.Run(2 * time.Second)
	s.board.down = true
	late := s.join(false, slow(1<<20))
	late.AddPeers([]string{ls[0].addr})
	late.node.Wake()
	s.finish(3*time.Minute, append(ls, late)...)
	if !late.has(TrackerFailed) {
		t.Error("the newcomer did not notice that the tracker is down")
	}
	if n := late.Stats().Candidates + late.Stats().Remotes; n < 2 {
		t.Errorf("the newcomer knows %d peers", n)
	}
}

func TestDiskFullAndFreed(t *testing.T) {
	s := newSwarm(t, 10, 8<<20, 256<<10)
	s.join(true, slow(1<<20))
	l := s.join(false, nil)
	s.net.Run(2 * time.Second)
	l.mem.fail = errors.New("no space left on device")
	s.net.Run(30 * time.Second)
	st := l.Stats()
	if st.State != StateError || !l.has(Failed) {
		t.Fatalf("state %s, failed event %v", st.State, l.has(Failed))
	}
	if d := l.stats.ReceivedPayload; d > 6<<20 {
		t.Errorf("%d bytes were fetched for a disk that takes none", d)
	}
	l.mem.fail = nil
	before := l.Stats().BytesDone
	s.net.Run(10 * time.Second)
	if l.Stats().BytesDone == before {
		t.Error("no progress 10 s after the disk works again")
	}
	s.finish(time.Minute, l)
}

// TestChurn: peers come and are killed at random; those who stay finish.
func TestChurn(t *testing.T) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 3))
		s := newSwarm(t, seed, 8<<20, 64<<10)
		s.join(true, slow(2<<20))
		var stay []*member
		for range 10 {
			m := s.join(false, slow(1<<20))
			if rng.IntN(2) == 0 {
				stay = append(stay, m)
				continue
			}
			s.net.Run(time.Duration(rng.IntN(2000)) * time.Millisecond)
			s.net.Kill(m.addr)
			s.members = s.members[:len(s.members):len(s.members)]
		}
		s.finish(5*time.Minute, stay...)
	}
}

// TestDeterminism: the same seed gives the same run, message by message.
func TestDeterminism(t *testing.T) {
	run := func() (n int, sum uint64) {
		s := newSwarm(t, 11, 4<<20, 64<<10)
		s.net.Trace = func(r p2p.TapRecord) {
			n++
			for _, c := range r.From + r.To + r.Type.String() {
				sum = sum*1099511628211 + uint64(c)
			}
			sum += uint64(r.Time.Sub(p2ptest.Epoch)) + uint64(r.Length)
		}
		s.join(true, slow(1<<20))
		ls := []*member{s.join(false, slow(1<<20)), s.join(false, slow(1<<20)), s.join(false, slow(1<<20))}
		s.finish(time.Minute, ls...)
		return n, sum
	}
	n1, s1 := run()
	n2, s2 := run()
	if n1 != n2 || s1 != s2 {
		t.Errorf("%d messages with sum %x, then %d with sum %x", n1, s1, n2, s2)
	}
}
