package choke

import (
	"math"
	"testing"
	"time"
)

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*want }

// TestRateConstantFlow reads constant flows, in blocks of several sizes, at
// odd moments.
func TestRateConstantFlow(t *testing.T) {
	for _, every := range []time.Duration{10 * time.Millisecond, 130 * time.Millisecond, 700 * time.Millisecond, time.Second} {
		var r Rate
		const block = 16 << 10
		want := block / every.Seconds()
		for now := epoch; now.Before(at(100)); now = now.Add(every) {
			r.Add(now, block)
			if now.After(at(20)) {
				if got := r.Value(now.Add(every / 2)); !near(got, want, 0.05) {
					t.Fatalf("a block each %v: after %v %.0f B/s, want %.0f", every, now.Sub(epoch), got, want)
				}
			}
		}
	}
}

// TestRateFirstSeconds starts the clock when the flow is asked for: the
// reading is right from the second second on.
func TestRateFirstSeconds(t *testing.T) {
	var r Rate
	if got := r.Value(epoch); got != 0 {
		t.Errorf("unused: %v", got)
	}
	r.Add(epoch, 0)
	for ms := 50; ms <= 20000; ms += 50 {
		now := epoch.Add(time.Duration(ms) * time.Millisecond)
		r.Add(now, 5000)
		got := r.Value(now)
		if ms < 1000 && got > 100_000 || ms >= 1000 && !near(got, 100_000, 0.01) {
			t.Fatalf("after %d ms: %.0f B/s, want 100000", ms, got)
		}
	}
}

func TestRateFirstBlockIsNoBurst(t *testing.T) {
	var r Rate
	r.Add(epoch, 16<<10)
	if got := r.Value(epoch); got != 16<<10 {
		t.Errorf("%v B/s, want one block a second", got)
	}
}

// TestRateDecays: after the flow has stopped the rate falls and is zero after
// the window; after a long pause one block counts for the whole window.
func TestRateDecays(t *testing.T) {
	var r Rate
	for s := range 60 {
		r.Add(at(float64(s)), 1000)
	}
	last := math.Inf(1)
	for s := 60; s < 80; s++ {
		got := r.Value(at(float64(s)))
		if got > last {
			t.Errorf("%d s: rises from %v to %v", s, last, got)
		}
		last = got
	}
	if got := r.Value(at(80)); got != 0 {
		t.Errorf("20 s after the last byte: %v", got)
	}
	r.Add(at(1000), 20000)
	if got := r.Value(at(1000)); !near(got, 1000, 0.06) {
		t.Errorf("one block after a pause: %v B/s, want about 1000", got)
	}
	if r.Value(at(999)) < 0 || r.Value(at(5000)) != 0 {
		t.Error("readings out of order")
	}
}

// TestRateAgainstList compares with the plain reading: keep every Add, sum
// those of the window.
func TestRateAgainstList(t *testing.T) {
	rng := newRand(7)
	for range 50 {
		var r Rate
		type add struct {
			at time.Duration
			n  int
		}
		var all []add
		now := time.Duration(0)
		for range 200 {
			now += time.Duration(rng.IntN(1+rng.IntN(3000))) * time.Millisecond
			if rng.IntN(50) == 0 {
				now += time.Minute
			}
			n := rng.IntN(20000)
			if len(all) == 0 {
				now = 0
			}
			r.Add(epoch.Add(now), n)
			all = append(all, add{now, n})
			from := max(0, now.Truncate(time.Second)-19*time.Second)
			sum := 0
			for _, a := range all {
				if a.at >= from {
					sum += a.n
				}
			}
			want := float64(sum) / max(1, (now-from).Seconds())
			if got := r.Value(epoch.Add(now)); math.Abs(got-want) > 1e-6 {
				t.Fatalf("at %v: %v, want %v", now, got, want)
			}
		}
	}
}
