package peer

import "time"

// enough says whether a remote that owes us nothing would be one source too
// many. In a cooperative fleet we fetch from as many remotes as is our share of
// the slots around us. A downlink that is full gains nothing by one more source,
// and the slot that it holds there is somebody else's: where some have eight
// sources and others two, half of the downlinks are full and the rest wait, with
// idle uplinks between them. (100 peers with downlinks as fast as their uplinks:
// 1.11 of the bound instead of 1.25.)
//
// One that guides us is never too many: what it has for us nobody else has. Nor
// is anybody in the endgame.
func (e *Engine) enough(r *remote) bool {
	return e.fair > 0 && len(r.requests) == 0 && !r.guides && !e.endgame && e.active() >= e.fair
}

// active is how many remotes owe us something.
func (e *Engine) active() int {
	n := 0
	for _, r := range e.order {
		count(&n, r.outstanding > 0)
	}
	return n
}

// weighSources finds our share: the slots of all our remotes, among all of them
// that want some and ourselves. Alone among seeds we may have them all. It is
// rounded down: were it rounded up, most would have one source more than there
// are slots for, and the last few would be left with a single one.
func (e *Engine) weighSources() {
	if !e.reclaims || e.maxSlots == 0 {
		return
	}
	all, leechers, had := 0, 1, 0
	for _, r := range e.order {
		count(&all, r.phase == ready)
		if r.phase == ready && !r.seed {
			leechers++
			had += r.have.Count()
		}
	}
	e.fair = max(e.maxSlots, e.maxSlots*all/leechers)
	mine := e.pick.NumHave()
	if 2*mine > e.geo.NumPieces() && mine*(leechers-1) < had-had/behind {
		e.fair *= 2
	}
}

// decline gives back the slot of a remote that is one too many.
func (e *Engine) decline(r *remote) {
	e.rest(r)
	r.declined = r.resting
}

// stirSome turns to declined remotes where we have fewer sources than our share.
func (e *Engine) stirSome() {
	lack := e.fair - e.active()
	n := len(e.order)
	for i := 0; i < n && lack > 0; i++ {
		if r := e.order[(i+e.turn)%n]; r.declined {
			r.servedUs = e.now() // its time to show that it is no slower than others
			e.stir(r)
			e.ask(r)
			lack--
		}
	}
}

const (
	// behind is by which share of what the others have we must have less, in
	// the second half, to take twice our share and catch up.
	behind = 50
	// slowShare of the mean rate of our sources is too slow to be kept while
	// others would serve us, after slowAfter.
	slowShare = 0.25
	slowAfter = 2 * time.Second
)

// dropSlow gives up the slowest source if it is much slower than the others and
// somebody was declined for it: one in a second, for what it owes is then asked
// of others from its beginning.
func (e *Engine) dropSlow(now time.Time) {
	var slowest *remote
	sum, n, declined := 0.0, 0, false
	for _, r := range e.order {
		declined = declined || r.declined
		if len(r.requests) == 0 {
			continue
		}
		rate := r.in.rate.Value(now)
		sum += rate
		n++
		if now.Sub(r.servedUs) > slowAfter && (slowest == nil || rate < slowest.in.rate.Value(now)) {
			slowest = r
		}
	}
	if !declined || slowest == nil || sum == 0 || slowest.guides || n < e.fair || slowest.in.rate.Value(now) > slowShare*sum/float64(n) {
		return
	}
	for i := range slowest.requests {
		if q := &slowest.requests[i]; !q.silent {
			e.abandon(slowest, q)
		}
	}
	e.stirSome() // while it is none of those to choose from
	slowest.resting, slowest.declined = true, true
	e.loseInterest(slowest)
}
