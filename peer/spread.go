package peer

import (
	"slices"
	"time"

	"starling/peer/wire"
	"starling/piece"
)

// spreader decides what a seed gives to whom. While there are pieces that no
// other peer has, each of them is suggested to one remote only, in random
// order, and a remote that is so guided asks for nothing else: the seed's
// uplink carries every piece once before it carries any twice. That is the
// "smart seed" of Bharambe, Herley and Padmanabhan (INFOCOM 2006), with the
// effect of super-seeding (BEP 16), but without its waits and without denying
// what we have. It ends, and remotes may ask for what they like, as soon as
// somebody has each piece. Those that read no SUGG: superseed.go.
type spreader struct {
	active bool
	// left are pieces suggested to nobody, taken from the end.
	left []int
	// What superseed.go needs: something was announced in this event, and when a
	// remote last passed on what it was shown.
	news   bool
	passed time.Time
}

// handout is a piece that we suggested to a remote and that it has not
// announced yet.
type handout struct {
	piece int
	asked bool // it has asked for it
	sent  int  // bytes of it that were handed to the host
	at    time.Time
}

const (
	// spreadAhead is how many suggestions a remote holds beyond its
	// requests, at least: enough that the next are there before it needs
	// them, though they wait behind pieces in the connection.
	spreadAhead = 4
	maxAhead    = 48
	// spreadWait is how long a remote may sit on pieces and announce none
	// before they are given to others: without it, one that takes and never
	// announces could keep pieces from the swarm.
	spreadWait = 20 * time.Second
	// spreadIdle is how long it may leave one of them unasked, or asked for in part,
	// while we have nothing else to send to it, nor anything left for another that
	// waits: one with a rate limit takes little from each of its sources.
	spreadIdle = 2 * time.Second
	// spreadSilent is how long it may, in the same case, keep one that all has been
	// sent of: one whose disk or processor is slow announces others meanwhile.
	spreadSilent = 5 * time.Second
)

// init shuffles the pieces, if we start as a seed. A leecher that completes
// does not spread: whatever it has, somebody had before.
func (s *spreader) init(e *Engine) {
	if e.pick.NumHave() != e.geo.NumPieces() {
		return
	}
	s.active = true
	s.left = e.node.Host().Rand().Perm(e.geo.NumPieces())
	s.passed = e.now()
}

// suggest names the next pieces to a remote that we serve.
func (e *Engine) suggest(r *remote) {
	s := &e.spread
	if s.news {
		s.news = false
		e.offerAll()
	}
	if !s.active || r.amChoking || r.phase != ready || r.caps&wire.CapSuggest == 0 || r.needs == 0 || r.hoards {
		return
	}
	if !r.guided && e.leechers() < 2 {
		return // a single leecher needs no guidance: nobody competes with it
	}
	target := min(spreadAhead+2*len(r.queue), maxAhead)
	waiting := 0
	for _, h := range r.handouts {
		if !h.asked {
			waiting++
		}
	}
	if r.guided && waiting > target/2 {
		return // there will be more to say soon
	}
	fresh := s.take(e, r, target-waiting)
	if len(fresh) == 0 {
		return
	}
	now := e.now()
	for _, i := range fresh {
		r.handouts = append(r.handouts, handout{piece: i, at: now})
	}
	r.guided = true
	e.scratch = wire.AppendIndexes(e.scratch[:0], fresh)
	e.send(r, wire.SUGG, e.scratch)
}

// take draws pieces that nobody has or is getting, and that r was not shown before.
func (s *spreader) take(e *Engine, r *remote, n int) []int {
	var fresh []int
	for k := len(s.left) - 1; k >= 0 && len(fresh) < n; k-- {
		i := s.left[k]
		free := e.pick.Availability(i) == 0
		if free && r.shown != nil && r.shown.Has(i) {
			continue
		}
		s.left = slices.Delete(s.left, k, k+1)
		if free {
			fresh = append(fresh, i)
		}
	}
	return fresh
}

// leechers counts the remotes that lack something.
func (e *Engine) leechers() int {
	n := 0
	for _, r := range e.order {
		if r.phase == ready && !r.seed {
			n++
		}
	}
	return n
}

