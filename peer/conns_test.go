package peer

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// dialTo makes the engine connect to a peer and hear its HELO.
func (s *stage) dialTo(id byte) p2p.ConnID {
	s.t.Helper()
	s.AddPeers([]string{fmt.Sprintf("10.0.0.%d:%d", id, 7000+uint16(id))})
	c := s.order[len(s.order)-1].id
	s.h.Open(c)
	s.h.Deliver(c, wire.HELO, helloOf(testHello(id)))
	return c
}

// TestDuplicates: of two connections to one peer one stays, and both ends agree
// which: the one that the smaller peer id dialed. Where one side made both the
// older stays.
func TestDuplicates(t *testing.T) {
	const smaller, larger = 0x10, 0x90 // than stageID
	for _, c := range []struct {
		name         string
		id           byte
		first, again string // who dialed: we, they
		stays        string // first, again
	}{
		{"we are smaller and dialed first", larger, "we", "they", "first"},
		{"we are smaller and dialed second", larger, "they", "we", "again"},
		{"we are larger and dialed first", smaller, "we", "they", "again"},
		{"we are larger and dialed second", smaller, "they", "we", "first"},
		{"they dialed twice", larger, "they", "they", "first"},
		{"they dialed twice and are smaller", smaller, "they", "they", "first"},
	} {
		s := newStage(t, stagePieces, nothing, nil)
		connect := func(who string) p2p.ConnID {
			if who == "we" {
				return s.dialTo(c.id)
			}
			return s.greetFrom(c.id)
		}
		first := connect(c.first)
		again := connect(c.again)
		goes, stays := again, first
		if c.stays == "again" {
			goes, stays = first, again
		}
		if _, closed := s.take(); len(closed) != 1 || closed[goes] != "duplicate" {
			t.Errorf("%s: closed %v", c.name, closed)
		}
		s.h.Deliver(stays, wire.HALL, "")
		if r := s.remotes[stays]; r == nil || r.phase != ready || len(s.order) != 1 {
			t.Errorf("%s: the other connection does not work", c.name)
		}
		s.sound()
	}
}

// TestSelf: our own address, whoever told us of it, is dialed once.
func TestSelf(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	s.AddPeers([]string{"10.0.0.99:6881"})
	out := s.order[0].id
	s.h.Open(out)
	in := s.h.Accept("10.0.0.99:50000") // the other end of the same connection
	h := testHello(0)
	h.PeerID, h.ListenPort = stageID, 6881
	s.h.Deliver(in, wire.HELO, helloOf(h))
	if _, closed := s.take(); closed[in] != "self" {
		t.Errorf("closed with %q", closed[in])
	}
	s.h.Hangup(out, p2p.Violation(p2p.ReasonIO, "reset"))
	s.AddPeers([]string{"10.0.0.99:6881"})
	s.h.Advance(20 * time.Minute)
	if len(s.order) != 0 || s.Stats().Candidates != 0 {
		t.Errorf("%d connections to ourselves, %d candidates", len(s.order), s.Stats().Candidates)
	}
}

func TestTooManyRemotes(t *testing.T) {
	s := newStage(t, stagePieces, nothing, func(cfg *EngineConfig) { cfg.MaxRemotes = 3 })
	for id := range byte(4) {
		s.greetFrom(id + 1)
	}
	_, closed := s.take()
	for _, reason := range closed {
		if len(closed) != 1 || reason != "too_many" {
			t.Errorf("closed %v", closed)
		}
	}
	if len(s.order) != 3 {
		t.Errorf("%d remotes", len(s.order))
	}
}

