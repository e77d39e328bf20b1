package peer

import (
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
	"starling/piece"
)

// requests are the runs that were asked of c since the last take.
func (s *stage) requests(c p2p.ConnID) (runs []piece.Run) {
	msgs, _ := s.take(c)
	for _, m := range only(msgs, wire.REQU) {
		runs = append(runs, m.run())
	}
	return runs
}

// seedThatServes meets a seed that unchokes us.
func (s *stage) seedThatServes(id byte) p2p.ConnID {
	s.t.Helper()
	c := s.meet(id, wire.HALL)
	s.h.Deliver(c, wire.UNCH, "")
	return c
}

// TestHaveOnlyWhenVerified: a HAVE is sent after the piece's verdict and not
// before, and none for a corrupt piece.
func TestHaveOnlyWhenVerified(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	other := s.meet(2, wire.HNON)
	c := s.seedThatServes(1)
	runs := s.requests(c)
	for _, r := range runs {
		if r.Piece == runs[0].Piece {
			s.pieceOf(c, r)
		}
	}
	s.h.Advance(10 * haveDelay)
	if msgs, _ := s.take(other); len(only(msgs, wire.HAVE)) != 0 {
		t.Error("a HAVE before the piece was verified")
	}
	s.finishJobs()
	s.h.Advance(10 * haveDelay)
	msgs, _ := s.take(other)
	if have := only(msgs, wire.HAVE); len(have) != 1 || string(have[0].head) != words(uint32(runs[0].Piece)) {
		t.Errorf("after the verdict: %v", have)
	}

	for _, r := range runs {
		if r.Piece != runs[0].Piece {
			s.h.DeliverBody(c, wire.PIEC, words(uint32(r.Piece), uint32(r.Begin)), p2ptest.NewBody(make([]byte, r.Length)))
		}
	}
	s.finishJobs()
	s.h.Advance(10 * haveDelay)
	if msgs, _ := s.take(other); len(only(msgs, wire.HAVE)) != 0 {
		t.Error("a HAVE for a corrupt piece")
	}
	if s.stats.CorruptPieces == 0 || s.pick.NumHave() != 1 {
		t.Errorf("%d corrupt pieces, %d had", s.stats.CorruptPieces, s.pick.NumHave())
	}
	if s.remotes[c] != nil {
		t.Error("who sent corrupt pieces is still connected")
	}
}

// TestUnsolicitedPieces: three close the connection; all of it is waste, and
// none of it earns anything.
func TestUnsolicitedPieces(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	c := s.meet(1, wire.HALL)
	s.take()
	for i := range maxUnrequested {
		if _, closed := s.take(); len(closed) != 0 {
			t.Fatalf("closed after %d", i)
		}
		if rate := s.remotes[c].in.rate.Value(s.now()); rate != 0 {
			t.Errorf("a rate of %v for what nobody asked for", rate)
		}
		if body := s.pieceOf(c, runAt(i)); body.Released != 1 {
			t.Errorf("body released %d times", body.Released)
		}
	}
	if _, closed := s.take(); closed[c] != "flood" {
		t.Errorf("closed with %q", closed[c])
	}
	if w := s.stats.WastedUnrequested; w != maxUnrequested*piece.BlockSize {
		t.Errorf("%d bytes of waste", w)
	}
	if s.h.Jobs() != 0 || s.pick.NumHave() != 0 {
		t.Error("some of it was kept")
	}
	// What came unasked does not count as the first byte either.
	d := s.seedThatServes(2)
	s.pieceOf(d, s.requests(d)[0])
	if len(s.events) == 0 || s.events[0].Kind != FirstByte {
		t.Errorf("events %v", s.events)
	}
}

// TestNothingButPiecesEarns: a remote that owes us and sends other messages
// earns no rate with them and does not keep what it owes.
func TestNothingButPiecesEarns(t *testing.T) {
	s := newStage(t, 64, nothing, nil)
	c := s.seedThatServes(1)
	owed := len(s.requests(c)) * stagePiece
	for range 100 {
		s.h.Deliver(c, p2p.T("JUNK"), strings.Repeat("x", 60<<10))
		s.h.Advance(100 * time.Millisecond)
	}
	r := s.remotes[c]
	if r.in.total > uint64(owed) {
		t.Errorf("%d bytes of junk counted as payload, %d were asked for", r.in.total, owed)
	}
	for range 45 {
		s.h.Deliver(c, p2p.PING, "")
		s.h.Advance(time.Second)
	}
	if !r.requests[0].released {
		t.Error("after 55 s without a PIEC its requests are still its own")
	}
	s.sound()
}

