package peer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

func superSeed(cfg *EngineConfig) { cfg.SuperSeed = true }

// haves are the pieces of HAVEs, in order.
func haves(msgs []sent) (is []int) {
	for _, m := range only(msgs, wire.HAVE) {
		is = append(is, indexes(m.head)...)
	}
	return is
}

// shownTo meets an interested client and returns what it is shown at once.
func (s *stage) shownTo(id byte) (p2p.ConnID, []int) {
	s.t.Helper()
	c := s.foreign(id, fullCaps, wire.HNON)
	s.h.Deliver(c, wire.INTR, "")
	msgs, _ := s.take(c)
	s.sound()
	return c, haves(msgs)
}

// says lets a remote announce a piece, and returns what is sent to conn for it.
func (s *stage) says(c p2p.ConnID, i int, conn p2p.ConnID) []sent {
	s.t.Helper()
	s.take()
	s.h.Deliver(c, wire.HAVE, words(uint32(i)))
	s.sound()
	msgs, _ := s.take(conn)
	return msgs
}

// TestSuperSeedDeclares: who is told what at first. Only a seed that was asked to
// hides anything, and only from those that read no SUGG.
func TestSuperSeedDeclares(t *testing.T) {
	for _, tt := range []struct {
		name  string
		super bool
		have  func(int) bool
		caps  uint16
		want  string
		bits  string
	}{
		{"a client", true, all, fullCaps, "HELO INFO HNON HAVE", ""},
		{"a client of BEP 3 alone", true, all, plainCaps, "HELO BITF HAVE", "\x00\x00"},
		{"one of ours", true, all, wire.CapSuggest, "HELO HALL", ""},
		{"a plain seed", false, all, fullCaps, "HELO INFO HALL", ""},
		{"a leecher", true, func(i int) bool { return i == 1 }, fullCaps, "HELO INFO BITF", "\x40\x00"},
	} {
		s := newStage(t, stagePieces, tt.have, func(cfg *EngineConfig) { cfg.SuperSeed = tt.super })
		c := s.foreign(1, tt.caps, wire.HNON)
		msgs, _ := s.take(c)
		if names(msgs) != tt.want {
			t.Errorf("%s: said %q, want %q", tt.name, names(msgs), tt.want)
			continue
		}
		for _, m := range only(msgs, wire.BITF) {
			if string(m.head) != tt.bits {
				t.Errorf("%s: bits %x", tt.name, m.head)
			}
		}
		for _, m := range only(msgs, wire.INFO) {
			i, err := wire.ParseInfo(m.head)
			if want := names(msgs) == "HELO INFO HALL"; err != nil || i.Flags&wire.InfoUploadOnly != 0 != want {
				t.Errorf("%s: INFO %+v, %v", tt.name, i, err)
			}
		}
		if n := len(haves(msgs)); n != 0 && n != firstOffers {
			t.Errorf("%s: shown %d pieces", tt.name, n)
		}
	}
}

// TestSuperSeedServes: what was shown is served, and what was not is rejected; the
// choker counts the former only.
func TestSuperSeedServes(t *testing.T) {
	s := newStage(t, stagePieces, all, superSeed)
	a, first := s.shownTo(1)
	_, second := s.shownTo(2)
	if both := slices.Concat(first, second); len(both) != 2*firstOffers || slices.Contains(second, first[0]) || slices.Contains(second, first[1]) {
		t.Fatalf("shown %v and %v", first, second)
	}
	if n := s.left(s.remotes[a]); n != firstOffers {
		t.Errorf("%d pieces for it", n)
	}
	s.request(a, runAt(second[0]))
	s.request(a, runAt(first[0]))
	msgs, _ := s.take(a)
	if answers := only(msgs, wire.REJE, wire.PIEC); names(answers) != "REJE PIEC" || answers[1].run().Piece != first[0] {
		t.Errorf("answered with %q", names(msgs))
	}
	s.says(a, first[0], a)
	if n := s.left(s.remotes[a]); n != firstOffers-1 {
		t.Errorf("%d pieces for it, when it has one", n)
	}
}

// TestSuperSeedNext: the next piece comes when another has the one before, or at once
// where there is no other.
func TestSuperSeedNext(t *testing.T) {
	s := newStage(t, 200, all, superSeed)
	a, first := s.shownTo(1)
	if got := haves(s.says(a, first[0], a)); len(got) != firstOffers {
		t.Fatalf("alone with a piece, it is shown %v", got) // its place, and one more
	}
	b, second := s.shownTo(2)
	if got := s.says(a, first[1], a); len(haves(got)) != 0 {
		t.Errorf("before anybody else has it, it is shown %v", haves(got))
	}
	got := haves(s.says(b, first[1], a))
	if len(got) != 2 || slices.Contains(second, got[0]) || slices.Contains(second, got[1]) {
		t.Errorf("when another has it, it is shown %v; the other %v", got, second)
	}
	most := 0
	for r := s.remotes[a]; len(r.offers) > 0; most = max(most, len(r.offers)) {
		i := r.offers[0].piece
		s.says(a, i, a)
		s.says(b, i, a)
	}
	if most != maxOffers { // and no more
		t.Errorf("at most %d at a time", most)
	}
}

