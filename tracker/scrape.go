package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"starling/tracker/swarm"
)

var (
	errFullScrape = errors.New("scrape names no info_hash; the whole tracker is not scraped")
	errBigScrape  = fmt.Errorf("scrape names more than %d infohashes", maxScrape)
)

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
