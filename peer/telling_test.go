package peer

import (
	"encoding/binary"
	"slices"
	"testing"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// tellPieces is a content of so many pieces that a few do not hurry the news of
// them.
const tellPieces = 1024

// told is a leecher among others: a seed that serves it, a remote that wants
// nothing, five that hold its slots, and one that is interested and choked.
type told struct {
	*stage
	seed, calm, served, waits p2p.ConnID
	asked                     []piece.Run // of the seed, not answered yet
	msgs                      []sent      // taken, and not looked at yet
}

func newTold(t *testing.T) *told {
	t.Helper()
	s := &told{stage: newStage(t, tellPieces, func(i int) bool { return i < 4 }, nil)}
	s.seed = s.seedThatServes(1)
	s.calm = s.meet(2, wire.HNON)
	for id := range byte(5) {
		s.served = s.interested(10 + id)
	}
	s.waits = s.interested(20)
	if s.remotes[s.served].amChoking || !s.remotes[s.waits].amChoking {
		t.Fatal("the slots are not as the test wants them")
	}
	s.collect()
	return s
}

// collect takes what was sent, and notes what is asked of the seed.
func (s *told) collect() {
	s.t.Helper()
	msgs, _ := s.take()
	s.msgs = append(s.msgs, msgs...)
	for _, m := range only(msgs, wire.REQU) {
		if m.conn == s.seed {
			s.asked = append(s.asked, m.run())
		}
	}
}

// sent are the messages since the last call.
func (s *told) sent() []sent {
	s.t.Helper()
	s.collect()
	msgs := s.msgs
	s.msgs = nil
	return msgs
}

// fetch lets n more pieces come from the seed, and be verified.
func (s *told) fetch(n int) (got []int) {
	s.t.Helper()
	for len(got) < n {
		if s.collect(); len(s.asked) == 0 {
			s.t.Fatal("nothing is asked for")
		}
		r := s.asked[0]
		s.asked = s.asked[1:]
		s.pieceOf(s.seed, r)
		s.finishJobs()
		if s.Have().Has(r.Piece) { // or a part of it is asked for still
			got = append(got, r.Piece)
		}
	}
	return got
}

// news are the pieces in the HAVEs to each remote since the last call, in order,
// and how many HAVEs there were.
func (s *told) news() (pieces map[p2p.ConnID][]int, messages map[p2p.ConnID]int) {
	s.t.Helper()
	pieces, messages = map[p2p.ConnID][]int{}, map[p2p.ConnID]int{}
	for _, m := range only(s.sent(), wire.HAVE) {
		messages[m.conn]++
		pieces[m.conn] = append(pieces[m.conn], indexes(m.head)...)
	}
	return pieces, messages
}

func indexes(head []byte) (is []int) {
	for ; len(head) >= 4; head = head[4:] {
		is = append(is, int(binary.BigEndian.Uint32(head)))
	}
	return is
}

// TestWhoIsToldWhen: those who can act on a HAVE get it at once, and one that we
// choke and that is interested anyway with others, and not much later.
func TestWhoIsToldWhen(t *testing.T) {
	s := newTold(t)
	var all []int
	for range 3 {
		p := s.fetch(1)
		all = append(all, p...)
		s.h.Advance(haveDelay)
		pieces, _ := s.news()
		for _, c := range []p2p.ConnID{s.calm, s.served, s.seed} {
			if !slices.Equal(pieces[c], p) {
				t.Errorf("connection %d is told of %v, want %v at once", c, pieces[c], p)
			}
		}
		if pieces[s.waits] != nil {
			t.Errorf("the one that waits is told of %v at once", pieces[s.waits])
		}
		s.h.Advance(lazyDelay / 10)
	}
	s.h.Advance(lazyDelay)
	pieces, messages := s.news()
	if !slices.Equal(pieces[s.waits], all) || messages[s.waits] != 1 {
		t.Errorf("the one that waits is told of %v in %d messages, want %v", pieces[s.waits], messages[s.waits], all)
	}
	if len(pieces) != 1 {
		t.Errorf("told twice: %v", pieces)
	}
	s.h.Advance(10 * lazyDelay)
	if pieces, _ := s.news(); len(pieces) != 0 {
		t.Errorf("told again: %v", pieces)
	}
	late := s.greetFrom(30) // its BITF has them all
	p := s.fetch(1)
	s.h.Deliver(late, wire.HNON, "")
	s.h.Advance(lazyDelay)
	if pieces, _ := s.news(); !slices.Equal(pieces[late], p) {
		t.Errorf("one that came late is told of %v, want %v", pieces[late], p)
	}
	s.sound()
}

// TestToldBeforeUnchoked: a remote chooses by what we have as soon as it may, so
// it hears of that first.
func TestToldBeforeUnchoked(t *testing.T) {
	s := newTold(t)
	p := s.fetch(2)
	s.h.Advance(haveDelay)
	s.sent()
	s.h.Deliver(s.served, wire.NINT, "")
	msgs, _ := s.take(s.waits)
	if names(msgs) != "HAVE UNCH" || !slices.Equal(indexes(msgs[0].head), p) {
		t.Errorf("told %v, want HAVE of %v, then UNCH", msgs, p)
	}
	s.h.Advance(2 * lazyDelay)
	if msgs, _ := s.take(s.waits); len(only(msgs, wire.HAVE)) != 0 {
		t.Errorf("told again: %v", msgs)
	}
}

// TestToldWhenItStops: a torrent that ends, or is complete, owes no news.
func TestToldWhenItStops(t *testing.T) {
	s := newTold(t)
	p := s.fetch(1)
	s.news()
	s.Stop()
	if pieces, _ := s.news(); !slices.Equal(pieces[s.waits], p) {
		t.Errorf("told of %v, want %v", pieces[s.waits], p)
	}
}

// TestLostBeforeTold: a piece that is lost before its HAVE went out is not
// announced, and the others are, once.
func TestLostBeforeTold(t *testing.T) {
	s := newTold(t)
	p := s.fetch(3)
	s.news()
	s.lose(p[1:2])
	s.settle()
	pieces, _ := s.news()
	if want := []int{p[0], p[2]}; !slices.Equal(pieces[s.waits], want) || len(s.teller.log) != 0 {
		t.Errorf("told of %v, want %v; %d in the log", pieces[s.waits], want, len(s.teller.log))
	}
	again := s.fetch(1)
	s.h.Advance(haveDelay + lazyDelay)
	if pieces, _ = s.news(); !slices.Equal(pieces[s.waits], again) || !slices.Equal(pieces[s.calm], again) {
		t.Errorf("after the loss: told of %v, want %v", pieces, again)
	}
	s.sound()
}
