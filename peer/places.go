package peer

import (
	"time"

	"starling/p2p"
)

// When all places are taken, one who comes new may have that of a remote that was
// of no use for long: or as many who connect and then only keep their connections
// alive would keep everybody else out.
const (
	uselessAfter = time.Minute
	// placePatience is for one that has pieces for us and gives none: its turns may
	// go round many others. That we have not served one who waits for it is no
	// fault of its own, however long it takes.
	placePatience = 10 * time.Minute
	// displaceEvery is the time for which one displacement is enough: it must
	// not be a way to shake a swarm.
	displaceEvery = 10 * time.Second
	// leastUse is the payload, in bytes and in either direction, that makes a
	// remote useful, within uselessAfter. It is what 1 KiB/s is.
	leastUse = 64 << 10
	// settledAfter is for how long a place may be lost by chance.
	settledAfter = 5 * time.Second
)

// usage is when a remote last was of use.
type usage struct {
	last  time.Time
	since time.Time // from when on the payload above total counts
	total uint64
}

// note takes the payload of both directions so far.
func (u *usage) note(now time.Time, total uint64) {
	switch {
	case total-u.total >= leastUse:
		u.last, u.since, u.total = now, now, total
	case now.Sub(u.since) >= uselessAfter:
		u.since, u.total = now, total
	}
}

// overstays says for how long r has kept a place without need; 0 or less: it may
// stay.
func (r *remote) overstays(now time.Time) time.Duration {
	// One that had a slot and asked for nothing in it does not wait for one.
	wasted := !r.unchokedAt.IsZero() && r.served.Before(r.unchokedAt)
	unused := now.Sub(r.used.last)
	switch {
	case r.phase != ready || r.fault != nil || r.web:
		return 0
	case r.amChoking && r.peerInterested && r.needs > 0 && !wasted:
		return 0
	case r.useful > 0:
		return unused - placePatience
	}
	return unused - uselessAfter
}

// displace makes room for one more remote, if somebody has overstayed.
func (e *Engine) displace(now time.Time) bool {
	if now.Before(e.evictAt) {
		return false
	}
	var worst *remote
	most := time.Duration(0)
	for _, r := range e.order {
		if over := r.overstays(now); over > most {
			worst, most = r, over
		}
	}
	if worst == nil {
		return false
	}
	e.evictAt = now.Add(displaceEvery)
	e.fault(worst, p2p.Violation(p2p.ReasonTooMany, "its place goes to another: no use of it for %v", now.Sub(worst.used.last).Round(time.Second)))
	return true
}

// reshuffle makes room for r, by chance, in place of another that dialed us just
// now and with which nothing has begun. In a flash crowd the first to come are known to
// all and would be full of those who came just after them: neighbours by age,
// who find the rest of the swarm behind a few. So that each of n who dial has
// the same chance of a place among m, the nth gets one with m/n (Vitter's
// reservoir).
func (e *Engine) reshuffle(r *remote) bool {
	rng, now := e.node.Host().Rand(), e.now()
	if rng.IntN(e.inbound) >= e.cfg.MaxRemotes {
		return false
	}
	var idle []*remote
	for _, o := range e.order {
		begun := !o.amChoking || !o.peerChoking || o.in.total+o.out.total > 0
		if o != r && !o.dialed && !o.web && o.fault == nil && o.phase >= declaring && !begun && now.Sub(o.opened) < settledAfter {
			idle = append(idle, o)
		}
	}
	if len(idle) == 0 {
		return false
	}
	o := idle[rng.IntN(len(idle))]
	e.fault(o, p2p.Violation(p2p.ReasonTooMany, "its place goes to another"))
	return true
}
