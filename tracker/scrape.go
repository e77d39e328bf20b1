package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"starling/internal/benc"
	"starling/tracker/swarm"
)

var (
	errFullScrape = errors.New("scrape names no info_hash; the whole tracker is not scraped")
	errBigScrape  = fmt.Errorf("scrape names more than %d infohashes", maxScrape)
)

// scrape answers a raw scrape query (BEP 48) into sc.body.
func (s *Server) scrape(sc *scratch, raw []byte) {
	hashes, err := parseScrape(raw)
	s.metrics.scrapes[resultOf(err)].Inc()
	if err != nil {
		sc.body = appendFailure(sc.body[:0], err)
		return
	}
	b := append(sc.body[:0], "d5:filesd"...)
	for _, h := range hashes {
		c, known := s.shards.scrape(h)
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
	b = benc.AppendInt(b, int64(s.cfg.Swarm.MinInterval.Seconds()))
	sc.body = append(b, "ee"...)
}

// parseScrape returns the infohashes of a raw scrape query, sorted and each once,
// as the keys of the reply must be.
func parseScrape(raw []byte) ([]swarm.InfoHash, error) {
	var hashes []swarm.InfoHash
	for len(raw) > 0 {
		var key, value []byte
		key, value, raw = nextPair(raw)
		if string(key) != "info_hash" {
			continue
		}
		if len(hashes) == maxScrape {
			return nil, errBigScrape
		}
		var h swarm.InfoHash
		if !unescape20(&h, value) {
			return nil, errInfoHash
		}
		hashes = append(hashes, h)
	}
	if len(hashes) == 0 {
		return nil, errFullScrape
	}
	slices.SortFunc(hashes, func(a, b swarm.InfoHash) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(hashes), nil
}
