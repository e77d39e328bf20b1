package peer

import (
	"slices"
	"time"

	"starling/peer/wire"
	"starling/piece"
)

// Other clients read no SUGG, so a seed that has few of its kind around it cannot
// say who is to fetch what. It can do as BEP 16 has it, if it is told to
// (EngineConfig.SuperSeed): say that it has nothing and show each of them a few
// pieces by HAVE, to each others, and the next when somebody else has those. Such
// a remote is veiled until the spreading ends.

// offer is a piece that a veiled remote was shown and has not passed on.
type offer struct {
	piece int
	at    time.Time // when it was last not the remote's turn
	since time.Time // when the remote last could not ask for it
}

const (
	// firstOffers is how many a remote has at first: one that it fetches while
	// another is on its way to others. It may have one more, maxOffers at most, for
	// each that it has passed on: some clients ask for more once a second only.
	firstOffers = 2
	maxOffers   = 32
	// offerWait is how long a piece that was shown may go without being fetched, and
	// then without being passed on, before the remote is shown another. So one
	// that gives nothing gets little, and keeps nothing from the swarm.
	offerWait = 30 * time.Second
	// unwantedWait is how long a piece may go unfetched by one that wants nothing of
	// us: some of the files, it may be. Some clients say that they do only each 10 s.
	// Where nobody else waits for the piece it is aloneWait.
	unwantedWait = 12 * time.Second
	aloneWait    = 2 * time.Second
	// lastWait is the bound of all these when all pieces are shown to somebody: the
	// end waits for nothing else.
	lastWait = 5 * time.Second
	// slowOffer is how long a remote that does fetch a piece has for it.
	slowOffer = 5 * time.Minute
	// nobodySpreads is how long no piece was passed on where they seem not to reach
	// each other: to wait for it then helps nobody.
	nobodySpreads = time.Minute
	// unveilStep is how many pieces a remote is told of each second when the
	// spreading has ended: its outbox is bounded.
	unveilStep = 4 * wire.MaxIndexes
)

// veil hides from a remote what we have, if that is to be.
func (e *Engine) veil(r *remote) {
	if e.cfg.SuperSeed && e.spread.active && r.caps&wire.CapSuggest == 0 && !r.web {
		r.shown = piece.NewBitfield(e.geo.NumPieces())
	}
}

// shows says whether a remote may know that we have a piece, if we have it.
func (r *remote) shows(i int) bool { return r.shown == nil || r.shown.Has(i) }

// live says whether a remote seems to fetch, and so may pass pieces on. Who has
// what it was shown is not interested for the moment.
func (r *remote) live(now time.Time) bool {
	return r.phase == ready && !r.seed && r.fault == nil && (r.peerInterested || now.Sub(r.announced) < nobodySpreads)
}

// alone says whether there is nobody that r could pass a piece on to, or so it
// seems.
func (e *Engine) alone(r *remote, now time.Time) bool {
	return now.Sub(e.spread.passed) > nobodySpreads ||
		!slices.ContainsFunc(e.order, func(o *remote) bool { return o != r && o.live(now) })
}

// offer shows a veiled remote the next pieces, if the ones before are somewhere else.
func (e *Engine) offer(r *remote, now time.Time) {
	s := &e.spread
	if r.shown == nil || !s.active || r.phase != ready || r.fault != nil || r.seed {
		return
	}
	if r.depth == 0 {
		r.depth = firstOffers
	}
	alone := e.alone(r, now)
	r.offers = slices.DeleteFunc(r.offers, func(o offer) bool {
		others := e.pick.Availability(o.piece)
		if !r.have.Has(o.piece) {
			return others > 0
		}
		if others > 1 {
			s.passed = now
		}
		over := alone || others > 1
		if over {
			r.depth = min(r.depth+1, maxOffers)
		}
		return over
	})
	fresh := s.take(e, r, r.depth-len(r.offers))
	if len(fresh) == 0 {
		return
	}
	for _, i := range fresh {
		r.offers = append(r.offers, offer{piece: i, at: now, since: now})
	}
	e.show(r, fresh)
}

