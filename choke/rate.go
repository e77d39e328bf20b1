package choke

import "time"

// A Rate averages over the last rateBuckets seconds, the 20 s of BEP 3: long
// enough that a choker does not follow the noise of TCP.
const (
	rateBuckets = 20
	rateBucket  = time.Second
)

// Rate estimates a flow of bytes over a sliding window of 20 s. It holds one
// sum for each second, allocates nothing and reads no clock. The zero value is
// ready.
//
// The window is the current second so far and the 19 before it, and the
// divisor is exactly that time, so a constant flow reads as it is. In its first
// 20 s a Rate divides by the time since its first Add, but by no less than a
// second, so that the first block does not look like an enormous rate. 20 s
// after the last Add it reads zero.
type Rate struct {
	start time.Time // of bucket 0; zero before the first Add
	last  int64     // the newest bucket that was added to
	sums  [rateBuckets]int64
}

// Add counts bytes that moved up to now. Add(now, 0) starts the clock of a new
// Rate: done when the flow is asked for, it makes the first seconds exact. An
// Add from before the last one counts as simultaneous with it.
func (r *Rate) Add(now time.Time, bytes int) {
	if r.start.IsZero() {
		r.start = now
	}
	b := int64(now.Sub(r.start) / rateBucket)
	if b > r.last {
		for k := max(r.last+1, b-rateBuckets+1); k <= b; k++ {
			r.sums[k%rateBuckets] = 0
		}
		r.last = b
	}
	r.sums[r.last%rateBuckets] += int64(bytes)
}

// Value is the rate at now in bytes a second.
func (r *Rate) Value(now time.Time) float64 {
	if r.start.IsZero() {
		return 0
	}
	elapsed := now.Sub(r.start)
	b := max(int64(elapsed/rateBucket), r.last)
	var sum int64
	for k := max(0, b-rateBuckets+1); k <= r.last; k++ {
		sum += r.sums[k%rateBuckets]
	}
	window := elapsed - rateBucket*time.Duration(max(0, b-rateBuckets+1))
	return float64(sum) / max(window, rateBucket).Seconds()
}
