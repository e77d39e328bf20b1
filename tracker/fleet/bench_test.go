package fleet

import (
	"fmt"
	"testing"
	"time"
)

// crowd is a store with the reports of so many hosts in 250 racks.
func crowd(b *testing.B, hosts int) *Store {
	b.Helper()
	s := newStore(b, nil)
	for n := range hosts {
		r := told(n, int64(n%1000), 1000)
		r.LeftS = int64(n % 77)
		r.Labels = []RawLabel{{[]byte("rack"), fmt.Appendf(nil, "r%d", n%250)}}
		for k := range MaxFrom {
			r.From = append(r.From, Source{at((n + 13*k) % hosts), int64(1000 + k)})
		}
		s.must(b, 0, r)
	}
	return s
}

// BenchmarkView is a view of 10,000 hosts, with all that is asked of one: what a
// tracker does at most once a second for a swarm that somebody looks at. "copy" is the
// part during which no report is taken, "by name" one page of the hosts in that order.
func BenchmarkView(b *testing.B) {
	s := crowd(b, 10_000)
	b.Run("copy", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.View(time.Second, hash)
		}
	})
	b.Run("by name", func(b *testing.B) {
		v := s.View(time.Second, hash)
		v.Seal()
		b.ReportAllocs()
		for b.Loop() {
			v.Hosts(Query{Sort: "node", Limit: MaxHostsPage})
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v := s.View(time.Second, hash)
			v.Seal()
			v.Status("rack", nil)
			v.Hosts(Query{Limit: MaxHostsPage})
			v.Edges(MaxEdges)
			v.Availability()
			v.Summary()
		}
	})
}

// BenchmarkSummary is the line of a swarm of 10,000 hosts in the list of swarms.
func BenchmarkSummary(b *testing.B) {
	s := crowd(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		s.Summary(hash, 5000, 5000)
	}
}

// BenchmarkNote is one report of a host that is known.
func BenchmarkNote(b *testing.B) {
	s := crowd(b, 10_000)
	r := told(77, 5, 1000)
	b.ReportAllocs()
	for b.Loop() {
		s.must(b, time.Second, r)
	}
}

// BenchmarkSnapshot is what a tracker does once a minute, and at its start, for as many
// hosts as it keeps, all of which are done: "append" is the part during which no report
// is taken.
func BenchmarkSnapshot(b *testing.B) {
	s := newStore(b, nil)
	for n := range s.cfg.MaxHosts {
		r := told(n, 1000, 1000)
		r.Labels = []RawLabel{{[]byte("rack"), fmt.Appendf(nil, "r%d", n%250)}}
		s.must(b, 0, r)
	}
	var snapshot []byte
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			snapshot = s.AppendSnapshot(snapshot[:0], time.Second)
		}
	})
	b.Run("restore", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if n, err := New(s.cfg).Restore(0, snapshot, 0, true); err != nil || n != s.cfg.MaxHosts {
				b.Fatal(n, err)
			}
		}
	})
	b.ReportMetric(float64(len(snapshot))/1e6, "MB")
}