// offerAll does it for all: somebody has something new.
func (e *Engine) offerAll() {
	if e.cfg.SuperSeed && e.spread.active {
		now := e.now()
		for _, r := range e.order {
			e.offer(r, now)
		}
	}
}

// show tells a veiled remote of pieces.
func (e *Engine) show(r *remote, pieces []int) {
	for part := range slices.Chunk(pieces, wire.MaxIndexes) {
		for _, i := range part {
			r.shown.Set(i)
		}
		e.scratch = wire.AppendIndexes(e.scratch[:0], part)
		e.send(r, wire.HAVE, e.scratch)
	}
	e.rechoke = e.rechoke || e.reclaims // there is something to serve it
}

// waitsForUs says whether it is our turn in the transfer of a piece.
func (r *remote) waitsForUs(i int) bool {
	return r.amChoking && r.peerInterested || r.bulk > 0 ||
		slices.ContainsFunc(r.queue, func(run piece.Run) bool { return run.Piece == i })
}

// lapse takes the offers from a remote that it sat upon; what it has not fetched is
// for others.
func (e *Engine) lapse(r *remote, wait time.Duration, now time.Time) {
	if len(r.offers) == 0 {
		return
	}
	s, kept := &e.spread, r.offers[:0]
	patience := unwantedWait
	if e.alone(r, now) {
		patience = aloneWait
	}
	for _, o := range r.offers {
		has := r.have.Has(o.piece)
		switch {
		case has:
		case r.amChoking && r.peerInterested:
			o.at, o.since = now, now
		case r.waitsForUs(o.piece) && now.Sub(o.since) < slowOffer:
			o.at = now
		}
		unwanted := !has && !r.peerInterested
		if d := now.Sub(o.at); d <= wait && !(unwanted && d > patience) {
			kept = append(kept, o)
			continue
		}
		switch {
		case has:
			r.depth = 1
		case unwanted:
			r.depth = min(2*r.depth, maxOffers) // it comes sooner to what it wants
		default:
			r.depth = max(1, r.depth/2)
		}
		if !has {
			s.left = append(s.left, o.piece)
		}
	}
	r.offers = kept
}

// offersTick moves the offers on, and says whether any piece is still to come to
// somebody.
func (e *Engine) offersTick(now time.Time) (pending bool) {
	s := &e.spread
	s.left = slices.DeleteFunc(s.left, func(i int) bool { return e.pick.Availability(i) > 0 })
	wait := offerWait
	if len(s.left) == 0 {
		wait = lastWait
	}
	live := 0
	for _, r := range e.order {
		e.lapse(r, wait, now)
		count(&live, r.live(now))
	}
	if live < 2 {
		s.passed = now // nobody could
	}
	e.offerAll()
	for _, r := range e.order {
		for _, o := range r.offers {
			pending = pending || e.pick.Availability(o.piece) == 0
		}
		pending = pending || len(r.handouts) > 0
	}
	if len(s.left) == 0 && !pending {
		// Some may have gone with those who had them.
		for i := range e.geo.NumPieces() {
			if e.pick.Availability(i) == 0 {
				s.left = append(s.left, i)
			}
		}
	}
	return pending || len(s.left) > 0
}

// endSuperSeed ends the spreading where there was something to hide.
func (e *Engine) endSuperSeed() {
	if e.cfg.SuperSeed && e.spread.active {
		e.endSpread()
	}
}

// unveil tells each remote that is still veiled some more of what we have. That we want nothing
// (BEP 21) comes last: who hears it from one that has nothing for him would leave.
func (e *Engine) unveil() {
	for _, r := range e.order {
		if r.shown == nil || r.phase < declaring || r.fault != nil || r.seed {
			continue
		}
		var rest []int
		for i := range e.pick.Have().Ones() {
			if len(rest) == unveilStep {
				break
			}
			if !r.shown.Has(i) {
				rest = append(rest, i)
			}
		}
		e.show(r, rest)
		if len(rest) < unveilStep {
			r.shown = nil
			e.sayInfo(r)
		}
	}
}
