package swarm

import (
	"math"
	"net/netip"
	"testing"
	"time"
)

// evenly wants each of the peers [from, to) but self drawn equally often, within
// five standard deviations; k of them were drawn each time.
func evenly(t *testing.T, times map[netip.AddrPort]int, draws, k, from, to int, self netip.AddrPort) {
	t.Helper()
	others := to - from
	for i := from; i < to; i++ {
		if addrPort(i) == self {
			others--
		}
	}
	p := float64(k) / float64(others)
	mean, dev := float64(draws)*p, math.Sqrt(float64(draws)*p*(1-p))
	for i := from; i < to; i++ {
		a := addrPort(i)
		if a == self {
			if times[a] != 0 {
				t.Fatalf("of %d: the announcer was given to itself", to-from)
			}
		} else if math.Abs(float64(times[a])-mean) > 5*dev {
			t.Errorf("of %d: peer %d drawn %d times, want %.0f ± %.0f", to-from, i, times[a], mean, 5*dev)
		}
	}
}

// TestUniform draws many replies and wants every other peer equally often, for the
// sizes where a stride could go wrong: primes, powers of two, many divisors.
func TestUniform(t *testing.T) {
	const draws, want = 4000, 7
	for _, n := range []int{9, 16, 60, 97, 256} {
		s := New(Fleet())
		fill(t, s, n, 0)
		rng := newRand()
		w := s.swarms[InfoHash{}]
		q := &Request{Addr: addrPort(n / 2)}
		times := map[netip.AddrPort]int{}
		self := w.v4.find(addr4Of(q.Addr))
		for range draws {
			var r Response
			w.pick(rng, q, &r, want, false, self)
			for _, a := range addrs(&r) {
				times[a]++
			}
		}
		evenly(t, times, draws, want, 0, n, q.Addr)
	}
}

// TestUniformForNewcomers: the few sated peers that a sated newcomer gets are drawn
// evenly too, wherever it stands itself, and so are the others beside them.
func TestUniformForNewcomers(t *testing.T) {
	const draws, leechers = 4000, 3
	for _, seeds := range []int{6, 9, 16, 60, 97} {
		for _, at := range []int{0, leechers, leechers + seeds/2, leechers + seeds - 1, 9999} {
			s := New(Fleet())
			fill(t, s, leechers, seeds)
			rng := newRand()
			w := s.swarms[InfoHash{}]
			q := &Request{Addr: addrPort(at), Event: Started}
			times := map[netip.AddrPort]int{}
			self := w.v4.find(addr4Of(q.Addr))
			for range draws {
				var r Response
				w.pick(rng, q, &r, leechers+satedForNew, true, self)
				for _, a := range addrs(&r) {
					times[a]++
				}
			}
			others := leechers
			if at < leechers {
				others--
			}
			evenly(t, times, draws, others, 0, leechers, q.Addr)
			evenly(t, times, draws, satedForNew, leechers, leechers+seeds, q.Addr)
		}
	}
}

// TestNewcomersGetFewSeeds: who begins with nothing left and nothing fetched may
// have a magnet link only. It is told of all who want pieces and of a few seeds;
// nobody else who wants nothing is told of seeds.
func TestNewcomersGetFewSeeds(t *testing.T) {
	for name, c := range map[string]struct {
		q               Request
		leechers, seeds int
	}{
		"newcomer":             {Request{Event: Started}, 3, satedForNew},
		"little room":          {Request{Event: Started, NumWant: 5}, 3, 2},
		"no room":              {Request{Event: Started, NumWant: 3}, 3, 0},
		"wants less":           {Request{Event: Started, NumWant: 1}, 1, 0},
		"has fetched":          {Request{Event: Started, Downloaded: 1}, 3, 0},
		"does not say":         {Request{Event: Started, Downloaded: -1}, 3, 0},
		"comes again":          {Request{Event: None}, 3, 0},
		"has completed":        {Request{Event: Completed}, 3, 0},
		"partial seed":         {Request{Event: Paused, Left: 1}, 3, 0},
		"leecher":              {Request{Event: Started, Left: 1}, 3, 40},
		"leecher, little room": {Request{Event: Started, Left: 1, NumWant: 43}, 3, 40},
	} {
		s := New(Fleet())
		fill(t, s, 3, 40)
		q, r := c.q, Response{}
		q.Addr = addrPort(9999)
		if q.NumWant == 0 {
			q.NumWant = -1
		}
		if err := s.Announce(newRand(), 0, &q, &r); err != nil {
			t.Fatal(err)
		}
		var leechers, seeds int
		for i, a := range addrs(&r) {
			if a.Port() < 1003 {
				leechers++
			} else {
				seeds++
			}
			if c.q.Left == 0 && a.Port() < 1003 && i >= c.leechers {
				t.Errorf("%s: a leecher comes after seeds", name)
			}
		}
		if leechers != c.leechers || seeds != c.seeds {
			t.Errorf("%s: %d leechers and %d seeds, want %d and %d", name, leechers, seeds, c.leechers, c.seeds)
		}
	}
}

// TestPickAllocatesNothing, with everything that a reply can need.
func TestPickAllocatesNothing(t *testing.T) {
	s, rng := New(Fleet()), newRand()
	fill(t, s, 30, 40)
	var r Response
	for i := range uint16(20) {
		q := Request{Addr: netip.AddrPortFrom(netip.MustParseAddr("fd00::1"), 1+i), Left: int64(i % 2)}
		if err := s.Announce(rng, 0, &q, &r); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Second
	for _, addr := range []string{"10.9.9.9:7", "[fd00::9]:7"} {
		q := Request{Addr: netip.MustParseAddrPort(addr), Event: Started, NumWant: -1, WantIDs: true}
		n := testing.AllocsPerRun(100, func() {
			now += time.Second
			if err := s.Announce(rng, now, &q, &r); err != nil || r.NumPeers() != 30+10+satedForNew {
				t.Fatalf("%s: %d peers, %v", addr, r.NumPeers(), err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations an announce", addr, n)
		}
	}
}
