package peer

import (
	"io"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// TestLateNotInterested: that a remote which chokes us has nothing for us any more
// is said late, and not at all if it does not last; that it has something, at once.
func TestLateNotInterested(t *testing.T) {
	const x, y = 40, 41
	meet := func() (s *told, giver, choker p2p.ConnID) {
		s = &told{stage: newStage(t, tellPieces, nothing, nil)}
		s.seed = s.meet(1, wire.HNON)
		choker = s.meet(2, wire.HNON)
		s.sent()
		s.h.Deliver(choker, wire.HAVE, words(x))
		if msgs := s.sent(); names(msgs) != "INTR" || msgs[0].conn != choker {
			t.Fatalf("after its HAVE: %v, want INTR at once", msgs)
		}
		s.h.Deliver(s.seed, wire.HAVE, words(x))
		s.h.Deliver(s.seed, wire.UNCH, "")
		s.fetch(1)
		return s, s.seed, choker
	}
	said := func(s *told, c p2p.ConnID) string {
		var of []sent
		for _, m := range only(s.sent(), wire.INTR, wire.NINT, wire.REQU) {
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
	s.h.Deliver(choker, wire.HAVE, words(y))
	if got := said(s, choker); got != "INTR" {
		t.Errorf("when it has something again: %q", got)
	}
	s.sound()

	s, _, choker = meet()
	s.sent()
	s.h.Deliver(choker, wire.HAVE, words(y))
	s.h.Advance(10 * lazyDelay)
	if got := said(s, choker); got != "" {
		t.Errorf("to one that had something again in time: %q", got)
	}
	s.sound()

	s, _, choker = meet()
	s.h.Deliver(choker, wire.HAVE, words(y))
	s.h.Advance(10 * lazyDelay)
	s.sent()
	s.h.Deliver(choker, wire.DONT, words(y)) // no news of ours is due
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
	s.h.Deliver(choker, wire.UNCH, "")
	if got := said(s, choker); got != "NINT" {
		t.Errorf("to one that unchokes us: %q", got)
	}
	s.h.Advance(10 * lazyDelay)
	if got := said(s, choker); got != "" {
		t.Errorf("and then: %q", got)
	}
	s.sound()
}

// TestRest: a slot at a remote whose pieces all are asked of others is given back,
// and asked for again as soon as there is something to ask for.
func TestRest(t *testing.T) {
	const x, y = 40, 41
	for _, tt := range []struct {
		name string
		then func(s *stage, busy, rests p2p.ConnID)
		want string
		asks int
	}{
		{"nothing happens", func(s *stage, _, _ p2p.ConnID) { s.h.Advance(5 * time.Second) }, "", 0},
		{"the other leaves", func(s *stage, busy, _ p2p.ConnID) { s.h.Hangup(busy, io.EOF) }, "INTR REQU", x},
		{"the other rejects", func(s *stage, busy, _ p2p.ConnID) {
			s.h.Deliver(busy, wire.REJE, wordsOf(s.remotes[busy].requests[0].run))
		}, "INTR NINT", 0}, // which is asked again, and first
		{"the other chokes and rejects", func(s *stage, busy, _ p2p.ConnID) {
			s.h.Deliver(busy, wire.CHOK, "")
			s.h.Deliver(busy, wire.REJE, wordsOf(s.remotes[busy].requests[0].run))
		}, "INTR REQU", x},
		{"the other falls silent", func(s *stage, _, _ p2p.ConnID) { s.h.Advance(requestTimeout + 2*time.Second) },
			"INTR NINT INTR REQU", x}, // it is tried once more first
		{"it has another", func(s *stage, _, rests p2p.ConnID) { s.h.Deliver(rests, wire.HAVE, words(y)) }, "INTR REQU", y},
		{"the piece comes", func(s *stage, busy, _ p2p.ConnID) {
			s.pieceOf(busy, s.remotes[busy].requests[0].run)
			s.finishJobs()
		}, "", 0},
	} {
		s := newStage(t, tellPieces, nothing, nil)
		busy, rests := s.meet(1, wire.HNON), s.meet(2, wire.HNON)
		for _, c := range []p2p.ConnID{busy, rests} {
			s.h.Deliver(c, wire.HAVE, words(x))
			s.h.Deliver(c, wire.UNCH, "")
		}
		msgs, _ := s.take(rests)
		if got := names(only(msgs, wire.INTR, wire.NINT, wire.REQU)); got != "INTR NINT" {
			t.Fatalf("all it has is asked of another: %s", got)
		}
		tt.then(s, busy, rests)
		msgs, _ = s.take(rests)
		said := only(msgs, wire.INTR, wire.NINT, wire.REQU)
		got := names(said)
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		} else if n := len(said); tt.asks > 0 && said[n-1].run().Piece != tt.asks {
			t.Errorf("%s: piece %d is asked for, want %d", tt.name, said[n-1].run().Piece, tt.asks)
		}
		s.sound()
	}
}
