package peer

import (
	"context"
	"sync"
	"testing"
	"time"
)

// slowTracker answers a regular announce only when it is let to, and keeps in which
// order announces ended.
type slowTracker struct {
	begun, let chan struct{}
	mu         sync.Mutex
	ended      []string
}

func (s *slowTracker) Announce(ctx context.Context, a Announce) (Announced, error) {
	how := "answered"
	if a.Event == EventNone {
		close(s.begun)
		select {
		case <-s.let:
		case <-ctx.Done():
			how = "cut short"
		}
	}
	s.mu.Lock()
	s.ended = append(s.ended, string(a.Event)+" "+how)
	s.mu.Unlock()
	return Announced{Interval: time.Millisecond}, ctx.Err()
}

// TestStoppedIsLast: a torrent that stops while an announce is under way lets that be
// answered, and says `stopped` after it.
func TestStoppedIsLast(t *testing.T) {
	s := testSession(t, 1, nil)
	p := newPayload(t, "content", 20_000, 16<<10)
	st, have := p.open(t, p.dir, true)
	defer st.Close()
	tracker := &slowTracker{begun: make(chan struct{}), let: make(chan struct{})}
	tor, err := s.Add(TorrentConfig{Meta: p.meta, Store: st, Have: have, Announcer: tracker})
	if err != nil {
		t.Fatal(err)
	}
	<-tracker.begun
	stopped := make(chan error, 1)
	go func() { stopped <- tor.Stop(context.Background()) }()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		stopping := false
		if err := tor.host.Do(func() { stopping = tor.engine.stopping }); err != nil || stopping {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not stop")
		}
	}
	close(tracker.let)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if got := tracker.ended; len(got) != 3 || got[0] != "started answered" || got[1] != " answered" || got[2] != "stopped answered" {
		t.Errorf("announces ended as %q", got)
	}
}

// A tracker that does not answer holds nobody up for longer than lastAnswer.
func TestStopDoesNotWaitForEver(t *testing.T) {
	tracker := &slowTracker{begun: make(chan struct{}), let: make(chan struct{})}
	o := newInOrder(tracker)
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	asking.Go(func() { _, _ = o.Announce(ctx, Announce{}) })
	<-tracker.begun
	began := time.Now()
	o.answered(context.Background())
	if waited := time.Since(began); waited < lastAnswer {
		t.Errorf("waited for %s only", waited)
	}
	impatient, end := context.WithTimeout(ctx, 10*time.Millisecond)
	defer end()
	if _, err := o.Announce(impatient, Announce{Event: EventStopped}); err != context.DeadlineExceeded {
		t.Errorf("an announce beside another: %v", err)
	}
	cancel()
	asking.Wait()
}
