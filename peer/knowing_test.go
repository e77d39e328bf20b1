package peer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// knower is what a remote knows of us by our messages.
type knower struct {
	conn  p2p.ConnID
	knows *piece.Bitfield
}

// TestEverybodyKnows lives at random: pieces come and are lost, remotes gain and
// lose interest and slots. No HAVE is false or said twice, whoever is unchoked
// knows everything, those who can act know it after haveDelay, and all after
// lazyDelay.
func TestEverybodyKnows(t *testing.T) {
	for seed := range uint64(8) {
		s := newTold(t)
		var ks []*knower
		for _, r := range s.order {
			if r.id != s.seed {
				ks = append(ks, &knower{r.id, piece.NewBitfield(tellPieces)})
				for i := range 4 {
					ks[len(ks)-1].knows.Set(i)
				}
			}
		}
		s.sent()
		rng := rand.New(rand.NewPCG(seed, 0))
		for range 150 {
			s.live(rng)
			s.listen(ks)
			if rng.IntN(5) == 0 {
				s.h.Advance(haveDelay)
				s.listen(ks)
				s.mustKnow(ks, (*remote).curious)
			}
		}
		s.h.Advance(lazyDelay)
		s.listen(ks)
		s.mustKnow(ks, func(*remote) bool { return true })
		s.sound()
		if t.Failed() {
			t.Fatalf("rng seed %d", seed)
		}
	}
}

// live lets something happen.
func (s *told) live(rng *rand.Rand) {
	s.t.Helper()
	switch rng.IntN(5) {
	case 0, 1:
		s.fetch(1 + rng.IntN(4))
	case 2:
		var lost []int
		for i := range s.Have().Ones() {
			if rng.IntN(20) == 0 {
				lost = append(lost, i)
			}
		}
		s.lose(lost)
		s.settle()
	case 3:
		if c := s.order[rng.IntN(len(s.order))].id; c != s.seed {
			s.h.Deliver(c, []p2p.Type{wire.INTR, wire.NINT}[rng.IntN(2)], "")
		}
	case 4:
		s.h.Advance(time.Duration(rng.Int64N(int64(lazyDelay))))
	}
}

// listen has the remotes hear what was sent since the last call.
func (s *told) listen(ks []*knower) {
	s.t.Helper()
	for _, m := range s.sent() {
		i := slices.IndexFunc(ks, func(k *knower) bool { return k.conn == m.conn })
		if i < 0 {
			continue
		}
		k := ks[i]
		switch m.typ {
		case wire.HAVE.String():
			for _, i := range indexes(m.head) {
				if !s.Have().Has(i) || !k.knows.Set(i) {
					s.t.Errorf("connection %d: HAVE of piece %d, which it knows or we lack", k.conn, i)
				}
			}
		case wire.DONT.String():
			for _, i := range indexes(m.head) {
				k.knows.Clear(i)
			}
		case wire.UNCH.String():
			s.mustKnow([]*knower{k}, func(*remote) bool { return true })
		}
	}
}

// mustKnow wants those remotes that which names to know what we have.
func (s *told) mustKnow(ks []*knower, which func(*remote) bool) {
	s.t.Helper()
	for _, k := range ks {
		if which(s.remotes[k.conn]) && !slices.Equal(k.knows.Bytes(), s.Have().Bytes()) {
			s.t.Errorf("connection %d knows of %d pieces, we have %d", k.conn, k.knows.Count(), s.Have().Count())
		}
	}
}
