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

// moody is a script that fails as long as err is set.
type moody struct {
	script
	err error
}

func (m *moody) Announce(ctx context.Context, a Announce) (Announced, error) {
	out, _ := m.script.Announce(ctx, a)
	return out, m.err
}

// TestRetries: whom the tracker has answered once keeps his pace when it fails; a
// newcomer asks again soon, and then each minute.
func TestRetries(t *testing.T) {
	whole := func(int) bool { return true }
	for _, c := range []struct {
		name     string
		have     func(int) bool
		answered Announced     // before it fails; zero: never
		wait     time.Duration // then, give or take a tenth
	}{
		{name: "a seed", have: whole, answered: Announced{Interval: time.Minute, MinInterval: 10 * time.Second}, wait: time.Minute},
		{name: "who needs peers", have: nothing, answered: Announced{Interval: time.Minute, MinInterval: 10 * time.Second}, wait: 10 * time.Second},
		{name: "who needs peers of a public tracker", have: nothing, answered: Announced{Interval: time.Hour, MinInterval: 30 * time.Minute}, wait: hungryRetry},
	} {
		an := &moody{script: script{next: c.answered}}
		s := newStage(t, 4, c.have, func(cfg *EngineConfig) { cfg.Announcer = an })
		s.finishJobs()
		an.err = errLost
		s.h.Advance(time.Hour * 11 / 10)
		s.finishJobs()
		for range 10 {
			failed := len(an.said)
			s.h.Advance(c.wait*9/10 - time.Millisecond)
			s.finishJobs()
			if len(an.said) != failed {
				t.Errorf("%s asks again within %v", c.name, c.wait*9/10)
			}
			s.h.Advance(c.wait/5 + 2*time.Millisecond)
			s.finishJobs()
			if len(an.said) != failed+1 {
				t.Errorf("%s asks %d times within %v", c.name, len(an.said)-failed, c.wait*11/10)
			}
		}
	}

	an := &moody{err: errLost}
	s := newStage(t, 4, nothing, func(cfg *EngineConfig) { cfg.Announcer = an })
	s.finishJobs()
	for wait := firstRetry; wait < 5*lastRetry; wait *= 2 {
		failed := len(an.said)
		s.h.Advance(min(wait, lastRetry))
		s.finishJobs()
		if n := len(an.said) - failed; n < 1 || n > 2 {
			t.Errorf("a newcomer asks %d times within %v", n, wait)
		}
	}
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
