package peer

import (
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/peer/wire"
)

const idleRTT = 30 * time.Millisecond

// newIdle is a seed under a policy, with a round trip of idleRTT to each remote.
func newIdle(t *testing.T, policy string) *stage {
	t.Helper()
	return newStage(t, stagePieces, all, func(cfg *EngineConfig) {
		p, err := choke.New(policy, choke.Default())
		if err != nil {
			t.Fatal(err)
		}
		cfg.Policy = p
	})
}

// far meets a remote that is idleRTT away and interested.
func (s *stage) far(id byte) p2p.ConnID {
	s.t.Helper()
	c := s.greetFrom(id)
	s.h.Advance(idleRTT)
	s.h.Deliver(c, wire.HNON, "")
	s.h.Deliver(c, wire.INTR, "")
	return c
}

func (s *stage) serves(c p2p.ConnID) bool { return !s.remotes[c].amChoking }

// TestIdleSlotPassesOn: in the cooperative policy one that asks for nothing loses
// its slot after idleSlot and two round trips to one that waits, and one that asks
// keeps it. In tit-for-tat it keeps it, too.
func TestIdleSlotPassesOn(t *testing.T) {
	for _, policy := range []string{choke.Cooperative, choke.TitForTat} {
		s := newIdle(t, policy)
		lazy := s.far(1)
		since := s.now()
		for id := range byte(s.maxSlots - 1) {
			s.request(s.far(10+id), runAt(3)) // its PIEC stays on its way
		}
		waits := s.far(50)
		if !s.serves(lazy) || s.serves(waits) {
			t.Fatalf("%s: the slots are not as the test wants them", policy)
		}
		s.h.Advance(idleSlot + 2*idleRTT - s.now().Sub(since) - time.Millisecond)
		if !s.serves(lazy) {
			t.Errorf("%s: choked before its time", policy)
		}
		s.h.Advance(time.Millisecond)
		if passed := policy == choke.Cooperative; s.serves(lazy) == passed || s.serves(waits) != passed {
			t.Errorf("%s: after %v the lazy one is served %v, the other %v", policy, idleSlot+2*idleRTT, s.serves(lazy), s.serves(waits))
		}
		s.h.Advance(3 * time.Second)
		s.sound()
		if policy == choke.TitForTat && !s.serves(lazy) {
			t.Error("tit-for-tat takes a slot before the next rechoke")
		}
	}
}

// TestIdleSlotNobodyWants: it stays with its holder, until somebody comes.
func TestIdleSlotNobodyWants(t *testing.T) {
	s := newIdle(t, choke.Cooperative)
	lazy := s.far(1)
	for id := range byte(s.maxSlots - 1) {
		s.request(s.far(10+id), runAt(3))
	}
	s.h.Advance(5 * time.Second)
	if msgs, _ := s.take(lazy); len(only(msgs, wire.CHOK)) != 0 || !s.serves(lazy) {
		t.Error("choked, and nobody waits")
	}
	if c := s.far(50); !s.serves(c) || s.serves(lazy) {
		t.Error("who comes does not get the idle slot at once")
	}
	s.sound()
}

// TestAskingKeepsTheSlot: the time begins anew when the last PIEC has left, however
// long that took.
func TestAskingKeepsTheSlot(t *testing.T) {
	s := newIdle(t, choke.Cooperative)
	asks := s.far(1)
	for id := range byte(s.maxSlots - 1) {
		s.request(s.far(10+id), runAt(3))
	}
	waits := s.far(50)
	after := idleSlot + 2*idleRTT
	for i, took := range []time.Duration{0, after / 2, 4 * after} {
		s.request(asks, runAt(5))
		s.h.Advance(took)
		s.h.Drain(asks)
		s.h.Advance(after * 9 / 10)
		if !s.serves(asks) || s.serves(waits) {
			t.Fatalf("round %d: a PIEC that took %v, and %v after it the slot is gone", i, took, after*9/10)
		}
	}
	s.h.Advance(after)
	if s.serves(asks) || !s.serves(waits) {
		t.Error("the slot does not pass on when the asking ends")
	}
	s.sound()
}
