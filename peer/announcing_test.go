package peer

import (
	"context"
	"testing"
	"time"

	"starling/peer/wire"
	"starling/piece"
)

// script is an Announcer that notes what it is told and answers as it is set.
type script struct {
	said []Announce
	next Announced
}

func (s *script) Announce(_ context.Context, a Announce) (Announced, error) {
	s.said = append(s.said, a)
	return s.next, nil
}

// TestPartialSeed: who wants no more and has not all says paused, counts what it
// lacks, and has completed nothing (BEP 21).
func TestPartialSeed(t *testing.T) {
	an := &script{next: Announced{Interval: time.Minute}}
	s := newStage(t, 4, func(i int) bool { return i == 0 }, func(cfg *EngineConfig) {
		cfg.Announcer = an
		cfg.Wanted = piece.NewBitfield(4)
		cfg.Wanted.Set(0)
	})
	for range 3 {
		s.h.Advance(2 * time.Minute)
		s.finishJobs()
	}
	want := []AnnounceEvent{EventStarted, EventPaused}
	if len(an.said) < 3 {
		t.Fatalf("%d announces", len(an.said))
	}
	for i, a := range an.said {
		if a.Event != want[min(i, 1)] || a.Left != 3*stagePiece {
			t.Errorf("announce %d: %q, %d left", i, a.Event, a.Left)
		}
	}
}

// TestPrivateTracker: in a private torrent the peers of one tracker go when
// another takes over (BEP 27); else they stay.
func TestPrivateTracker(t *testing.T) {
	for _, private := range []bool{true, false} {
		an := &script{next: Announced{Interval: 10 * time.Second, Tracker: "http://a/announce", Peers: []string{"10.0.0.9:1"}}}
		s := newStage(t, 4, nothing, func(cfg *EngineConfig) { cfg.Announcer, cfg.Private = an, private })
		s.finishJobs()
		c := s.meet(1, wire.HALL)
		if !s.h.Alive(c) || s.cands.by["10.0.0.9:1"] == nil {
			t.Fatal("nobody to lose")
		}
		s.h.Advance(15 * time.Second)
		s.finishJobs()
		if !s.h.Alive(c) {
			t.Fatal("lost though the tracker is the same")
		}
		an.next.Tracker, an.next.Peers = "http://b/announce", []string{"10.0.0.8:1"}
		s.h.Advance(15 * time.Second)
		s.finishJobs()
		if s.h.Alive(c) == private || (s.cands.by["10.0.0.9:1"] == nil) != private || s.cands.by["10.0.0.8:1"] == nil {
			t.Errorf("private %v: connected %v, candidates %v", private, s.h.Alive(c), s.cands.by)
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
}
