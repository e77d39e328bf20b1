package peer

import (
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/peer/wire"
)

// newFull is a peer with half of the pieces, and as many remotes as it may have:
// they have nothing and want nothing.
func newFull(t *testing.T, places int) (*stage, []p2p.ConnID) {
	t.Helper()
	s := newStage(t, stagePieces, func(i int) bool { return i%2 == 0 }, func(cfg *EngineConfig) { cfg.MaxRemotes = places })
	var cs []p2p.ConnID
	for id := range byte(places) {
		cs = append(cs, s.meet(10+id, wire.HNON))
	}
	return s, cs
}

// pass lets time pass, in which the remotes keep their connections alive and each
// second does what do does.
func (s *stage) pass(d time.Duration, do func()) {
	for range d / time.Second {
		s.h.Advance(time.Second)
		for _, r := range s.order {
			s.h.Deliver(r.id, p2p.PING, "")
		}
		if do != nil {
			do()
		}
	}
}

// TestUselessGiveWay: remotes that trickle keep-alives hold all places for a
// minute, and then one of them gives way to each who comes, one in ten seconds.
func TestUselessGiveWay(t *testing.T) {
	s, cs := newFull(t, 4)
	refused := func(id byte) bool {
		c := s.greetFrom(id)
		_, closed := s.take()
		return closed[c] == "too_many" && len(closed) == 1
	}
	s.pass(uselessAfter-2*time.Second, nil)
	if !refused(50) {
		t.Error("displaced before its time")
	}
	s.pass(4*time.Second, nil)
	c := s.meet(51, wire.HNON)
	_, closed := s.take()
	if len(closed) != 1 || closed[cs[0]] != "too_many" || !s.h.Alive(c) || len(s.order) != 4 {
		t.Errorf("closed %v, want the first that came", closed)
	}
	if !refused(52) {
		t.Error("two are displaced at a time")
	}
	s.pass(displaceEvery, nil)
	s.meet(53, wire.HNON)
	if _, closed = s.take(); len(closed) != 1 || closed[cs[1]] != "too_many" {
		t.Errorf("closed %v, want the second that came", closed)
	}
	s.sound()
}

// TestWhoMayStay: of a full house one is displaced or none, by what it does.
func TestWhoMayStay(t *testing.T) {
	const long = 30 * time.Minute
	for _, tt := range []struct {
		name  string
		begin func(s *stage, c p2p.ConnID)
		each  func(s *stage, c p2p.ConnID) // second
		after time.Duration                // it may be displaced, and not a second before; long: never
	}{
		{name: "does nothing", after: uselessAfter},
		{name: "says it is interested and asks for nothing", after: uselessAfter,
			begin: func(s *stage, c p2p.ConnID) { s.h.Deliver(c, wire.INTR, "") }},
		{name: "waits for a slot", after: long,
			begin: func(s *stage, c p2p.ConnID) {
				s.cfg.Policy = choke.NewSwitching(miser{}, miser{})
				s.h.Deliver(c, wire.INTR, "")
			}},
		{name: "has something and chokes us", after: placePatience,
			begin: func(s *stage, c p2p.ConnID) { s.h.Deliver(c, wire.HAVE, words(1)) }},
		{name: "unchokes us and sends nothing", after: placePatience,
			begin: func(s *stage, c p2p.ConnID) {
				s.h.Deliver(c, wire.HAVE, words(1))
				s.h.Deliver(c, wire.UNCH, "")
			}},
		{name: "takes", after: long,
			begin: func(s *stage, c p2p.ConnID) { s.h.Deliver(c, wire.INTR, "") },
			each:  func(s *stage, c p2p.ConnID) { s.request(c, runAt(0)); s.h.Drain(c) }},
		{name: "takes a block in half a minute", after: uselessAfter,
			begin: func(s *stage, c p2p.ConnID) { s.h.Deliver(c, wire.INTR, "") },
			each: func(s *stage, c p2p.ConnID) {
				if s.now().Second()%30 == 7 {
					s.request(c, runAt(0))
					s.h.Drain(c)
				}
			}},
	} {
		s, cs := newFull(t, 1)
		c := cs[0]
		since := s.now()
		if tt.begin != nil {
			tt.begin(s, c)
		}
		at := long
		for d := time.Second; d < long && at == long; d += time.Second {
			s.pass(time.Second, func() {
				if tt.each != nil {
					tt.each(s, c)
				}
			})
			if !s.h.Alive(c) {
				t.Fatalf("%s: closed by itself", tt.name)
			}
			if s.remotes[c].overstays(s.now()) > 0 {
				at = s.now().Sub(since)
			}
		}
		if at != tt.after && at != tt.after+time.Second {
			t.Errorf("%s: may be displaced after %v, want %v", tt.name, at, tt.after)
		}
	}
}

