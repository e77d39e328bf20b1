package lsd

import (
	"net/netip"
	"time"
)

// Packets a second that are looked at in the long run, and how many may come at
// once: of one source, and of all. A client with many torrents may send one
// packet for each, three times over.
const (
	sourceRate, sourceBurst = 2, 60
	totalRate, totalBurst   = 20, 300
	maxSources              = 256
)

// bucket lets burst events pass at once, and in the long run rate a second.
type bucket struct {
	// paid is when the cost of all events so far is paid.
	paid time.Time
}

func (b *bucket) allow(now time.Time, rate, burst int) bool {
	cost := time.Second / time.Duration(rate)
	if b.paid.Before(now) {
		b.paid = now
	}
	if b.paid.Sub(now) > time.Duration(burst-1)*cost {
		return false
	}
	b.paid = b.paid.Add(cost)
	return true
}

// limits bounds the packets that are looked at. One source that floods does not
// use up what the others have. It is pure.
type limits struct {
	total   bucket
	sources map[netip.Addr]*bucket
}

// allow counts a packet and says whether to look at it.
func (l *limits) allow(now time.Time, source netip.Addr) bool {
	b := l.sources[source]
	if b == nil {
		if l.sources == nil || len(l.sources) >= maxSources {
			// To forget all is as good as any choice: whoever forges
			// sources is held back by the total.
			l.sources = map[netip.Addr]*bucket{}
		}
		b = &bucket{}
		l.sources[source] = b
	}
	return b.allow(now, sourceRate, sourceBurst) && l.total.allow(now, totalRate, totalBurst)
}
