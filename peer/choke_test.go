package peer

import (
	"math/rand/v2"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
)

// TestSlots: at no message is anybody serving more than 4 + 1, and in a flash
// crowd all of these slots are in use.
func TestSlots(t *testing.T) {
	s := newSwarm(t, 21, 4<<20, 16<<10)
	most := map[string]int{}
	s.net.Trace = func(p2p.TapRecord) { // every engine is between two events
		for _, m := range s.members {
			most[m.addr] = max(most[m.addr], m.slots())
		}
	}
	s.join(true, slow(64<<10))
	for range 11 {
		s.join(false, slow(64<<10))
	}
	s.net.Run(30 * time.Second)
	s.check()
	limit, full := s.choke.Slots+s.choke.Optimistic, 0
	for addr, n := range most {
		if n > limit {
			t.Errorf("%s served %d at once", addr, n)
		}
		count(&full, n == limit)
	}
	t.Logf("%d of %d peers once used all %d slots", full, len(most), limit)
	if full != len(most) {
		t.Errorf("only %d of %d peers ever used all slots", full, len(most))
	}
}

// TestOptimisticRotation: a leecher to whom four give keeps these and tries the
// others one after the other, each for 30 s. Who is served changes only at a
// multiple of 10 s.
func TestOptimisticRotation(t *testing.T) {
	s := newStage(t, optimisticPieces, func(i int) bool { return i%2 == 0 }, func(cfg *EngineConfig) {
		cfg.DownLimit = 4 * stagePiece // so that it lasts
	})
	var givers []p2p.ConnID
	for id := range byte(4) {
		givers = append(givers, s.meet(id+1, wire.HNON))
	}
	for id := range byte(8) {
		s.interested(id + 20)
	}
	next := 1
	for _, c := range givers {
		s.h.Deliver(c, wire.HAVE, odd(next, 450))
		next += 900
		s.h.Deliver(c, wire.INTR, "")
		s.h.Deliver(c, wire.UNCH, "")
	}
	holder, since := p2p.ConnID(0), time.Duration(0)
	var turns []time.Duration
	tried := map[p2p.ConnID]bool{}
	for range 250 {
		msgs, _ := s.take()
		if n := len(only(msgs, wire.CHOK)); n > 0 && s.now().Sub(p2ptest.Epoch)%s.cfg.Rechoke != 0 {
			t.Errorf("%d chokes at %v", n, s.now().Sub(p2ptest.Epoch))
		}
		for _, m := range only(msgs, wire.REQU) {
			s.pieceOf(m.conn, m.run())
		}
		s.finishJobs()
		s.h.Advance(time.Second)
		for _, r := range s.order {
			s.h.Deliver(r.id, p2p.PING, "")
		}
		var now []p2p.ConnID
		for _, r := range s.order {
			if r.optimistic && !r.amChoking {
				now = append(now, r.id)
			}
		}
		at := s.now().Sub(p2ptest.Epoch)
		if at <= 40*time.Second { // the givers have not earned their slots yet
			continue
		}
		if len(now) != 1 {
			t.Fatalf("%v: optimistic %v", at, now)
		}
		tried[now[0]] = true
		if now[0] != holder {
			if holder != 0 {
				turns = append(turns, at-since)
			}
			holder, since = now[0], at
		}
	}
	if len(turns) < 4 {
		t.Fatalf("turns %v", turns)
	}
	for _, d := range turns[1:] {
		if d != s.optimisticInterval() {
			t.Errorf("turns of %v, want %v each", turns[1:], s.optimisticInterval())
			break
		}
	}
	// Nobody comes twice in a lap, so seven turns are four remotes at least.
	if len(tried) < 4 {
		t.Errorf("%d remotes were tried", len(tried))
	}
	for _, c := range givers {
		if r := s.remotes[c]; r == nil || r.amChoking || r.optimistic {
			t.Error("one who gives does not hold a slot of its own")
		}
	}
}

const optimisticPieces = 2048

func (s *stage) optimisticInterval() time.Duration { return choke.Default().OptimisticInterval }

// odd is the head of a HAVE for n odd pieces from first on, modulo the content.
func odd(first, n int) string {
	var is []int
	for k := range n {
		is = append(is, (first+2*k)%optimisticPieces)
	}
	return string(wire.AppendIndexes(nil, is))
}

// selfish makes a member that never unchokes anybody.
func selfish(rate float64) func(*member, *EngineConfig) {
	return func(m *member, cfg *EngineConfig) {
		m.uplink = rate
		cfg.Policy = choke.NewSwitching(miser{}, miser{})
	}
}

// miser is a policy that serves nobody.
type miser struct{}