// TestEndgame: the last run is asked of a second remote that has nothing else
// to do; when one has sent it the other is told to forget it. What still comes
// is a duplicate and no offence.
func TestEndgame(t *testing.T) {
	s := newStage(t, 1, nothing, nil)
	a := s.seedThatServes(1)
	runs := s.requests(a)
	s.h.Advance(300 * time.Millisecond)
	b := s.seedThatServes(2)
	again := s.requests(b)
	if len(runs) == 0 || len(again) == 0 {
		t.Fatalf("asked %v of one and %v of the other", runs, again)
	}
	for _, r := range again {
		s.pieceOf(b, r)
	}
	msgs, _ := s.take(a)
	if len(only(msgs, wire.CANC)) == 0 {
		t.Fatalf("sent %q", names(msgs))
	}
	s.sound()
	for _, r := range runs {
		s.pieceOf(a, r)
	}
	s.sound()
	if s.remotes[a] == nil || s.stats.WastedUnrequested != 0 || s.stats.WastedDuplicate == 0 {
		t.Errorf("its answer: %d unrequested, %d duplicate", s.stats.WastedUnrequested, s.stats.WastedDuplicate)
	}
	s.finishJobs()
	if !s.finished {
		t.Error("not complete")
	}
}

// TestRejectedInACircle: one who serves us and rejects everything is closed.
func TestRejectedInACircle(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	c := s.seedThatServes(1)
	for n := 0; s.h.Alive(c); n++ {
		if n > 2*maxQueue {
			t.Fatal("it may go on for ever")
		}
		r := s.remotes[c].requests[0].run
		s.h.Deliver(c, wire.REJE, wordsOf(r))
		s.sound()
	}
	if _, closed := s.take(); closed[c] != "flood" {
		t.Errorf("closed with %q", closed[c])
	}
}

// TestWholeOvertakesPart: a piece comes whole from one remote while a part of
// it, from another that was given up, is on its way to the disk. Whatever job
// ends first, the verdict is one and the books are right.
func TestWholeOvertakesPart(t *testing.T) {
	for _, order := range [][]int{{0, 0}, {1, 0}} {
		s := newStage(t, 1, nothing, nil)
		part, whole := runAt(0), piece.Run{Length: stagePiece}
		a := s.meet(1, wire.HALL)
		b := s.meet(2, wire.HALL)
		s.request0(a, part)
		s.giveUp(s.remotes[a])
		s.request0(b, whole)
		s.pieceOf(a, part)
		s.pieceOf(b, whole)
		s.sound()
		for _, i := range order {
			s.h.FinishJob(i)
		}
		s.finishJobs()
		s.sound()
		if !s.finished || s.stats.CorruptPieces != 0 {
			t.Errorf("order %v: finished %v, %d corrupt", order, s.finished, s.stats.CorruptPieces)
		}
	}
}

// request0 asks a remote for a run, whatever the picker would say.
func (s *stage) request0(c p2p.ConnID, r piece.Run) { s.Engine.request(s.remotes[c], r, s.now()) }

// TestDontHave: a HAVE that is taken back leaves every count as if it had never
// been, from a seed too; somebody who says nothing else is closed.
func TestDontHave(t *testing.T) {
	s := newStage(t, stagePieces, func(i int) bool { return i < 5 }, nil)
	c := s.meet(1, wire.HALL)
	s.h.Deliver(c, wire.DONT, words(2, 7))
	s.sound()
	if a := s.pick.Availability(7); a != 0 {
		t.Errorf("availability %d of a piece that nobody has", a)
	}
	if r := s.remotes[c]; r.seed || r.have.Count() != stagePieces-2 {
		t.Errorf("seed %v, %d pieces", r.seed, r.have.Count())
	}
	s.h.Deliver(c, wire.HAVE, words(2, 7))
	s.sound()
	if r := s.remotes[c]; !r.seed {
		t.Error("it has all again and is no seed")
	}
	for range maxRetracted {
		s.h.Deliver(c, wire.DONT, words(3))
	}
	if _, closed := s.take(); closed[c] != "flood" {
		t.Errorf("closed with %q", closed[c])
	}
	s.sound()
}
