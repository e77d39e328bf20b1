package peer

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
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

// handedTo are the pieces that a leecher is to fetch.
func (s *stage) handedTo(c p2p.ConnID) (pieces []int) {
	for _, h := range s.remotes[c].handouts {
		pieces = append(pieces, h.piece)
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

// fetchAll has a leecher ask for pieces, get them and announce them.
func (s *stage) fetchAll(c p2p.ConnID, pieces []int) {
	s.t.Helper()
	for _, i := range pieces {
		s.request(c, runAt(i))
		s.h.Drain(c)
		s.h.Deliver(c, wire.HAVE, words(uint32(i)))
	}
}

// TestSpreadPassesOn: what a leecher leaves unasked for goes to one that waits, once
// nothing else is left; what waits for our own uplink does not.
func TestSpreadPassesOn(t *testing.T) {
	for name, asks := range map[string]bool{"it does not ask": false, "it waits for us": true} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, stagePieces, all, nil)
			lazy, keen := s.guided(1), s.guided(2)
			s.h.Advance(time.Second)
			if asks {
				for _, i := range s.handedTo(lazy) {
					s.request(lazy, runAt(i)) // and its connection moves nothing
				}
			}
			got := 0
			for next := s.handedTo(keen); len(next) > 0; next = s.handedTo(keen) {
				got += len(next)
				s.fetchAll(keen, next)
			}
			kept := s.handedTo(lazy)
			if len(kept) == 0 || got+len(kept) != stagePieces {
				t.Fatalf("one holds %v, the other has %d pieces of %d", kept, got, stagePieces)
			}
			s.take()
			s.h.Advance(spreadIdle + 2*tickEvery)
			s.sound()
			passed := s.suggestedTo(keen)
			slices.Sort(passed)
			slices.Sort(kept)
			if asks && len(passed) > 0 {
				t.Errorf("%v were suggested to the other, though it waits for them", passed)
			}
			if !asks && !slices.Equal(passed, kept) {
				t.Errorf("%v were left unasked for, and %v suggested to the other", kept, passed)
			}
		})
	}
}
