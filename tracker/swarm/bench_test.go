package swarm

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// population lists swarms of the given size, all at time 0. Every other peer is
// lax.
func population(b *testing.B, swarms, peers int) *Store {
	b.Helper()
	cfg := Fleet()
	cfg.Prompt = "-PR"
	s, rng := New(cfg), newRand()
	var r Response
	for h := range swarms {
		for p := range peers {
			if err := s.Announce(rng, 0, member(h, p), &r); err != nil {
				b.Fatal(err)
			}
		}
	}
	return s
}

func member(h, p int) *Request {
	q := &Request{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(2000+p)), NumWant: 50}
	binary.BigEndian.PutUint32(q.InfoHash[:], uint32(h)*2654435761)
	q.PeerID = memberID(p)
	if p%4 != 0 {
		q.Left = 1
	}
	return q
}

func memberID(p int) (id [20]byte) {
	if p%2 == 0 {
		copy(id[:], "-PR")
	}
	binary.BigEndian.PutUint32(id[4:], uint32(p))
	return id
}

// BenchmarkAnnounce is a re-announce in a steady population of 1 M peers.
func BenchmarkAnnounce(b *testing.B) {
	const swarms, peers = 10_000, 100
	s, rng := population(b, swarms, peers), newRand()
	var r Response
	q := *member(0, 0)
	now := time.Hour
	b.ReportAllocs()
	for b.Loop() {
		now += time.Microsecond
		binary.BigEndian.PutUint32(q.InfoHash[:], uint32(rng.IntN(swarms))*2654435761)
		p := rng.IntN(peers)
		q.PeerID = memberID(p)
		q.Addr = netip.AddrPortFrom(q.Addr.Addr(), uint16(2000+p))
		q.Left = int64(p % 4)
		if err := s.Announce(rng, now, &q, &r); err != nil && err != ErrTooOften {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemory reports the live heap per peer at 1 M peers.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := population(b, 10_000, 100)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "B/peer")
		runtime.KeepAlive(s)
	}
}

// BenchmarkExpire is the cost per expired peer.
func BenchmarkExpire(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := population(b, 100, 100)
		b.StartTimer()
		n := s.Expire(Fleet().TTL)
		if n += s.Expire(Fleet().LaxTTL); n != 100*100 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e4, "ns/peer")
}
