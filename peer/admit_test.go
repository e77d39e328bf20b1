package peer

import (
	"fmt"
	"strings"
	"testing"

	"starling/p2p"
	"starling/peer/wire"
)

// addrOf is where a test peer listens.
func addrOf(id byte) string { return fmt.Sprintf("10.0.0.%d:%d", id, 7000+uint16(id)) }

// dialed are the connections that the engine asked for and that are not closed.
func (s *stage) dialed() (cs []p2p.ConnID) {
	for _, r := range s.order {
		if r.dialed {
			cs = append(cs, r.id)
		}
	}
	return cs
}

// TestPlacesOfThoseWeDial: a crowd that dials us takes the places that are left,
// whether it comes before our dials are answered or after, and none of theirs.
func TestPlacesOfThoseWeDial(t *testing.T) {
	for _, answered := range []bool{false, true} {
		s := newStage(t, stagePieces, nothing, func(cfg *EngineConfig) { cfg.MaxRemotes = 4 })
		s.AddPeers([]string{addrOf(1), addrOf(2)})
		out := s.dialed()
		if len(out) != 2 {
			t.Fatalf("%d dials", len(out))
		}
		answer := func() {
			for i, c := range out {
				s.h.Open(c)
				s.h.Deliver(c, wire.HELO, helloOf(testHello(byte(i+1))))
				s.h.Deliver(c, wire.HALL, "")
			}
		}
		if answered {
			answer()
		}
		s.take()
		var crowd []p2p.ConnID
		for id := range byte(5) {
			crowd = append(crowd, s.greetFrom(10+id))
		}
		admitted := 0
		for _, c := range crowd { // those who came first may have lost their places
			count(&admitted, s.h.Alive(c))
		}
		_, closed := s.take()
		if !answered {
			answer()
		}
		if admitted != 2 || len(closed) != 3 {
			t.Errorf("answered before the crowd %v: %d of it are in, closed %v", answered, admitted, closed)
		}
		for c, reason := range closed {
			if reason != "too_many" {
				t.Errorf("connection %d: %s", c, reason)
			}
		}
		for _, c := range out {
			if r := s.remotes[c]; r == nil || r.phase != ready {
				t.Errorf("answered before the crowd %v: a remote that we dialed has lost its place", answered)
			}
		}
		if len(s.order) != 4 {
			t.Errorf("%d remotes", len(s.order))
		}
		s.sound()
	}
}

// TestPlaceOfAFailedDial: it is free again.
func TestPlaceOfAFailedDial(t *testing.T) {
	s := newStage(t, stagePieces, nothing, func(cfg *EngineConfig) { cfg.MaxRemotes = 2 })
	s.AddPeers([]string{addrOf(1)})
	if a, b := s.greetFrom(10), s.greetFrom(11); s.h.Alive(a) == s.h.Alive(b) {
		t.Error("the place of a dial is taken, or the other is not")
	}
	s.h.Fail(s.dialed()[0])
	if c := s.greetFrom(12); !s.h.Alive(c) {
		t.Error("the place of a dial that failed stays taken")
	}
	s.sound()
}

// TestBothDialWithOnePlace: two that dial each other with a place for one remote
// each come together, whichever dial arrives first.
func TestBothDialWithOnePlace(t *testing.T) {
	for _, id := range []byte{0x10, 0x90} { // less and more than ours
		for _, first := range []string{"theirs", "ours"} {
			s := newStage(t, stagePieces, nothing, func(cfg *EngineConfig) { cfg.MaxRemotes = 1 })
			s.AddPeers([]string{addrOf(id)})
			out := s.dialed()[0]
			var in p2p.ConnID
			answer := func() {
				s.h.Open(out)
				s.h.Deliver(out, wire.HELO, helloOf(testHello(id)))
			}
			if first == "ours" {
				answer()
			}
			in = s.greetFrom(id)
			if first == "theirs" {
				answer()
			}
			_, closed := s.take()
			goes := out // what the smaller peer id dialed stays
			if stageID[0] < id {
				goes = in
			}
			if len(closed) != 1 || closed[goes] != "duplicate" || len(s.order) != 1 {
				t.Errorf("peer %#x, %s first: closed %v, want the duplicate %d", id, first, closed, goes)
			}
			s.sound()
		}
	}
}

// TestDialUpTo: so many are dialed that there is room for those who dial us.
func TestDialUpTo(t *testing.T) {
	for _, tt := range []struct{ most, want int }{{1, 1}, {3, 3}, {16, 16}, {30, 16}, {40, 16}, {50, 20}, {200, 80}} {
		s := newStage(t, stagePieces, nothing, func(cfg *EngineConfig) { cfg.MaxRemotes = tt.most })
		var addrs []string
		for i := range 250 {
			addrs = append(addrs, fmt.Sprintf("10.1.0.%d:6881", i))
		}
		s.AddPeers(addrs)
		for open := 0; open < len(s.dialed()); { // no more than maxHalfOpen are under way
			cs := s.dialed()
			if len(cs)-open > maxHalfOpen {
				t.Fatalf("%d dials under way", len(cs)-open)
			}
			for ; open < len(cs); open++ {
				h := testHello(byte(open))
				h.PeerID[1] = 1
				s.h.Open(cs[open])
				s.h.Deliver(cs[open], wire.HELO, helloOf(h))
				s.h.Deliver(cs[open], wire.HNON, "")
			}
			s.h.Advance(tickEvery)
		}
		if got := len(s.dialed()); got != tt.want {
			t.Errorf("at most %d remotes: %d were dialed, want %d", tt.most, got, tt.want)
		}
		s.sound()
	}
}

// TestNoDialWhenOthersCame: those who dialed us count, too.
func TestNoDialWhenOthersCame(t *testing.T) {
	for _, came := range []int{19, 20} {
		s := newStage(t, stagePieces, nothing, nil)
		for id := range came {
			s.meet(byte(100+id), wire.HNON)
		}
		s.take()
		s.AddPeers([]string{addrOf(1), addrOf(2)})
		if n, want := strings.Count(s.h.Take(), "dial "), 20-came; n != want {
			t.Errorf("%d dials where %d had come, want %d", n, came, want)
		}
	}
}
