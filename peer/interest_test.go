package peer

import (
	"testing"
	"time"

	"starling/p2p"
)

// TestLateNotInterested: that a remote which chokes us has nothing for us any more
// is said late, and not at all if it does not last; that it has something, at once.
func TestLateNotInterested(t *testing.T) {
	const x, y = 40, 41
	meet := func() (s *told, giver, choker p2p.ConnID) {
		s = &told{stage: newStage(t, tellPieces, nothing, nil)}
		s.seed = s.meet(1, typeHaveNone)
		choker = s.meet(2, typeHaveNone)
		s.sent()
		s.h.Deliver(choker, typeHave, words(x))
		if msgs := s.sent(); names(msgs) != "INTR" || msgs[0].conn != choker {
			t.Fatalf("after its HAVE: %v, want INTR at once", msgs)
		}
		s.h.Deliver(s.seed, typeHave, words(x))
		s.h.Deliver(s.seed, typeUnchoke, "")
		s.fetch(1)
		return s, s.seed, choker
	}
	said := func(s *told, c p2p.ConnID) string {
		var of []sent
		for _, m := range only(s.sent(), typeInterest, typeNoInter, typeRequest) {
			if m.conn == c {
				of = append(of, m)
			}
		}
		return names(of)
	}

	s, giver, choker := meet()
	if got := said(s, giver); got != "INTR REQU NINT" {
		t.Errorf("to one that serves us: %s", got)
	}
	s.h.Advance(lazyDelay - time.Millisecond)
	if got := said(s, choker); got != "" {
		t.Errorf("to one that chokes us, at once: %s", got)
	}
	s.h.Advance(time.Millisecond)
	if got := said(s, choker); got != "NINT" {
		t.Errorf("to one that chokes us, after %v: %q", lazyDelay, got)
	}
	s.h.Deliver(choker, typeHave, words(y))
	if got := said(s, choker); got != "INTR" {
		t.Errorf("when it has something again: %q", got)
	}
	s.sound()

	s, _, choker = meet()
	s.sent()
	s.h.Deliver(choker, typeHave, words(y))
	s.h.Advance(10 * lazyDelay)
	if got := said(s, choker); got != "" {
		t.Errorf("to one that had something again in time: %q", got)
	}
	s.sound()

	s, _, choker = meet()
	s.h.Deliver(choker, typeHave, words(y))
	s.h.Advance(10 * lazyDelay)
	s.sent()
	s.h.Deliver(choker, typeDontHave, words(y)) // no news of ours is due
	s.h.Advance(lazyDelay - time.Millisecond)
	if got := said(s, choker); got != "" {
		t.Errorf("to one that lost what it had, at once: %q", got)
	}
	s.h.Advance(time.Millisecond)
	if got := said(s, choker); got != "NINT" {
		t.Errorf("to one that lost what it had: %q", got)
	}
	s.sound()

	s, _, choker = meet()
	s.sent()
	s.h.Deliver(choker, typeUnchoke, "")
	if got := said(s, choker); got != "NINT" {
		t.Errorf("to one that unchokes us: %q", got)
	}
	s.h.Advance(10 * lazyDelay)
	if got := said(s, choker); got != "" {
		t.Errorf("and then: %q", got)
	}
	s.sound()
}
