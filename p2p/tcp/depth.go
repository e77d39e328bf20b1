package tcp

import (
	"math"
	"net"
	"time"
)

// A connection whose bulk messages leave faster than deepRate, several in a
// row, gets as deep a kernel buffer as TCP likes; one that falls below
// shallowRate gets the bounded one back. Bytes a second. On a fast path what
// waits in the kernel is gone in milliseconds, and a shallow buffer costs the
// sender a third of its CPU in wake-ups; on a slow path a deep one holds up
// every choke and have for seconds.
const (
	deepRate    = 24e6
	shallowRate = 6e6
	deepAfter   = 8 // messages
)

// depth decides how much may wait in the kernel.
type depth struct {
	quick int // messages in a row above deepRate
	deep  bool
}

// sent notes a bulk message of n bytes that took so long to hand over.
func (d *depth) sent(c net.Conn, n int, took time.Duration) {
	rate := float64(n) / max(took, time.Microsecond).Seconds()
	switch {
	case d.deep && rate < shallowRate:
		d.deep, d.quick = false, 0
		setUnsent(c, maxUnsent)
	case d.deep:
	case rate < deepRate:
		d.quick = 0
	default:
		if d.quick++; d.quick >= deepAfter {
			d.deep = true
			setUnsent(c, math.MaxInt32)
		}
	}
}
