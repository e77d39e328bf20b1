package peer

import "time"

// bucket is a token bucket that goes into debt: a run is let through whole
// while the bucket holds anything, and the next one waits until the debt is
// paid. So no burst size can be too small for a run.
type bucket struct {
	rate int64     // bytes a second; 0: no limit
	at   time.Time // when the debt is paid
}

// ready says whether something may pass now.
func (b *bucket) ready(now time.Time) bool { return b.rate == 0 || !now.Before(b.at) }

// take books n bytes. An idle bucket saves up at most burst.
func (b *bucket) take(now time.Time, n int) {
	if b.rate == 0 {
		return
	}
	const burst = 100 * time.Millisecond
	if earliest := now.Add(-burst); b.at.Before(earliest) {
		b.at = earliest
	}
	b.at = b.at.Add(time.Duration(float64(n) / float64(b.rate) * float64(time.Second)))
}
