package peer

import (
	"slices"
	"testing"

	"starling/peer/wire"
	"starling/piece"
)

// TestNewsDuringTheHandshake: what changes between our declaration and the
// remote's is told all the same. Nobody else would ever tell it.
func TestNewsDuringTheHandshake(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	c := s.seedThatServes(1)
	late := s.greetFrom(2) // it has our HELO and our HNON, and is slow to answer
	runs := s.requests(c)
	for _, r := range runs {
		if r.Piece == runs[0].Piece {
			s.pieceOf(c, r)
		}
	}
	s.finishJobs()
	s.h.Advance(10 * haveDelay)
	s.lose([]int{runs[0].Piece})
	s.h.Deliver(late, wire.HNON, "")
	msgs, _ := s.take(late)
	news := only(msgs, wire.HAVE, wire.DONT)
	if names(news) != "HAVE DONT" || slices.ContainsFunc(news, func(m sent) bool { return string(m.head) != words(uint32(runs[0].Piece)) }) {
		t.Errorf("told %v of piece %d", news, runs[0].Piece)
	}
	s.sound()
}

// TestSelectiveLeecherIsNotGuided: suggestions of pieces that it does not want
// would only keep a leecher from those that it wants.
func TestSelectiveLeecherIsNotGuided(t *testing.T) {
	for _, selective := range []bool{false, true} {
		s := newStage(t, stagePieces, nothing, func(cfg *EngineConfig) {
			if selective {
				cfg.Wanted = piece.NewBitfield(stagePieces)
				cfg.Wanted.Set(1)
			}
		})
		msgs, _ := s.take(s.greetFrom(1))
		h, err := wire.ParseHello(only(msgs, wire.HELO)[0].head)
		if err != nil || h.Caps&wire.CapSuggest != 0 == selective {
			t.Errorf("selective %v: capabilities %#x, %v", selective, h.Caps, err)
		}
	}
}
