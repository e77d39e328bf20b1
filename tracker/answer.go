package tracker

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"starling/internal/benc"
	"starling/tracker/swarm"
)

// scratch is what one request needs while it is answered. It belongs to a request
// and not to a connection, of which thousands may be idle.
type scratch struct {
	query query
	resp  swarm.Response
	body  []byte
	out   []byte
	// reportEvery is when a host that reports should do it again, in seconds; 0: it
	// is not asked to.
	reportEvery int64
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// swarms is where the swarms are: a Server's shards, or the one store of a Local.
type swarms interface {
	announce(now time.Duration, q *swarm.Request, r *swarm.Response) error
	scrape(h swarm.InfoHash) (swarm.Counts, bool)
}

// newTrackerID is what a tracker calls itself from its start to its end, made of
// a random number.
func newTrackerID(random uint64) string { return fmt.Sprintf("%016x", random) }

// announce answers a raw announce query into sc.body, be it a failure. The slices
// of raw are not kept.
func (sc *scratch) announce(to swarms, now time.Duration, raw []byte, from netip.Addr, trackerID string) error {
	q := &sc.query
	err := parseAnnounce(raw, q)
	if err == nil {
		q.Addr = netip.AddrPortFrom(from, q.port)
		err = to.announce(now, &q.Request, &sc.resp)
	}
	if err != nil {
		sc.body = appendFailure(sc.body[:0], err)
		return err
	}
	sc.body = appendReply(sc.body[:0], q, &sc.resp, trackerID, sc.reportEvery)
	return nil
}

// scrape answers a raw scrape query (BEP 48) into sc.body, be it a failure.
func (sc *scratch) scrape(from swarms, raw []byte, minInterval time.Duration) error {
	hashes, err := parseScrape(raw)
	if err != nil {
		sc.body = appendFailure(sc.body[:0], err)
		return err
	}
	b := append(sc.body[:0], "d5:filesd"...)
	for _, h := range hashes {
		c, known := from.scrape(h)
		if !known {
			continue
		}
		b = benc.AppendBytes(b, h[:])
		b = append(b, "d8:complete"...)
		b = benc.AppendInt(b, int64(c.Complete))
		b = append(b, "10:downloaded"...)
		b = benc.AppendInt(b, int64(c.Downloaded))
		b = append(b, "11:downloaders"...)
		b = benc.AppendInt(b, int64(c.Downloaders))
		b = append(b, "10:incomplete"...)
		b = benc.AppendInt(b, int64(c.Incomplete))
		b = append(b, 'e')
	}
	b = append(b, "e5:flagsd20:min_request_interval"...)
	b = benc.AppendInt(b, int64(minInterval.Seconds()))
	sc.body = append(b, "ee"...)
	return nil
}
