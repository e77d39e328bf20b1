package tracker

import (
	"math/rand/v2"
	"slices"
)

// maxTrackers bounds the trackers of one torrent; the rest are ignored.
const maxTrackers = 32

// Tiers is the order in which a torrent's trackers are asked (BEP 12). It is pure
// and not safe for concurrent use.
type Tiers struct{ tiers [][]string }

// NewTiers shuffles each tier once. Empty and repeated URLs are left out.
func NewTiers(tiers [][]string, rng *rand.Rand) *Tiers {
	t := &Tiers{}
	seen := make(map[string]bool)
	for _, tier := range tiers {
		var urls []string
		for _, u := range tier {
			if u != "" && !seen[u] && len(seen) < maxTrackers {
				seen[u] = true
				urls = append(urls, u)
			}
		}
		rng.Shuffle(len(urls), func(i, j int) { urls[i], urls[j] = urls[j], urls[i] })
		if len(urls) > 0 {
			t.tiers = append(t.tiers, urls)
		}
	}
	return t
}

// Order is the trackers in the order to try: a tier comes after the whole tier
// before it has failed.
func (t *Tiers) Order() []string { return slices.Concat(t.tiers...) }

// Succeeded moves a tracker to the front of its tier.
func (t *Tiers) Succeeded(url string) {
	for _, tier := range t.tiers {
		if i := slices.Index(tier, url); i > 0 {
			copy(tier[1:], tier[:i])
			tier[0] = url
		}
	}
}