// handedOut notes that a remote asks for a piece, which may be a suggested
// one.
func (r *remote) handedOut(i int, now time.Time) {
	for k := range r.handouts {
		if h := &r.handouts[k]; h.piece == i && !h.asked {
			h.asked, h.at = true, now
		}
	}
}

// handedOver notes that bytes of a piece are on their way to a remote.
func (r *remote) handedOver(run piece.Run, now time.Time) {
	for k := range r.handouts {
		if h := &r.handouts[k]; h.piece == run.Piece {
			h.sent += run.Length
		}
	}
	for k := range r.offers {
		if o := &r.offers[k]; o.piece == run.Piece {
			o.at = now
		}
	}
}

// announced notes that a remote has a piece now.
func (s *spreader) announced(r *remote, i int, now time.Time) {
	r.hoards = false
	r.announced = now
	s.news = true
	r.handouts = slices.DeleteFunc(r.handouts, func(h handout) bool { return h.piece == i })
}

// reclaim takes back what a remote was to get: it is gone.
func (s *spreader) reclaim(r *remote) {
	if s.active {
		for _, h := range r.handouts {
			s.left = append(s.left, h.piece)
		}
		for _, o := range r.offers {
			s.left = append(s.left, o.piece)
		}
	}
	r.handouts, r.offers = r.handouts[:0], nil
}

// unqueue takes back what a remote will not be sent, or not all of it, because
// it was choked (its queue is not yet emptied). What is all on its way to it stays
// its own.
func (e *Engine) unqueue(r *remote) {
	s := &e.spread
	if !s.active {
		return
	}
	r.handouts = slices.DeleteFunc(r.handouts, func(h handout) bool {
		short := h.sent < e.geo.AskSize(h.piece)
		if short {
			s.left = append(s.left, h.piece)
		}
		return short
	})
}

// spreadTick takes back what has been sat upon, and ends the spreading when
// every piece is somewhere else.
func (e *Engine) spreadTick(now time.Time) {
	s := &e.spread
	if !s.active {
		e.unveil()
		return
	}
	pending := e.cfg.SuperSeed && e.offersTick(now)
	for _, r := range e.order {
		if len(r.handouts) > 0 && now.Sub(r.handouts[0].at) > spreadWait && now.Sub(r.announced) > spreadWait {
			r.hoards = true
			s.reclaim(r)
			e.freeChoice(r)
		}
	}
	e.passOn(now)
	for _, r := range e.order {
		e.suggest(r)
		pending = pending || len(r.handouts) > 0
	}
	if len(s.left) > 0 || pending {
		return
	}
	e.endSpread()
}

// passOn takes back what remotes leave with us or keep to themselves, once nothing else
// is left and another remote waits for more: the whole swarm lacks those pieces.
func (e *Engine) passOn(now time.Time) {
	s := &e.spread
	if len(s.left) > 0 || !slices.ContainsFunc(e.order, (*remote).waitsForMore) {
		return
	}
	for _, r := range e.order {
		if len(r.queue) > 0 || r.bulk > 0 {
			continue // it waits for us
		}
		r.handouts = slices.DeleteFunc(r.handouts, func(h handout) bool {
			late := now.Sub(h.at) > spreadIdle && (h.sent < e.geo.AskSize(h.piece) || now.Sub(r.served) > spreadSilent)
			if late {
				s.left = append(s.left, h.piece)
				r.hoards = true
			}
			return late
		})
	}
}

// waitsForMore says whether a remote has announced all that we suggested to it, and
// could be sent more.
func (r *remote) waitsForMore() bool {
	return r.phase == ready && r.guided && !r.amChoking && r.needs > 0 && !r.hoards && len(r.handouts) == 0 && len(r.queue) == 0
}

// endSpread lets all ask for what they like.
func (e *Engine) endSpread() {
	e.spread.active, e.spread.left = false, nil
	for _, r := range e.order {
		r.offers = nil
		e.freeChoice(r)
	}
	e.unveil()
}

// freeChoice ends a remote's guidance: an empty SUGG.
func (e *Engine) freeChoice(r *remote) {
	if r.guided && r.fault == nil {
		r.guided = false
		e.send(r, wire.SUGG, nil)
	}
}
