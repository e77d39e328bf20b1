package swarm

import (
	"testing"
	"time"
)

// laxStore has peers that keep its interval, "-PR", and others.
func laxStore() *Store {
	cfg := Fleet()
	cfg.Prompt = "-PR"
	return New(cfg)
}

// seen announces peer i under an id that begins with client.
func seen(t *testing.T, s *Store, now time.Duration, i int, client string) {
	t.Helper()
	q := Request{Addr: addrPort(i), Left: 1, NumWant: 0}
	copy(q.PeerID[:], client)
	var r Response
	if err := s.Announce(newRand(), now, &q, &r); err != nil {
		t.Fatal(err)
	}
	s.check(t)
}

// left expires at now and wants n peers left.
func left(t *testing.T, s *Store, now time.Duration, n int) {
	t.Helper()
	s.Expire(now)
	s.check(t)
	if got := s.Totals().Leechers; got != n {
		t.Errorf("after %v: %d peers, want %d", now, got, n)
	}
}

// TestLaxPeersLiveLonger: each class has its own time, whoever announced first.
func TestLaxPeersLiveLonger(t *testing.T) {
	s := laxStore()
	ttl, lax := s.cfg.TTL, s.cfg.LaxTTL
	seen(t, s, 0, 1, "-LT2080-")
	seen(t, s, time.Second, 2, "-PR0001-")
	seen(t, s, 2*time.Second, 3, "-lt0D60-")
	seen(t, s, 3*time.Second, 4, "-PR0002-")
	left(t, s, ttl, 4)
	left(t, s, ttl+time.Second, 3)
	left(t, s, ttl+3*time.Second, 2)
	left(t, s, lax-time.Second, 2)
	left(t, s, lax, 1)
	seen(t, s, lax+time.Second, 3, "-lt0D60-")
	left(t, s, 2*lax, 1)
	left(t, s, 2*lax+time.Second, 0)
	if s.Totals().Swarms != 0 || len(s.queue) != 0 {
		t.Error("the empty swarm is kept")
	}
}

// TestClassFollowsTheID: an address that another client took over lives as that
// client's do, sooner or later than before.
func TestClassFollowsTheID(t *testing.T) {
	s := laxStore()
	ttl, lax := s.cfg.TTL, s.cfg.LaxTTL
	seen(t, s, 0, 1, "-PR0001-")
	seen(t, s, 0, 2, "-LT2080-")
	seen(t, s, time.Second, 1, "-LT2080-")
	seen(t, s, time.Second, 2, "-PR0001-")
	left(t, s, ttl, 2)
	left(t, s, ttl+time.Second, 1)
	left(t, s, lax, 1)
	left(t, s, lax+time.Second, 0)
}

// TestLaxNeverShorter: where our own TTL is the longer one it is everybody's, and
// without a prefix all peers are ours.
func TestLaxNeverShorter(t *testing.T) {
	public := Public()
	public.Prompt = "-PR"
	for _, cfg := range []Config{public, Fleet()} {
		s := New(cfg)
		seen(t, s, 0, 1, "-LT2080-")
		seen(t, s, 0, 2, "-PR0001-")
		left(t, s, cfg.TTL-time.Second, 2)
		left(t, s, cfg.TTL, 0)
	}
}

// TestSnapshotFindsClasses: a restored peer has the class of its id under the
// configuration of the store that reads it.
func TestSnapshotFindsClasses(t *testing.T) {
	s := laxStore()
	seen(t, s, 0, 1, "-LT2080-")
	seen(t, s, 0, 2, "-PR0001-")
	seen(t, s, 0, 3, "-LT2080-")
	b := s.AppendSnapshot(nil)
	for want, prefix := range map[int]string{0: "", 1: "-LT2", 2: "-PR"} {
		cfg := s.cfg
		cfg.Prompt = prefix
		back := New(cfg)
		if n, err := restoreAll(back, b, true); n != 3 || err != nil {
			t.Fatalf("restored %d, %v", n, err)
		}
		back.check(t)
		left(t, back, cfg.TTL, want)
		left(t, back, cfg.LaxTTL, 0)
	}
}
