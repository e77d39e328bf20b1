package swarm

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(4711, 42)) }

// fill lists n leechers 10.0.x.y with ports from 1000 and then seeds, at time 0.
func fill(t testing.TB, s *Store, leechers, seeds int) {
	t.Helper()
	rng := newRand()
	var r Response
	for i := range leechers + seeds {
		q := Request{Addr: addrPort(i), Left: 1, NumWant: 0}
		if i >= leechers {
			q.Left = 0
		}
		q.PeerID[0], q.PeerID[1] = byte(i), byte(i>>8)
		if err := s.Announce(rng, 0, &q, &r); err != nil {
			t.Fatal(err)
		}
	}
}

func addrPort(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(1000+i))
}

func TestNumWant(t *testing.T) {
	s := New(Fleet())
	fill(t, s, 300, 0)
	for _, c := range []struct{ ask, want int }{{0, 0}, {-1, 50}, {-5, 50}, {7, 7}, {1_000_000_000, 100}} {
		var r Response
		q := Request{Addr: addrPort(9999), Left: 1, NumWant: c.ask}
		if err := s.Announce(newRand(), 0, &q, &r); err != nil || r.NumPeers() != c.want {
			t.Errorf("numwant %d: %d peers, %v; want %d", c.ask, r.NumPeers(), err, c.want)
		}
		s.swarms[InfoHash{}].v4.peers[0].tokens = burst
	}
}

func TestSeedsGetNoSeeds(t *testing.T) {
	s := New(Fleet())
	fill(t, s, 3, 40)
	var r Response
	q := Request{Addr: addrPort(9999), Left: 0, NumWant: -1}
	if err := s.Announce(newRand(), 0, &q, &r); err != nil || r.NumPeers() != 3 || r.Complete != 41 {
		t.Fatalf("a seed got %d peers, %v, %+v", r.NumPeers(), err, r.Counts)
	}
	q = Request{Addr: addrPort(9998), Left: 5, Event: Paused, NumWant: -1}
	if err := s.Announce(newRand(), 0, &q, &r); err != nil || r.NumPeers() != 3 {
		t.Fatalf("a partial seed got %d peers, %v", r.NumPeers(), err)
	}
	if want := (Counts{Complete: 41, Incomplete: 4, Downloaders: 3}); r.Counts != want {
		t.Fatalf("counts %+v, want %+v", r.Counts, want)
	}
}

func TestStoppedNeedsThePeerID(t *testing.T) {
	s := New(Fleet())
	var r Response
	q := Request{Addr: addrPort(1), PeerID: [20]byte{1}, Left: 1}
	announce := func(e Event, id byte) {
		t.Helper()
		q.Event, q.PeerID[0] = e, id
		if err := s.Announce(newRand(), 0, &q, &r); err != nil {
			t.Fatal(err)
		}
	}
	announce(Started, 1)
	announce(Started, 2) // the process was restarted on its port
	announce(Stopped, 1) // and the old one's goodbye is late
	if r.Incomplete != 1 {
		t.Fatal("a late stopped removed the successor")
	}
	announce(Stopped, 2)
	if r.Incomplete != 0 || s.Totals() != (Totals{}) {
		t.Fatalf("after stopped: %+v", s.Totals())
	}
}

func TestCompletedCountsOnce(t *testing.T) {
	s := New(Fleet())
	var r Response
	at := func(a string, e Event, left int64) uint32 {
		t.Helper()
		q := Request{Addr: netip.MustParseAddrPort(a), Event: e, Left: left, PeerID: [20]byte{7}}
		if err := s.Announce(newRand(), 0, &q, &r); err != nil {
			t.Fatal(err)
		}
		return r.Downloaded
	}
	at("10.0.0.1:7", Started, 1)
	at("[fd00::1]:7", Started, 1)
	for i, got := range []uint32{
		at("10.0.0.1:7", Completed, 0), at("10.0.0.1:7", Completed, 0), at("[fd00::1]:7", Completed, 0),
	} {
		if got != 1 {
			t.Errorf("announce %d: downloaded %d, want 1", i, got)
		}
	}
	at("10.0.0.2:7", Started, 0)
	if got := at("10.0.0.2:7", Completed, 0); got != 1 {
		t.Errorf("one who came complete counts as a download: %d", got)
	}
}

func TestMappedAddressIsIPv4(t *testing.T) {
	s := New(Fleet())
	var r Response
	for _, a := range []string{"[::ffff:10.0.0.1]:9", "10.0.0.1:9"} {
		q := Request{Addr: netip.MustParseAddrPort(a), Left: 1}
		if err := s.Announce(newRand(), 0, &q, &r); err != nil || r.Incomplete != 1 {
			t.Fatalf("%s: %+v %v", a, r.Counts, err)
		}
	}
}

