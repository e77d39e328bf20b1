package peer

import (
	"slices"
	"time"

	"starling/choke"
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
			Left:       r.needs,
			Seed:       r.seed,
			Idle:       r.idle(now),
		})
	}
	e.chokeBuf = rs
	return rs
}

// idleSlot is how long an unchoked remote may ask for nothing before its slot
// counts as idle.
const idleSlot = time.Second

// idle says whether r holds a slot without using it.
func (r *remote) idle(now time.Time) bool {
	return !r.amChoking && len(r.queue) == 0 && r.bulk == 0 && now.Sub(r.unchokedAt) >= idleSlot && now.Sub(r.served) >= idleSlot
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
	e.decide(e.cfg.Policy.Fill(e.now(), e.snapshot(), e.node.Host().Rand()))
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
			e.send(r, typeUnchoke, nil)
			e.suggest(r)
			continue
		}
		e.obs.Choke("choke")
		e.send(r, typeChoke, nil) // which ends its guidance, too
		r.guided = false
		e.spread.unqueue(r)
		e.rejectAll(r)
	}
}