func TestTimeouts(t *testing.T) {
	for name, c := range map[string]struct {
		open   func(s *stage) p2p.ConnID
		after  time.Duration
		reason string
	}{
		"nothing after the connection": {func(s *stage) p2p.ConnID { return s.h.Accept("10.0.0.1:40000") }, handshakeWait, "timeout"},
		"nothing after HELO":           {func(s *stage) p2p.ConnID { return s.greetFrom(1) }, handshakeWait, "timeout"},
		"nothing after the handshake":  {func(s *stage) p2p.ConnID { return s.meet(1, wire.HNON) }, idleAfter, "idle"},
	} {
		s := newStage(t, stagePieces, all, nil)
		id := c.open(s)
		s.take()
		s.h.Advance(c.after - 2*time.Second)
		if _, closed := s.take(); len(closed) != 0 {
			t.Errorf("%s: closed too early", name)
		}
		s.h.Advance(4 * time.Second)
		if _, closed := s.take(); closed[id] != c.reason {
			t.Errorf("%s: closed with %q, want %q", name, closed[id], c.reason)
		}
	}
}

// TestKeepAlive: a connection on which nothing happens is kept by both.
func TestKeepAlive(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.meet(1, wire.HNON)
	s.take()
	for range 10 {
		s.h.Advance(keepAliveAfter)
		s.h.Deliver(c, p2p.PING, "")
	}
	msgs, closed := s.take(c)
	if n := len(only(msgs, p2p.PING)); n < 8 || n > 10 || len(closed) != 0 {
		t.Errorf("%d keep-alives in ten minutes, closed %v", n, closed)
	}
}

// TestAccounts: what was exchanged is counted by peer, over its connections,
// and the books have a bound.
func TestAccounts(t *testing.T) {
	s := newStage(t, stagePieces, func(i int) bool { return i < 5 }, nil)
	got := 0
	for range 2 {
		c := s.seedThatServes(1)
		for _, r := range s.requests(c)[:1] {
			s.pieceOf(c, r)
			got += r.Length
		}
		s.finishJobs()
		s.h.Deliver(c, wire.INTR, "")
		if rs := s.Remotes(); len(rs) != 1 || rs[0].Received != uint64(got) || !rs[0].Seed || !rs[0].UnchokingUs || rs[0].Addr != "10.0.0.1:7001" {
			t.Errorf("remotes %+v", rs)
		}
		s.h.Hangup(c, p2p.Violation(p2p.ReasonIO, "reset"))
	}
	if as := s.Accounts(); len(as) != 1 || as[0].Received != uint64(got) || as[0].PeerID != ([20]byte{1}) {
		t.Errorf("accounts %+v", as)
	}
	var as accounts
	stays := as.open([20]byte{0xff, 0xff})
	for i := range 2 * maxAccounts {
		as.close(as.open([20]byte{byte(i), byte(i >> 8)}))
	}
	if len(as.list) != maxAccounts || len(as.by) != maxAccounts || as.list[0] != stays {
		t.Errorf("%d accounts, %d by id", len(as.list), len(as.by))
	}
}

// waiting is an announcer whose answers are the test's to give.
type waiting struct{ events []AnnounceEvent }

func (w *waiting) Announce(_ context.Context, a Announce) (Announced, error) {
	w.events = append(w.events, a.Event)
	return Announced{Interval: time.Hour}, nil
}

// TestCompletedDuringStarted: the tracker hears of the completion also where the
// first announce took longer than the download.
func TestCompletedDuringStarted(t *testing.T) {
	w := &waiting{}
	var first p2p.Job
	s := newStage(t, 1, nothing, func(cfg *EngineConfig) { cfg.Announcer = w })
	// newStage has finished the first announce: a second, held back, stands
	// for one that takes long.
	s.announce.next, s.announce.running = EventStarted, false
	s.announceNow()
	first = s.h.PopJob(0)
	c := s.seedThatServes(1)
	for range 3 {
		s.answer(c)
	}
	if !s.finished {
		t.Fatal("not complete")
	}
	w.events = nil
	first.Do(context.Background())
	s.h.Return(first)
	s.finishJobs()
	if !slices.Equal(w.events, []AnnounceEvent{EventStarted, EventCompleted}) {
		t.Errorf("the tracker heard %q", w.events)
	}
}
