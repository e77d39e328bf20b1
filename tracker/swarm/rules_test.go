package swarm

import (
	"math/rand/v2"
	"testing"
	"time"
)

// New rules hold for the next announce, and for the expiry of who is listed already:
// sooner with a shorter TTL, later with a longer one.
func TestSetRules(t *testing.T) {
	rules := Fleet()
	rules.MaxSwarms = 7
	s := New(rules)
	fill(t, s, 10, 5)
	short := Public()
	short.TTL, short.Interval, short.MinInterval, short.Young, short.LaxTTL = 20*time.Second, 10*time.Second, 2*time.Second, 10*time.Second, 0
	s.SetRules(short)
	s.check(t)
	if s.cfg.MaxSwarms != 7 {
		t.Errorf("the store's bound is %d, which is not to change", s.cfg.MaxSwarms)
	}
	var r Response
	q := Request{Addr: addrPort(500), Left: 0, NumWant: 0}
	if err := s.Announce(newRand(), 5*time.Second, &q, &r); err != nil || r.Interval < 9*time.Second || r.Interval > 11*time.Second || r.MinInterval != 2*time.Second {
		t.Errorf("interval %s, minimum %s, %v", r.Interval, r.MinInterval, err)
	}
	if n := s.Expire(21 * time.Second); n != 15 {
		t.Errorf("%d expired by the new TTL, want 15", n)
	}
	s.check(t)
	long := Fleet()
	s.SetRules(long)
	s.check(t)
	if n := s.Expire(60 * time.Second); n != 0 {
		t.Errorf("%d expired before the longer TTL", n)
	}
	closed := long
	closed.Open = false
	s.SetRules(closed)
	if err := s.Announce(newRand(), 61*time.Second, &Request{Addr: addrPort(501), InfoHash: InfoHash{1}}, &r); err != ErrUnregistered {
		t.Errorf("a closed store: %v", err)
	}
}

// Whatever rules come at whatever moment, the store keeps its invariants.
func TestSetRulesAnyTime(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := New(Fleet())
		now := time.Duration(0)
		var r Response
		for range 300 {
			now += time.Duration(rng.IntN(40)) * time.Second
			switch rng.IntN(4) {
			case 0:
				c := Fleet()
				c.TTL = time.Duration(70+rng.IntN(600)) * time.Second
				c.LaxTTL = time.Duration(rng.IntN(2000)) * time.Second
				c.MaxPerHost, c.Open = rng.IntN(3), rng.IntN(4) > 0
				s.SetRules(c)
			case 1:
				s.Expire(now)
			default:
				q := Request{Addr: addrPort(rng.IntN(40)), Left: int64(rng.IntN(2)), InfoHash: InfoHash{byte(rng.IntN(5))}, NumWant: -1}
				_ = s.Announce(rng, now, &q, &r) // refusals are as good as anything
			}
			s.check(t)
		}
	}
}
