package peer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"starling/piece"
)

// TestCheckSees falsifies one book of a busy engine after the other, and wants
// Check to say so and to be content again once the book is mended.
func TestCheckSees(t *testing.T) {
	s := newSwarm(t, 31, 8<<20, 64<<10)
	seed := s.join(true, slow(512<<10))
	var ls []*member
	for range 3 {
		ls = append(ls, s.join(false, slow(512<<10)))
	}
	e := ls[0].Engine
	for e.asked == 0 || e.pick.NumHave() == 0 {
		s.net.Run(50 * time.Millisecond)
	}
	s.check()
	r := e.order[slices.IndexFunc(e.order, func(r *remote) bool { return r.phase == ready && len(r.requests) > 0 })]
	had := 0
	for !e.pick.Have().Has(had) {
		had++
	}
	served := seed.order[0]
	for _, tt := range []struct {
		want        string
		spoil, mend func()
		engine      *Engine
	}{
		{"outstanding", func() { r.outstanding++ }, func() { r.outstanding-- }, e},
		{"asked", func() { e.asked++ }, func() { e.asked-- }, e},
		{"is asked for", func() { e.pick.Requested(r.requests[0].run) }, func() { e.pick.Unrequested(r.requests[0].run) }, e},
		{"useful", func() { r.useful++ }, func() { r.useful-- }, e},
		{"useful", func() { r.needs++ }, func() { r.needs-- }, e},
		{"interested", func() { r.amInterested = false }, func() { r.amInterested = true }, e},
		{"seed", func() { r.seed = !r.seed }, func() { r.seed = !r.seed }, e},
		{"availability", func() { e.pick.AddHave(3) }, func() { e.pick.RemoveHave(3) }, e},
		{"in flight", func() { e.flights[had] = &flight{} }, func() { delete(e.flights, had) }, e},
		{"being written", func() { e.onDisk++ }, func() { e.onDisk-- }, e},
		{"to be announced", func() { e.teller.log = append(e.teller.log, r.requests[0].run.Piece) }, func() { e.teller.log = e.teller.log[:len(e.teller.log)-1] }, e},
		{"candidates", func() { e.cands.list = append(e.cands.list, nil) }, func() { e.cands.list = e.cands.list[:len(e.cands.list)-1] }, e},
		{"published", func() { e.finished = true }, func() { e.finished = false }, e},
		{"choked with", func() { served.amChoking, served.queue = true, []piece.Run{{}} }, func() { served.amChoking, served.queue = false, nil }, seed.Engine},
		{"suggested twice", func() { served.handouts = append(served.handouts, handout{piece: 1}, handout{piece: 1}) }, func() { served.handouts = served.handouts[:len(served.handouts)-2] }, seed.Engine},
	} {
		queue := slices.Clone(served.queue)
		tt.spoil()
		if err := tt.engine.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Check says %v", tt.want, err)
		}
		tt.mend()
		served.queue = queue
		if err := tt.engine.Check(); err != nil {
			t.Fatalf("%s, mended: %v", tt.want, err)
		}
	}
}

// TestCheckSlots: more remotes are unchoked than the policy has slots.
func TestCheckSlots(t *testing.T) {
	s := newSwarm(t, 32, 4<<20, 64<<10)
	seed := s.join(true, slow(64<<10))
	for range 8 {
		s.join(false, slow(64<<10))
	}
	s.net.Run(20 * time.Second)
	s.check()
	for _, r := range seed.order {
		r.amChoking = false
	}
	if err := seed.Check(); err == nil || !strings.Contains(err.Error(), "slots in use, at most 5") {
		t.Errorf("Check says %v", err)
	}
}

// TestEachRemote holds the view against Remotes, and Have against Stats.
func TestEachRemote(t *testing.T) {
	s := newSwarm(t, 33, 4<<20, 64<<10)
	seed := s.join(true, slow(256<<10))
	for range 6 {
		s.join(false, slow(256<<10))
	}
	s.net.Run(3 * time.Second)
	guided := 0
	for _, m := range s.members {
		i, want := 0, m.Remotes()
		m.EachRemote(func(v RemoteView) {
			w := want[i]
			if v.Addr != w.Addr || v.AmChoking == w.UnchokedByUs || v.PeerChoking == w.UnchokingUs || v.Pieces != w.Pieces ||
				v.AmInterested != w.InterestingToUs || v.PeerInterested != w.InterestedInUs {
				t.Errorf("%s: view %+v, stats %+v", m.addr, v, w)
			}
			if v.Window < minWindow || v.Requests > maxQueue || v.Queue > maxQueue {
				t.Errorf("%s: %+v", m.addr, v)
			}
			count(&guided, v.Guided && m == seed)
			i++
		})
		if i != len(want) || i == 0 || m.Have().Count() != m.Stats().PiecesDone {
			t.Errorf("%s: %d remotes of %d, %d pieces", m.addr, i, len(want), m.Have().Count())
		}
	}
	if guided == 0 {
		t.Error("a new seed guides nobody")
	}
}

// TestEngineStrategy: with one seed to ask and pieces in order, the first had
// are the first.
func TestEngineStrategy(t *testing.T) {
	s := newSwarm(t, 34, 4<<20, 64<<10)
	s.join(true, slow(256<<10))
	l := s.join(false, func(_ *member, cfg *EngineConfig) { cfg.Strategy = piece.Sequential })
	for l.Have().Count() < 16 {
		s.net.Run(50 * time.Millisecond)
	}
	for i := range l.Have().Count() - 1 {
		if !l.Have().Has(i) {
			t.Errorf("%d pieces are had, piece %d is not", l.Have().Count(), i)
		}
	}
}
