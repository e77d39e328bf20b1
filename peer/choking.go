package peer

import (
	"slices"
	"time"

	"starling/choke"
	"starling/peer/wire"
)

// onInterest hears whether a remote wants something of ours.
func (e *Engine) onInterest(r *remote, interested bool) error {
	if r.peerInterested != interested {
		r.peerInterested = interested
		e.rechoke = true
	}
	return nil
}

// snapshot describes every remote for the policy.
func (e *Engine) snapshot() []choke.Remote {
	now := e.now()
	rs := e.chokeBuf[:0]
	for _, r := range e.order {
		if r.phase != ready || r.fault != nil {
			continue
		}
		rs = append(rs, choke.Remote{
			ID:         choke.ID(r.id),
			Interested: r.peerInterested,
			Snubbed:    r.snubbed,
			DownRate:   r.in.rate.Value(now),
			UpRate:     r.out.rate.Value(now),
			Joined:     r.opened,
			Unchoked:   !r.amChoking,
			UnchokedAt: r.unchokedAt,
			Progress:   float64(r.have.Count()) / float64(max(1, e.geo.NumPieces())),
			Left:       e.left(r),
			Seed:       r.seed,
			Idle:       r.idle(now),
		})
	}
	e.chokeBuf = rs
	return rs
}

// idleSlot is how long an unchoked remote may ask for nothing, besides two round
// trips, before its slot counts as idle. Its requests may wait behind its own
// uploads, so it is more than a round trip on a quiet path.
const idleSlot = 200 * time.Millisecond

func (r *remote) idleAfter() time.Duration { return idleSlot + 2*r.rtt }

// idle says whether r holds a slot without using it.
func (r *remote) idle(now time.Time) bool {
	after := r.idleAfter()
	return !r.amChoking && len(r.queue) == 0 && r.bulk == 0 && now.Sub(r.unchokedAt) >= after && now.Sub(r.served) >= after
}

// rechokeAll recomputes who is unchoked: every Rechoke interval.
func (e *Engine) rechokeAll() {
	now := e.now()
	for _, r := range e.order {
		e.readTraffic(r, now)
	}
	e.cfg.Policy.SetSeeding(e.finished)
	e.decide(e.cfg.Policy.Rechoke(now, e.snapshot(), e.node.Host().Rand()))
	e.settle()
}

// fillSlots gives free slots away between two rechokes.
func (e *Engine) fillSlots() {
	if !e.slotFree(e.now()) && !e.weigh {
		return
	}
	e.weigh = false
	e.decide(e.cfg.Policy.Fill(e.now(), e.snapshot(), e.node.Host().Rand()))
}

// slotFree says whether a Fill may change anything: somebody waits, and fewer
// than all slots are in use. It is asked after most events.
func (e *Engine) slotFree(now time.Time) bool {
	used, waiting := 0, false
	for _, r := range e.order {
		switch {
		case !r.peerInterested || r.seed || r.phase != ready:
		case r.amChoking:
			waiting = true
		case e.reclaims && (e.left(r) == 0 || r.idle(now)):
		default:
			used++
		}
	}
	return waiting && (used < e.maxSlots || e.maxSlots == 0)
}

// watchIdle looks at the slots again when r's would count as idle.
func (e *Engine) watchIdle(r *remote, now time.Time) {
	if e.reclaims && !r.amChoking && len(r.queue) == 0 && r.bulk == 0 && !e.idleT.Armed() {
		e.idleT.Set(now.Add(r.idleAfter()))
	}
}

// idlePassed takes the slots of those that are idle now, and comes back for those
// that will be.
func (e *Engine) idlePassed() {
	now := e.now()
	for _, r := range e.order {
		if !r.idle(now) {
			e.watchIdle(r, now)
		}
	}
	e.rechoke = true
	e.settle()
}

// decide carries a decision out.
func (e *Engine) decide(d choke.Decision) {
	now := e.now()
	for _, r := range e.order {
		if r.phase != ready {
			continue
		}
		_, unchoke := slices.BinarySearch(d.Unchoked, choke.ID(r.id))
		optimistic := slices.Contains(d.Optimistic, choke.ID(r.id))
		if optimistic && !r.optimistic {
			e.obs.Choke("optimistic_unchoke")
		}
		r.optimistic = optimistic
		if unchoke != r.amChoking {
			continue // as it was
		}
		r.amChoking = !unchoke
		if unchoke {
			r.unchokedAt, r.bad = now, 0
			e.obs.Choke("unchoke")
			e.tell(r) // it will choose by what we have
			e.tellParts(r)
			e.send(r, wire.UNCH, nil)
			e.suggest(r)
			e.watchIdle(r, now)
			continue
		}
		e.obs.Choke("choke")
		e.send(r, wire.CHOK, nil) // which ends its guidance, too
		r.guided = false
		e.unqueue(r)
		e.rejectAll(r)
	}
}