// TestSuperSeedLapses: what a remote does not fetch is shown to others, after a time
// in which it could; one that does not pass on gets the next after it.
func TestSuperSeedLapses(t *testing.T) {
	s := newStage(t, 100, all, superSeed)
	a, taken := s.shownTo(1)
	b, idle := s.shownTo(2)
	s.says(a, taken[0], a)
	s.says(a, taken[1], a)
	s.h.Deliver(b, wire.HAVE, words(50)) // somebody is there
	s.take()
	step := func(d time.Duration) {
		for range d / time.Second {
			s.h.Advance(time.Second)
			s.h.Deliver(a, p2p.PING, "")
			s.h.Deliver(b, p2p.PING, "")
			s.sound()
		}
	}
	step(offerWait - 2*time.Second)
	if msgs, _ := s.take(a, b); len(haves(msgs)) != 0 {
		t.Fatalf("shown %v before the time", haves(msgs))
	}
	step(5 * time.Second)
	msgs, _ := s.take(a)
	if got := haves(msgs); len(got) != 1 {
		t.Errorf("one that passes nothing on is shown %v", got)
	}
	_, got := s.shownTo(3)
	for _, i := range idle {
		if !slices.Contains(got, i) && !s.remotes[a].shows(i) {
			t.Errorf("%d was not fetched, and is shown to nobody else: %v", i, got)
		}
	}
}

// TestSuperSeedUnwanted: one that wants none of what it was shown is soon shown more.
func TestSuperSeedUnwanted(t *testing.T) {
	s := newStage(t, 200, all, superSeed)
	b, _ := s.shownTo(2)
	a := s.foreign(1, fullCaps, wire.HNON)
	s.take()
	s.says(b, s.remotes[b].offers[0].piece, b)
	var shown []int
	for range 4 * (unwantedWait + 2*time.Second) / time.Second {
		s.h.Advance(time.Second)
		s.sound()
		msgs, _ := s.take(a)
		if got := haves(msgs); len(got) > 0 {
			shown = append(shown, len(got))
		}
	}
	if !slices.Equal(shown, []int{8, 32, 32, 32}) {
		t.Errorf("shown %v", shown)
	}
}

// TestSuperSeedWaits: who is choked keeps what it was shown: it cannot ask.
func TestSuperSeedWaits(t *testing.T) {
	s := newStage(t, 100, all, superSeed)
	var cs []p2p.ConnID
	for id := range byte(8) {
		c, _ := s.shownTo(id + 1)
		cs = append(cs, c)
	}
	for range 25 { // less than a seed's turn: the same are served
		s.h.Advance(time.Second)
	}
	for _, c := range cs {
		r := s.remotes[c]
		if !r.amChoking {
			continue
		}
		if len(r.offers) != firstOffers || s.now().Sub(r.offers[0].at) > 2*time.Second {
			t.Errorf("%v: %d offers, its time began %v ago", c, len(r.offers), s.now().Sub(r.offers[0].at))
		}
	}
}

// TestSuperSeedLeaver: what one that leaves alone had is shown to others.
func TestSuperSeedLeaver(t *testing.T) {
	s := newStage(t, 4, all, superSeed)
	a, first := s.shownTo(1)
	b, second := s.shownTo(2)
	s.says(a, first[0], a)
	s.h.Hangup(a, nil)
	s.sound()
	s.h.Advance(time.Second)
	s.says(b, second[0], b)
	s.says(b, second[1], b)
	s.h.Advance(time.Second)
	s.sound()
	for _, i := range first {
		if !s.remotes[b].shows(i) {
			t.Errorf("%d is shown to nobody", i)
		}
		s.says(b, i, b)
	}
	if s.spread.active {
		t.Error("somebody else has all, and it goes on")
	}
}

// TestSuperSeedEnds: when each piece is somewhere else everything is told, in steps,
// and then that we want nothing.
func TestSuperSeedEnds(t *testing.T) {
	const pieces = unveilStep + 1000
	s := newStage(t, 1, all, func(cfg *EngineConfig) {
		cfg.SuperSeed = true
		cfg.Geometry = piece.Geometry{TotalLength: pieces * stagePiece, PieceLength: stagePiece}
		cfg.Have = piece.NewBitfield(pieces)
		cfg.Have.SetAll()
	})
	a, first := s.shownTo(1)
	told := len(first)
	h := testHello(2)
	h.Caps = fullCaps
	seed := s.h.Accept("10.0.0.2:40000")
	s.h.Deliver(seed, wire.HELO, helloOf(h))
	s.h.Deliver(seed, wire.HALL, "")
	if _, closed := s.take(a, seed); closed[seed] != "not_needed" {
		t.Fatalf("another seed was closed with %q", closed[seed])
	}
	if n := s.remotes[a].shown.Count(); n != unveilStep+told {
		t.Errorf("told of %d at once", n)
	}
	s.sound()
	s.h.Advance(time.Second)
	msgs, _ := s.take(a)
	last := msgs[len(msgs)-1]
	if i, err := wire.ParseInfo(last.head); last.typ != "INFO" || err != nil || i.Flags&wire.InfoUploadOnly == 0 {
		t.Errorf("the last is %s %x", last.typ, last.head)
	}
	if n := len(haves(msgs)); n != pieces-unveilStep-told || s.remotes[a].shown != nil {
		t.Errorf("told of %d, then of %d", unveilStep, n)
	}
	s.sound()
	b := s.foreign(3, fullCaps, wire.HNON)
	if msgs, _ := s.take(b); names(msgs) != "HELO INFO HALL" {
		t.Errorf("who comes then hears %q", names(msgs))
	}
}

