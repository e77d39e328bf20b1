package swarm

import (
	"maps"
	"strings"
	"testing"
)

// check fails the test if the store breaks an invariant that set.go, store.go or
// expire.go states.
func (s *Store) check(t *testing.T) {
	t.Helper()
	var sum Totals
	for h, w := range s.swarms {
		checkSet(t, &s.cfg, &w.v4)
		checkSet(t, &s.cfg, &w.v6)
		c := w.counts()
		sum.Seeders += c.Complete
		sum.Leechers += c.Incomplete
		sum.Seedless += c.seedless()
		queued := w.place != unqueued
		if queued && s.queue[w.place] != w {
			t.Fatalf("swarm %x is not at its place in the queue", h)
		}
		if w.empty() && !w.registered && w.downloaded == 0 {
			t.Fatalf("swarm %x is kept for nothing", h)
		}
		if !w.empty() && (!queued || w.idle || w.due > w.nextExpiry(&s.ttls)) {
			t.Fatalf("swarm %x would expire late: due %d", h, w.due)
		}
	}
	sum.Swarms = len(s.swarms)
	if got := s.Totals(); got != sum {
		t.Fatalf("totals %+v, counted %+v", got, sum)
	}
}

func checkSet[A address](t *testing.T, cfg *Config, s *set[A]) {
	t.Helper()
	if len(s.index) != len(s.peers) {
		t.Fatalf("index has %d entries, there are %d peers", len(s.index), len(s.peers))
	}
	seeds, hosts := 0, map[uint64]int32{}
	for i := range s.peers {
		p := &s.peers[i]
		if s.find(p.addr) != int32(i) {
			t.Fatalf("peer %d is not where the index says", i)
		}
		if (i >= s.wanting) != (p.flags&flagSated != 0) {
			t.Fatalf("peer %d is in the wrong part", i)
		}
		if p.flags&flagSeed != 0 {
			seeds++
		}
		if p.flags&flagPublic != 0 {
			hosts[hostOf(&p.addr)]++
		}
	}
	if seeds != s.seeds || !maps.Equal(hosts, s.hosts) {
		t.Fatalf("seeds %d of %d, hosts %v of %v", s.seeds, seeds, s.hosts, hosts)
	}
	n := 0
	for class, o := range s.orders {
		last := none
		for i := o.oldest; i != none; i = s.peers[i].next {
			p := &s.peers[i]
			if p.prev != last || last != none && s.peers[last].seen > p.seen || n > len(s.peers) {
				t.Fatalf("order %d by time is broken at %d", class, i)
			}
			if strings.HasPrefix(string(p.id[:]), cfg.Prompt) != (class == prompt) {
				t.Fatalf("peer %d, %q, is in class %d", i, p.id, class)
			}
			last = i
			n++
		}
		if o.newest != last {
			t.Fatalf("order %d by time ends at %d, not at %d", class, last, o.newest)
		}
	}
	if n != len(s.peers) {
		t.Fatalf("the orders by time have %d of %d peers", n, len(s.peers))
	}
}