func (miser) Rechoke(time.Time, []choke.Remote, *rand.Rand) choke.Decision { return choke.Decision{} }
func (miser) Fill(time.Time, []choke.Remote, *rand.Rand) choke.Decision    { return choke.Decision{} }

// withHalf gives a member a random half of the pieces, and a mod of its own.
func (s *swarm) withHalf(mod func(*member, *EngineConfig)) *member {
	return s.join(false, func(m *member, cfg *EngineConfig) {
		rng := rand.New(rand.NewPCG(uint64(len(s.members)), 5))
		for i := range s.geo.NumPieces() {
			if rng.IntN(2) == 0 {
				cfg.Have.Set(i)
				off := i * int(s.geo.PieceLength)
				copy(m.mem.at(i, 0, s.geo.PieceSize(i)), s.full[off:])
			}
		}
		mod(m, cfg)
	})
}

// TestFreeRiders: among leechers who all have something that the others want,
// those who give nothing get little.
func TestFreeRiders(t *testing.T) {
	const size, rate, each = 12 << 20, 64 << 10, 6
	s := newSwarm(t, 22, size, 16<<10)
	var givers, riders []*member
	for range each {
		givers = append(givers, s.withHalf(slow(rate)))
		riders = append(riders, s.withHalf(selfish(rate)))
	}
	s.net.Run(60 * time.Second)
	s.check()
	for _, m := range givers {
		if m.pick.Done() {
			t.Fatal("somebody was done in time: the test tests nothing")
		}
	}
	give, ride := received(givers), received(riders)
	t.Logf("each free-rider got %.2f of what a giver got; of all that was given they got %.2f",
		float64(ride)/float64(give), float64(ride)/float64(give+ride))
	if float64(ride) > 0.5*float64(give) {
		t.Errorf("a free-rider got %.2f of what a giver got", float64(ride)/float64(give))
	}
}

func received(ms []*member) (n uint64) {
	for _, m := range ms {
		n += m.stats.ReceivedPayload
	}
	return n
}

func sentBy(ms []*member) (n uint64) {
	for _, m := range ms {
		n += m.stats.SentPayload
	}
	return n
}

// TestReciprocation: between fast and slow leechers, most of what a fast one
// gives goes to its like, and what two leechers give each other is alike.
func TestReciprocation(t *testing.T) {
	const size, fast, slower, each = 16 << 20, 128 << 10, 32 << 10, 6
	s := newSwarm(t, 23, size, 16<<10)
	var quick []*member
	for range each {
		quick = append(quick, s.withHalf(slow(fast)))
		s.withHalf(slow(slower))
	}
	s.net.Run(60 * time.Second)
	s.check()
	like, all := exchanged(quick, quick), sentBy(quick)
	toLike := float64(sum(like)) / float64(all)
	r := reciprocity(like)
	t.Logf("%.2f of what the fast give goes to the fast, %.2f by number; reciprocity between them %.2f", toLike,
		float64(each-1)/float64(2*each-1), r)
	if toLike < 0.55 {
		t.Errorf("the fast gave %.2f to their like", toLike)
	}
	if r < 0.6 {
		t.Errorf("reciprocity %.2f", r)
	}
}

// exchanged is what each of from sent to each of to.
func exchanged(from, to []*member) [][]uint64 {
	out := make([][]uint64, len(from))
	for i, f := range from {
		out[i] = make([]uint64, len(to))
		for _, a := range f.Accounts() {
			for j, m := range to {
				if m.cfg.PeerID == a.PeerID {
					out[i][j] = a.Sent
				}
			}
		}
	}
	return out
}

func sum(x [][]uint64) (n uint64) {
	for _, row := range x {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// reciprocity is how much of what was sent between pairs came back: the sum of
// each pair's lesser direction, twice, by the sum of both. 1 is tit for tat to
// the byte, 0 is all one way.
func reciprocity(x [][]uint64) float64 {
	var least, both uint64
	for i := range x {
		for j := range i {
			least += 2 * min(x[i][j], x[j][i])
			both += x[i][j] + x[j][i]
		}
	}
	return float64(least) / float64(max(both, 1))
}

func TestReciprocityNumber(t *testing.T) {
	for _, c := range []struct {
		x    [][]uint64
		want float64
	}{
		{[][]uint64{{0, 5}, {5, 0}}, 1},
		{[][]uint64{{0, 5}, {0, 0}}, 0},
		{[][]uint64{{0, 3}, {1, 0}}, 0.5},
	} {
		if got := reciprocity(c.x); got != c.want {
			t.Errorf("%v: %v, want %v", c.x, got, c.want)
		}
	}
}
