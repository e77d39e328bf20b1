package peer

import (
	"errors"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// TestLostPieces: pieces that a Sync loses are wanted again, taken back from
// everybody, served no more, and fetched again with one tried before the rest.
func TestLostPieces(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	a := s.seedThatServes(1)
	b := s.interested(2)
	for _, r := range s.requests(a) {
		if r.Piece < 4 {
			s.pieceOf(a, r)
		}
	}
	s.finishJobs()
	s.h.Advance(10 * haveDelay)
	had := s.pick.NumHave()
	if had == 0 {
		t.Fatal("nothing came")
	}
	lost := []int{}
	for i := range s.pick.Have().Ones() {
		lost = append(lost, i)
	}
	for range 4 {
		s.h.Deliver(b, wire.REQU, wordsOf(runAt(lost[0])))
	}
	s.take()
	s.mem.lose = append([]int{}, lost...)
	s.h.Advance(checkpointEvery + time.Second)
	s.finishJobs()
	s.sound()
	msgs, _ := s.take(b)
	if d := only(msgs, wire.DONT); len(d) != 1 || len(d[0].head) != 4*len(lost) {
		t.Errorf("DONTs %v for %d pieces", d, len(lost))
	}
	if n := len(s.remotes[b].queue); n != 0 {
		t.Errorf("%d requests for lost pieces are still queued", n)
	}
	if st := s.Stats(); st.State != StateError || !errors.Is(st.Err, errLost) || st.PiecesDone != 0 || st.BytesDone != 0 {
		t.Errorf("state %s, error %v, %d pieces done", st.State, st.Err, st.PiecesDone)
	}
	// It goes on by itself: the seed answers whatever it is asked for.
	for range 60 {
		s.answer(a)
	}
	s.sound()
	if !s.finished || s.Stats().State != StateSeeding {
		t.Errorf("state %s with %d pieces", s.Stats().State, s.pick.NumHave())
	}
}

// answer plays a seed for a second.
func (s *stage) answer(c p2p.ConnID) {
	s.t.Helper()
	for runs := s.requests(c); len(runs) > 0; runs = s.requests(c) {
		for _, r := range runs {
			s.pieceOf(c, r)
		}
		s.finishJobs()
	}
	s.h.Advance(time.Second)
	s.finishJobs()
}

// TestSyncThatKeepsFailing: a disk that takes writes and loses them at each
// fsync costs a piece a try, not the whole torrent again and again.
func TestSyncThatKeepsFailing(t *testing.T) {
	s := newStage(t, 200, nothing, nil)
	c := s.seedThatServes(1)
	for range 120 {
		s.mem.lose = []int{}
		for i := range s.pick.Have().Ones() {
			s.mem.lose = append(s.mem.lose, i)
		}
		s.answer(c)
	}
	if got := s.stats.ReceivedPayload; got > 2*uint64(s.geo.TotalLength) {
		t.Errorf("%d bytes fetched of a torrent of %d", got, s.geo.TotalLength)
	}
	if s.finished || s.Stats().State != StateError {
		t.Errorf("state %s", s.Stats().State)
	}
	s.mem.lose = nil
	for range 60 {
		s.answer(c)
	}
	if !s.finished {
		t.Errorf("the disk works again, and the state is %s with %d of %d pieces", s.Stats().State, s.pick.NumHave(), 200)
	}
	s.sound()
}

// TestFinishLosesPieces: the last sync is no different.
func TestFinishLosesPieces(t *testing.T) {
	s := newStage(t, 3, nothing, nil)
	c := s.seedThatServes(1)
	s.mem.lose = []int{1}
	for range 20 {
		s.answer(c)
	}
	if !s.finished || s.stats.ReceivedPayload != uint64(4*stagePiece) {
		t.Errorf("finished %v after %d bytes", s.finished, s.stats.ReceivedPayload)
	}
	s.sound()
}

// TestSyncIsTriedAgain: one that fails and loses nothing stays due.
func TestSyncIsTriedAgain(t *testing.T) {
	s := newStage(t, 64, nothing, nil)
	c := s.seedThatServes(1)
	for _, r := range s.requests(c) {
		s.pieceOf(c, r)
	}
	s.finishJobs()
	s.mem.fail = errors.New("no space left on device")
	s.h.Advance(checkpointEvery + time.Second)
	s.finishJobs()
	if s.unsynced == 0 {
		t.Error("what was not made durable is forgotten")
	}
	s.mem.fail = nil
	s.h.Advance(2 * diskRetry)
	s.finishJobs()
	if s.unsynced != 0 || s.diskErr != nil {
		t.Errorf("%d bytes not durable, error %v", s.unsynced, s.diskErr)
	}
}