// TestSuperSeedBooks plays clients that come, go, fetch, announce and lie at random:
// the engine's books stay right, nobody is sent what he was not shown, and pieces
// that are somewhere else in the end are told to all.
func TestSuperSeedBooks(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 3))
		s := newStage(t, 24, all, superSeed)
		knows := map[p2p.ConnID]map[int]bool{}
		var ids []p2p.ConnID
		next := byte(1)
		caps := []uint16{plainCaps, fullCaps, fullCaps, wire.CapSuggest}
		settle := func() {
			msgs, closed := s.take()
			for _, m := range msgs {
				switch k := knows[m.conn]; {
				case k == nil:
				case m.typ == "HAVE":
					for _, i := range haves([]sent{m}) {
						k[i] = true
					}
				case m.typ == "HALL":
					for i := range 24 {
						k[i] = true
					}
				case m.typ == "PIEC" && !k[m.run().Piece]:
					t.Fatalf("seed %d: a piece that it was not shown", seed)
				}
			}
			for c := range closed {
				ids = slices.DeleteFunc(ids, func(o p2p.ConnID) bool { return o == c })
			}
			s.sound()
		}
		for range 1500 {
			if len(ids) < 2 || len(ids) < 8 && next < 60 && rng.IntN(20) == 0 {
				h := testHello(next)
				h.Caps = caps[rng.IntN(len(caps))]
				c := s.h.Accept(fmt.Sprintf("10.0.1.%d:40000", next))
				next++
				knows[c] = map[int]bool{}
				ids = append(ids, c)
				s.h.Deliver(c, wire.HELO, helloOf(h))
				s.h.Deliver(c, wire.HNON, "")
				s.h.Deliver(c, wire.INTR, "")
				settle()
			}
			c := ids[rng.IntN(len(ids))]
			i := rng.IntN(24)
			switch rng.IntN(12) {
			default:
				s.request(c, piece.Run{Piece: i, Begin: rng.IntN(2) * piece.BlockSize, Length: piece.BlockSize})
			case 0, 1:
				if knows[c][i] && i > 0 { // the first is had by none: it does not end
					s.h.Deliver(c, wire.HAVE, words(uint32(i)))
				}
			case 2:
				s.h.Deliver(c, []p2p.Type{wire.INTR, wire.NINT}[rng.IntN(2)], "")
			case 3, 4, 5:
				s.h.Drain(c)
			case 6:
				s.h.Advance(time.Duration(rng.IntN(9000)) * time.Millisecond)
			case 7:
				if rng.IntN(8) == 0 {
					s.h.Hangup(c, nil)
					ids = slices.DeleteFunc(ids, func(o p2p.ConnID) bool { return o == c })
				}
			case 8:
				s.h.Deliver(c, wire.DONT, words(uint32(i)))
			}
			settle()
		}
		if !s.spread.active {
			t.Fatalf("seed %d: it ended, and nobody has the first piece", seed)
		}
		var every []uint32
		for i := range uint32(24) {
			every = append(every, i)
		}
		s.h.Deliver(s.meet(200, wire.HNON), wire.HAVE, words(every...))
		settle()
		s.h.Advance(3 * time.Second)
		settle()
		for _, c := range ids {
			if s.remotes[c] != nil && len(knows[c]) != 24 {
				t.Errorf("seed %d: %d knows of %d pieces in the end", seed, c, len(knows[c]))
			}
		}
	}
}

// TestSuperSeedCheck: Check sees offers that are wrong.
func TestSuperSeedCheck(t *testing.T) {
	s := newStage(t, 40, all, superSeed)
	a, first := s.shownTo(1)
	r := s.remotes[a]
	for want, offers := range map[string][]offer{
		"not shown":        {{piece: s.spread.take(s.Engine, r, 1)[0]}},
		"suggested twice":  {{piece: first[0]}, {piece: first[0]}},
		"offers, at most ": make([]offer, maxOffers+1),
	} {
		for i := range offers {
			if len(offers) > maxOffers {
				offers[i].piece = s.spread.take(s.Engine, r, 1)[0]
			}
		}
		kept := r.offers
		r.offers = offers
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Check says %v", want, err)
		}
		r.offers = kept
		s.sound()
	}
	r.queue = []piece.Run{runAt(39 - first[0])}
	r.amChoking = false
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "not shown") {
		t.Errorf("Check says %v", err)
	}
}
