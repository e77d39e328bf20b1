package peer

import (
	"starling/p2p"
	"starling/peer/wire"
)

// onHave learns of new pieces of a remote.
func (e *Engine) onHave(r *remote, m *p2p.Message) error {
	if err := wire.ParseIndexes(m.Head, e.geo.NumPieces(), func(i int) { e.learn(r, i) }); err != nil {
		return err
	}
	return e.learned(r)
}

// learn notes that a remote has a piece.
func (e *Engine) learn(r *remote, i int) {
	if !r.have.Set(i) {
		return
	}
	e.pick.AddHave(i)
	r.dropPart(i)
	if e.pick.WantsPiece(i) {
		r.useful++
		if r.resting && e.pick.Open(i) {
			e.stir(r)
		}
	}
	if e.pick.Have().Has(i) {
		r.needs--
		e.spread.announced(r, i, e.now())
	}
}

// learned draws the consequences once all of a message is learned.
func (e *Engine) learned(r *remote) error {
	if !r.seed && r.have.All() {
		// From here on it is counted as a seed: O(1) to add and remove.
		e.pick.RemoveRemote(r.have)
		e.pick.AddSeed()
		r.seed = true
	}
	e.interest(r)
	e.ask(r)
	e.suggest(r)
	return e.mutual(r)
}

// onDontHave takes HAVEs back (BEP 54). The first from a seed costs a step for
// each piece of the torrent, so there is a bound to how often one may say it.
func (e *Engine) onDontHave(r *remote, m *p2p.Message) error {
	if r.retracted++; r.retracted > maxRetracted {
		return p2p.Violation(p2p.ReasonFlood, "%d DONTs", r.retracted)
	}
	err := wire.ParseIndexes(m.Head, e.geo.NumPieces(), func(i int) {
		if !r.have.Has(i) {
			r.dropPart(i)
			return
		}
		r.have.Clear(i)
		if r.seed {
			r.seed = false
			e.pick.RemoveSeed()
			e.pick.AddRemote(r.have)
		} else {
			e.pick.RemoveHave(i)
		}
		if e.pick.WantsPiece(i) {
			r.useful--
		}
		if e.pick.Have().Has(i) {
			r.needs++
		}
	})
	e.interest(r)
	return err
}

// interest tells a remote whether it has something for us, when that changes.
// That it no longer has is not urgent while it chokes us, and may not last: it
// waits for the next HAVEs, or a swarm whose peers have little yet would say
// nothing else.
func (e *Engine) interest(r *remote) {
	switch want := r.hasSome() && !r.resting; {
	case r.phase != ready || want == r.amInterested:
	case want:
		r.amInterested = true
		e.send(r, wire.INTR, nil)
	case r.peerChoking:
		e.teller.later(e.now())
	default:
		e.loseInterest(r)
	}
}

// loseInterest says that a remote has nothing for us, if that is so and it has
// not been said.
func (e *Engine) loseInterest(r *remote) {
	if r.phase == ready && r.amInterested && (!r.hasSome() || r.resting) {
		r.amInterested = false
		e.disownAll(r)
		e.send(r, wire.NINT, nil)
	}
}

// rest gives a slot back that we have no use for now: all that the remote has
// for us is asked of others. It would else sit on a slot that somebody else
// could use, until it finds out.
func (e *Engine) rest(r *remote) {
	if !r.peerChoking && len(r.requests) == 0 && !r.guides && !r.growing(e.now()) {
		r.resting = true
		e.loseInterest(r)
	}
}

// stir ends a rest: there may be something to ask for again.
func (e *Engine) stir(r *remote) {
	if r.resting {
		r.resting, r.declined = false, false
		e.interest(r)
	}
}
