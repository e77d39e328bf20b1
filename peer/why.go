package peer

import "time"

// Why is why a download is not faster.
type Why string

// The reasons, in the order in which they are looked for: docs/fleet.md.
const (
	WhyNone    Why = "none"    // it is complete, or nothing is known yet
	WhyDisk    Why = "disk"    // what came waits to be written and hashed
	WhyLimit   Why = "limit"   // our own rate limit
	WhyTracker Why = "tracker" // we know nobody, and no tracker answers
	WhyPeers   Why = "peers"   // those who serve us give no more, or nobody has what we lack
	WhyChoked  Why = "choked"  // those who have what we lack do not serve us
	WhyLink    Why = "link"    // more sources bring no more bytes: our link or processor is full
	WhySeed    Why = "seed"    // what we lack only seeds have
)

const (
	// seenSeconds is over how many seconds a reason is judged: the one of most of
	// them is told.
	seenSeconds = 10
	// A link counts as full when over at least leastSeen of those seconds there were
	// at some time linkSources times as many sources as at another, and the rate
	// never was more than linkSteady times the least.
	leastSeen   = 6
	linkSources = 1.5
	linkSteady  = 1.15
	// nearLimit is what share of our own limit has to come in to be all that it allows.
	nearLimit = 0.9
	// sampled is how many of the pieces are looked at for who has them.
	sampled = 4096
)

// moment is what was seen in one second.
type moment struct {
	why     Why
	bytes   uint64 // payload that came
	sources int    // remotes that owed us something
	seeds   int    // remotes that have everything
}

// sample looks at the engine once a second, while anybody wants to know.
func (p *reporter) sample(e *Engine, now time.Time) {
	if p.every == 0 {
		return
	}
	m := moment{why: e.heldBy(now), bytes: e.stats.ReceivedPayload - p.total, sources: e.active(), seeds: e.seedsHere()}
	p.total = e.stats.ReceivedPayload
	if len(p.seen) == seenSeconds {
		copy(p.seen, p.seen[1:])
		p.seen = p.seen[:seenSeconds-1]
	}
	p.seen = append(p.seen, m)
}

// why is the reason of most of the seconds that were seen; of two, the later one.
// Where that is other peers it may be our link instead; but not where all waits for one
// seed, which gives as much however many pass it on.
func (p *reporter) why() Why {
	best, most, seeds := WhyNone, 0, 0
	for i := range p.seen {
		seeds = max(seeds, p.seen[i].seeds)
		n := 0
		for _, o := range p.seen[:i+1] {
			count(&n, o.why == p.seen[i].why)
		}
		if n >= most {
			best, most = p.seen[i].why, n
		}
	}
	if (best == WhyPeers || best == WhySeed && seeds > 1) && linkIsFull(p.seen) {
		return WhyLink
	}
	return best
}

// linkIsFull says whether as many bytes came from few sources as from many.
func linkIsFull(seen []moment) bool {
	if len(seen) < leastSeen {
		return false
	}
	few, many := seen[0].sources, seen[0].sources
	slow, fast := seen[0].bytes, seen[0].bytes
	for _, m := range seen {
		few, many = min(few, m.sources), max(many, m.sources)
		slow, fast = min(slow, m.bytes), max(fast, m.bytes)
	}
	return few > 0 && slow > 0 && float64(many) >= linkSources*float64(few) && float64(fast) <= linkSteady*float64(slow)
}

// heldBy is what holds the download up at this moment, but for our link, which shows
// only over time.
func (e *Engine) heldBy(now time.Time) Why {
	switch {
	case e.finished:
		return WhyNone
	case e.diskErr != nil, e.pick.Done(): // done, but not yet published
		return WhyDisk
	case e.onDisk > e.asked && 2*int64(e.onDisk) >= min(budget, e.pick.Left()):
		return WhyDisk
	case e.down.rate > 0 && (e.down.at.After(now) || e.inRate.Value(now) >= nearLimit*float64(e.down.rate)):
		return WhyLimit
	}
	var open, having, serving, others, servingOthers int
	for _, r := range e.order {
		if r.phase != ready {
			continue
		}
		open++
		if !r.hasSome() && len(r.requests) == 0 {
			continue
		}
		serves := !r.peerChoking
		having++
		count(&serving, serves)
		count(&others, !r.seed)
		count(&servingOthers, !r.seed && serves)
	}
	switch {
	case open == 0 && e.cfg.Announcer != nil && (e.announce.failed || e.announce.next == EventStarted):
		return WhyTracker
	case having == 0:
		return WhyPeers
	case serving == 0:
		return WhyChoked
	case e.onlySeeds():
		return WhySeed
	case others > 0 && servingOthers == 0:
		return WhyChoked // what they have too, seeds need not give
	}
	return WhyPeers
}

// onlySeeds says whether most of what we lack is with seeds alone. Of many pieces it
// looks at some.
func (e *Engine) onlySeeds() bool {
	seeds := e.seedsHere()
	lack, alone := 0, 0
	n := e.geo.NumPieces()
	step := 1 + n/sampled
	for i := 0; i < n; i += step {
		if e.pick.WantsPiece(i) {
			lack++
			count(&alone, e.pick.Availability(i) <= seeds)
		}
	}
	return seeds > 0 && 2*alone > lack
}

// seedsHere is how many remotes have everything.
func (e *Engine) seedsHere() (n int) {
	for _, r := range e.order {
		count(&n, r.phase == ready && r.seed)
	}
	return n
}
