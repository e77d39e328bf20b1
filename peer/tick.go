package peer

import (
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// tick is the engine's second hand: rates, timeouts, dials, checkpoints.
func (e *Engine) tick() {
	now := e.now()
	for _, r := range e.order {
		e.readTraffic(r, now)
		r.used.note(now, r.in.total+r.out.total)
		e.metaTick(r)
		if err := e.overdue(r, now); err != nil {
			e.fault(r, err)
		}
	}
	e.dialMore(now)
	e.spreadTick(now)
	e.rechoke = e.rechoke || e.reclaims
	e.weigh = e.reclaims
	e.weighSources()
	e.dropSlow(now)
	if e.asked == 0 {
		e.freed, e.refill = true, true // nobody rests while we starve
	}
	e.gossip(now)
	e.tellPEX(now)
	e.checkpoint(now)
	e.stats.Missing, e.stats.MissingFirst = e.missing()
	e.checkStall(now)
	e.report.sample(e, now)
	if e.diskErr != nil && !now.Before(e.retryAt) {
		e.refill = true
		e.checkComplete()
	}
	e.settle()
}

// readTraffic brings the payload counters of r up to the host's, which count
// a piece while it is under way.
func (e *Engine) readTraffic(r *remote, now time.Time) {
	t := e.node.Host().Traffic(r.id)
	if t.In != r.lastTraffic.In {
		r.lastIn = now
	}
	r.lastTraffic = t
	// The host's counters have the framework's own messages in them, too. No
	// more than what was asked for counts as payload: a remote must not earn a
	// slot, or keep its requests, by sending anything else.
	if t.In > r.controlIn {
		fresh := r.in.moved(now, min(t.In-r.controlIn, r.received+uint64(r.owed())))
		if fresh > 0 && len(r.requests) > 0 {
			r.lastData = now
			e.inRate.Add(now, int(fresh))
		}
	}
	if t.Out > r.controlOut {
		e.outRate.Add(now, int(r.out.moved(now, min(t.Out-r.controlOut, r.sent))))
	}
}

// overdue says why a remote must go, if it must, and frees what a slow one
// holds.
func (e *Engine) overdue(r *remote, now time.Time) error {
	switch {
	case r.phase == dialing:
		return nil // the host bounds it
	case r.phase < ready && now.Sub(r.opened) > handshakeWait:
		return p2p.Violation(p2p.ReasonTimeout, "no handshake in %v", handshakeWait)
	case now.Sub(r.lastIn) > idleAfter:
		return p2p.Violation(p2p.ReasonIdle, "nothing came for %v", idleAfter)
	case r.phase < ready:
		return nil
	}
	if r.caps&wire.CapSilent != 0 {
		// It may never answer what we have cancelled.
		r.requests = slices.DeleteFunc(r.requests, func(q request) bool {
			return q.silent && now.Sub(q.at) > requestTimeout
		})
	}
	if r.owes() && !r.peerChoking && (now.Sub(r.lastData) > requestTimeout || now.Sub(r.lastPiece) > pieceTimeout) {
		e.giveUp(r)
	}
	r.snubbed = r.owes() && now.Sub(r.lastData) > e.cfg.SnubAfter
	if now.Sub(r.lastSent) > keepAliveAfter {
		e.send(r, p2p.PING, nil)
	}
	return nil
}
