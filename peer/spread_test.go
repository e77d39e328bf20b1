package peer

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// guided lets a leecher connect that reads suggestions, and wants what we have.
func (s *stage) guided(id byte) p2p.ConnID {
	s.t.Helper()
	c := s.h.Accept("10.0.0." + string('0'+id) + ":40000")
	h := testHello(id)
	h.Caps |= wire.CapSuggest
	s.h.Deliver(c, wire.HELO, helloOf(h))
	s.h.Deliver(c, wire.HNON, "")
	s.h.Deliver(c, wire.INTR, "")
	return c
}

// handedTo are the pieces that a leecher has not announced of those suggested to it,
// or such that it has not asked for.
func (s *stage) handedTo(c p2p.ConnID, unasked bool) (pieces []int) {
	for _, h := range s.remotes[c].handouts {
		if !unasked || !h.asked {
			pieces = append(pieces, h.piece)
		}
	}
	return pieces
}

// suggestedTo takes what was sent and returns the pieces suggested to a leecher.
func (s *stage) suggestedTo(c p2p.ConnID) (pieces []int) {
	s.t.Helper()
	msgs, _ := s.take(c)
	for _, m := range only(msgs, wire.SUGG) {
		for at := 0; at < len(m.head); at += 4 {
			pieces = append(pieces, int(binary.BigEndian.Uint32(m.head[at:])))
		}
	}
	return pieces
}

// fetchAll has a leecher ask for pieces, get them and announce them, if it does.
func (s *stage) fetchAll(c p2p.ConnID, pieces []int, announce bool) {
	s.t.Helper()
	for _, i := range pieces {
		for b := 0; b < stagePiece; b += piece.BlockSize {
			s.request(c, piece.Run{Piece: i, Begin: b, Length: piece.BlockSize})
			s.h.Drain(c)
		}
		if announce {
			s.h.Deliver(c, wire.HAVE, words(uint32(i)))
		}
	}
}

// TestSpreadPassesOn: what a leecher leaves unasked for, or keeps to itself, goes to one
// that waits, once nothing else is left; what waits for our own uplink does not.
func TestSpreadPassesOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		play   func(s *stage, lazy p2p.ConnID)
		after  time.Duration // 0: never
		before time.Duration
	}{
		{"it does not ask", func(*stage, p2p.ConnID) {}, spreadIdle, 0},
		{"it asks for a part", func(s *stage, lazy p2p.ConnID) {
			for _, i := range s.handedTo(lazy, true) {
				s.request(lazy, runAt(i))
				s.h.Drain(lazy)
			}
		}, spreadIdle, 0},
		{"it announces nothing", func(s *stage, lazy p2p.ConnID) {
			for next := s.handedTo(lazy, true); len(next) > 0; next = s.handedTo(lazy, true) {
				s.fetchAll(lazy, next, false)
			}
		}, spreadSilent, spreadSilent - tickEvery},
		{"it waits for us", func(s *stage, lazy p2p.ConnID) {
			for _, i := range s.handedTo(lazy, true) {
				s.request(lazy, runAt(i)) // and its connection moves nothing
			}
		}, 0, spreadWait / 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, stagePieces, all, nil)
			lazy, keen := s.guided(1), s.guided(2)
			s.h.Advance(time.Second)
			tt.play(s, lazy)
			got := 0
			for next := s.handedTo(keen, false); len(next) > 0; next = s.handedTo(keen, false) {
				got += len(next)
				s.fetchAll(keen, next, true)
			}
			kept := s.handedTo(lazy, false)
			if len(kept) == 0 || got+len(kept) != stagePieces {
				t.Fatalf("one holds %v, the other has %d pieces of %d", kept, got, stagePieces)
			}
			s.take()
			s.h.Advance(tt.before)
			if early := s.suggestedTo(keen); len(early) > 0 {
				t.Errorf("%v were suggested to the other within %v", early, tt.before)
			}
			if tt.after == 0 {
				return
			}
			s.h.Advance(tt.after - tt.before + 2*tickEvery)
			s.sound()
			passed := append(s.suggestedTo(keen), s.spread.left...) // those follow once it asks
			slices.Sort(passed)
			slices.Sort(kept)
			if !slices.Equal(passed, kept) {
				t.Errorf("%v were kept, and %v passed on", kept, passed)
			}
		})
	}
}
