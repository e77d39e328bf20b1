package choke

import (
	"math/rand/v2"
	"testing"
	"time"
)

// crowd is n remotes, of which most are interested.
func crowd(n int) []Remote {
	rng := newRand(1)
	rs := make([]Remote, n)
	for i := range rs {
		rs[i] = Remote{
			ID: ID(i), Interested: rng.IntN(10) > 0, Snubbed: rng.IntN(10) == 0, Joined: epoch,
			DownRate: float64(rng.IntN(1 << 20)), UpRate: 1, Progress: rng.Float64(), Left: 1,
		}
	}
	return rs
}

// BenchmarkRechoke recomputes everything over 1,000 remotes, with the engine's
// part (apply) in it, in virtual intervals of 10 s.
func BenchmarkRechoke(b *testing.B) {
	benchmark(b, func(p Policy) func(time.Time, []Remote, *rand.Rand) Decision { return p.Rechoke })
}

// BenchmarkFill asks for free slots where there are none, the common case.
func BenchmarkFill(b *testing.B) {
	benchmark(b, func(p Policy) func(time.Time, []Remote, *rand.Rand) Decision { return p.Fill })
}

func benchmark(b *testing.B, question func(Policy) func(time.Time, []Remote, *rand.Rand) Decision) {
	for _, name := range []string{"tit-for-tat", "seeding", "cooperative"} {
		b.Run(name, func(b *testing.B) {
			p, rs, rng, now := policies[name](Default()), crowd(1000), newRand(1), epoch
			ask := question(p)
			apply(now, rs, p.Rechoke(now, rs, rng))
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(10 * time.Second)
				apply(now, rs, ask(now, rs, rng))
			}
		})
	}
}

func BenchmarkRate(b *testing.B) {
	var r Rate
	now := epoch
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(10 * time.Millisecond)
		r.Add(now, 16<<10)
		if r.Value(now) == 0 {
			b.Fatal("no rate")
		}
	}
}

// TestNoAllocations: once its memory has grown, a policy allocates nothing.
func TestNoAllocations(t *testing.T) {
	for name, policy := range policies {
		p, rs, rng, now := policy(Default()), crowd(100), newRand(1), epoch
		for range 50 {
			now = now.Add(10 * time.Second)
			apply(now, rs, p.Rechoke(now, rs, rng))
		}
		if n := testing.AllocsPerRun(100, func() {
			now = now.Add(10 * time.Second)
			apply(now, rs, p.Rechoke(now, rs, rng))
			apply(now, rs, p.Fill(now, rs, rng))
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
