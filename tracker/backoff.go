package tracker

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait after the n-th failure in a row: Min, then twice
// as long each time up to Max, and of that a random part between a half and the
// whole, so that peers which failed together do not come back together. The zero
// value uses 250 ms and 1 h. A fleet that wants its tracker back soon sets Max to
// one announce interval.
type Backoff struct {
	Min, Max time.Duration
	failures int
}

const (
	defaultBackoffMin = 250 * time.Millisecond
	defaultBackoffMax = time.Hour
)

// Next counts a failure and returns the wait that follows it.
func (b *Backoff) Next(rng *rand.Rand) time.Duration {
	lo, hi := b.Min, b.Max
	if lo <= 0 {
		lo = defaultBackoffMin
	}
	if hi <= 0 {
		hi = defaultBackoffMax
	}
	d := min(lo, hi)
	for range b.failures {
		if d >= hi/2 {
			d = hi
			break
		}
		d *= 2
	}
	b.failures++
	return d - time.Duration(rng.Int64N(int64(d/2)+1))
}

// Reset is for after a success.
func (b *Backoff) Reset() { b.failures = 0 }