func TestAdmission(t *testing.T) {
	cfg := Fleet()
	cfg.Open, cfg.MaxSwarms = false, 1
	s := New(cfg)
	var r Response
	q := Request{InfoHash: InfoHash{1}, Addr: addrPort(1), Left: 1}
	if err := s.Announce(newRand(), 0, &q, &r); !errors.Is(err, ErrUnregistered) || r.Interval == 0 {
		t.Fatalf("unregistered: %v, interval %v", err, r.Interval)
	}
	if err := s.Register(q.InfoHash); err != nil {
		t.Fatal(err)
	}
	if err := s.Announce(newRand(), 0, &q, &r); err != nil {
		t.Fatal(err)
	}
	if err := s.Register(InfoHash{2}); !errors.Is(err, ErrFull) {
		t.Fatalf("second of one swarm: %v", err)
	}
	s.Unregister(q.InfoHash)
	if err := s.Announce(newRand(), 0, &q, &r); !errors.Is(err, ErrUnregistered) {
		t.Fatalf("unregistered again: %v", err)
	}
}

// TestIntervals wants a newcomer back soon, and each wait about twice the last
// one, until the swarm counts as settled.
func TestIntervals(t *testing.T) {
	s, rng := New(Fleet()), newRand()
	var r Response
	var now time.Duration
	q := Request{Addr: addrPort(1), Left: 1, Event: Started}
	var waits []time.Duration
	for range 8 {
		if err := s.Announce(rng, now, &q, &r); err != nil {
			t.Fatal(err)
		}
		if r.MinInterval < time.Second || r.MinInterval > r.Interval {
			t.Fatalf("min interval %v, interval %v", r.MinInterval, r.Interval)
		}
		waits = append(waits, r.Interval)
		now += r.Interval
		q.Event = None
	}
	if waits[0] != 5*time.Second || waits[1] > 6*time.Second || waits[7] < 54*time.Second || waits[7] > 66*time.Second {
		t.Errorf("waits %v", waits)
	}
	q.Left = 0
	if err := s.Announce(rng, now, &q, &r); err != nil || r.Interval < 54*time.Second || r.MinInterval != 10*time.Second {
		t.Errorf("a seed: %v, min %v, %v", r.Interval, r.MinInterval, err)
	}
	big := New(Fleet())
	fill(t, big, 20_000, 0)
	if err := big.Announce(rng, 0, &Request{Addr: addrPort(30_000), Left: 1}, &r); err != nil || r.Interval < 18*time.Second {
		t.Errorf("20,000 joining peers are told to come every %v: over the swarm's rate", r.Interval)
	}
}

func TestTokens(t *testing.T) {
	s, rng := New(Fleet()), newRand()
	var r Response
	q := Request{Addr: addrPort(1), Left: 1}
	for i := range 7 {
		err := s.Announce(rng, 10*time.Second, &q, &r)
		if want := i >= burst; errors.Is(err, ErrTooOften) != want {
			t.Fatalf("announce %d: %v", i, err)
		}
	}
	if err := s.Announce(rng, 11*time.Second, &q, &r); err != nil {
		t.Fatalf("a second later: %v", err)
	}
	q.Event = Stopped
	if err := s.Announce(rng, 11*time.Second, &q, &r); err != nil || s.Totals().Leechers != 0 {
		t.Fatalf("stopped is limited: %v", err)
	}
}

// TestEmptySwarms wants a download count kept for EmptyTTL, across peers that come
// and go, and then forgotten.
func TestEmptySwarms(t *testing.T) {
	cfg := Fleet()
	s, rng := New(cfg), newRand()
	var r Response
	q := Request{Addr: addrPort(1), Left: 0, Event: Completed}
	for range 2 {
		for _, e := range []Event{Completed, Stopped} {
			q.Event = e
			if err := s.Announce(rng, 0, &q, &r); err != nil {
				t.Fatal(err)
			}
			s.check(t)
		}
	}
	s.Expire(cfg.EmptyTTL - time.Second)
	if c, ok := s.Scrape(q.InfoHash); !ok || c.Downloaded != 2 {
		t.Fatalf("before EmptyTTL: %+v %v", c, ok)
	}
	s.Expire(cfg.EmptyTTL)
	if s.Totals().Swarms != 0 || len(s.queue) != 0 {
		t.Fatal("after EmptyTTL the swarm is still there")
	}
}

// TestShrink wants the memory of a peak back.
func TestShrink(t *testing.T) {
	s := New(Fleet())
	fill(t, s, 4000, 100)
	w := s.swarms[InfoHash{}]
	for len(w.v4.peers) > 10 {
		drop(&w.v4, w.v4.orders[prompt].oldest)
	}
	checkSet(t, &s.cfg, &w.v4)
	if cap(w.v4.peers) > 64 {
		t.Fatalf("room for %d peers is kept for 10", cap(w.v4.peers))
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []Config{Fleet(), Public()} {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	for i, break1 := range []func(*Config){
		func(c *Config) { c.Young = 0 }, func(c *Config) { c.Interval = time.Second },
		func(c *Config) { c.MinInterval = time.Hour }, func(c *Config) { c.TTL = c.Interval },
		func(c *Config) { c.SwarmRate = 0 }, func(c *Config) { c.NumWant = 101 },
		func(c *Config) { c.MaxPerHost = -1 }, func(c *Config) { c.EmptyTTL = -1 },
		func(c *Config) { c.LaxTTL = -1 }, func(c *Config) { c.LaxTTL = 366 * 24 * time.Hour },
		func(c *Config) { c.Prompt = "-SL0001-1234567890123" },
	} {
		c := Fleet()
		if break1(&c); c.Validate() == nil {
			t.Errorf("broken configuration %d is accepted", i)
		}
	}
}