// TestUselessAreDialedAround: a house full of remotes that are of no use keeps us
// from nobody whom we could dial, and is emptied no faster than it must be.
func TestUselessAreDialedAround(t *testing.T) {
	s, _ := newFull(t, 5)
	s.AddPeers([]string{addrOf(1), addrOf(2)})
	s.pass(uselessAfter-2*time.Second, nil)
	if len(s.dialed()) != 0 {
		t.Error("dialed with no place to offer")
	}
	s.pass(6*time.Second, nil)
	if _, closed := s.take(); len(s.dialed()) != 1 || len(closed) != 1 || len(s.order) != 5 {
		t.Fatalf("%d dials, closed %v", len(s.dialed()), closed)
	}
	s.h.Open(s.dialed()[0])
	s.h.Deliver(s.dialed()[0], wire.HELO, helloOf(testHello(1)))
	s.h.Deliver(s.dialed()[0], wire.HNON, "")
	s.pass(displaceEvery+2*time.Second, nil)
	if _, closed := s.take(); len(s.dialed()) != 2 || len(closed) != 1 {
		t.Errorf("%d dials, closed %v", len(s.dialed()), closed)
	}
	s.pass(4*displaceEvery, nil)
	if _, closed := s.take(); len(closed) != 0 {
		t.Errorf("closed %v, and nobody is there to dial", closed)
	}
	s.sound()
}

// TestHoldersOfAllPlaces: a leecher whose places all are taken by some who say that
// they are interested, ask for nothing and keep their connections alive gets the
// content all the same, from a seed that comes later.
func TestHoldersOfAllPlaces(t *testing.T) {
	const places = 6
	s, cs := newFull(t, places)
	for _, c := range cs {
		s.h.Deliver(c, wire.INTR, "")
	}
	s.take()
	var seed p2p.ConnID
	tries := 0
	for seed == 0 && tries < 300 {
		tries++
		c := s.greetFrom(1)
		if s.h.Alive(c) {
			seed = c
		}
		s.pass(time.Second, nil)
	}
	if seed == 0 {
		t.Fatalf("the seed is kept out after %d s", tries)
	}
	t.Logf("the seed is in after %d s", tries)
	s.h.Deliver(seed, wire.HALL, "")
	s.h.Deliver(seed, wire.UNCH, "")
	for range 60 {
		s.answer(seed)
	}
	if !s.finished {
		t.Errorf("%d of %d pieces", s.pick.NumHave(), stagePieces)
	}
	s.sound()
}

// TestReshuffle: of a crowd that dials at once each has the same chance of a
// place, whoever came first; those with whom something has begun, and those who
// came a while ago, keep theirs.
func TestReshuffle(t *testing.T) {
	const places, crowd, rounds = 10, 100, 40
	early := 0
	for seed := range uint64(rounds) {
		s := newStage(t, stagePieces, all, func(cfg *EngineConfig) { cfg.MaxRemotes = places })
		for range 1000 * seed { // draws of its own
			s.h.Rand().Uint64()
		}
		var cs []p2p.ConnID
		for id := range byte(crowd) {
			cs = append(cs, s.greetFrom(id+1))
		}
		if len(s.order) != places {
			t.Fatalf("%d remotes, %d places", len(s.order), places)
		}
		for _, c := range cs[:crowd/2] {
			count(&early, s.h.Alive(c))
		}
		s.sound()
	}
	// 200 expected; the deviation is 10 at most.
	if early < 160 || early > 240 {
		t.Errorf("%d of %d places went to the first half of the crowd", early, places*rounds)
	}

	for _, keep := range []string{"served", "settled"} {
		s := newStage(t, stagePieces, all, func(cfg *EngineConfig) { cfg.MaxRemotes = 2 })
		first := []p2p.ConnID{s.meet(1, wire.HNON), s.meet(2, wire.HNON)}
		if keep == "served" {
			for _, c := range first {
				s.h.Deliver(c, wire.INTR, "") // gets a slot
			}
		} else {
			s.pass(settledAfter, nil)
		}
		for id := range byte(50) {
			s.greetFrom(id + 10)
		}
		if !s.h.Alive(first[0]) || !s.h.Alive(first[1]) || len(s.order) != 2 {
			t.Errorf("%s: a place was lost", keep)
		}
	}
}
