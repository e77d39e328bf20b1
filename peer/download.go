package peer

import (
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// flight is a piece between its first request and its verdict.
type flight struct {
	begun    time.Time
	writing  int // jobs under way
	complete bool
	from     []contribution
	owner    *remote // who alone is asked for it: see parole
	proving
}

// onChoke hears that a remote begins or ceases to serve us. As in BEP 6 a
// choke cancels nothing by itself: what will not be served is rejected.
func (e *Engine) onChoke(r *remote, choking bool) error {
	r.peerChoking = choking
	if choking {
		r.suggested, r.guides = r.suggested[:0], false
		e.disownAll(r)
		if r.caps&wire.CapSilent != 0 {
			e.releaseAll(r) // they are dropped, and nobody will say so
		}
		return nil
	}
	r.lastData = e.now()
	r.lastPiece, r.servedUs = r.lastData, r.lastData
	e.loseInterest(r)
	e.ask(r)
	return nil
}

// onSuggest notes pieces that a remote would rather send (BEP 6). Our seeds
// guide us so to pieces that nobody else has or is getting. A list that is not
// empty means: ask me for these only. An empty one ends that.
func (e *Engine) onSuggest(r *remote, m *p2p.Message) error {
	if r.guides = len(m.Head) > 0; !r.guides {
		r.suggested = r.suggested[:0]
		e.ask(r)
		return nil
	}
	err := wire.ParseIndexes(m.Head, e.geo.NumPieces(), func(i int) {
		if r.have.Has(i) && e.pick.WantsPiece(i) && len(r.suggested) < wire.MaxIndexes {
			r.suggested = append(r.suggested, i)
		}
	})
	// Who wants some files only may be led to nothing but the others.
	r.guides = len(r.suggested) > 0
	e.ask(r)
	return err
}

// askAll gives every remote with room its next requests. Limited downloads
// start with a different remote each time, so that none is always last.
func (e *Engine) askAll() {
	if e.freed {
		e.freed = false
		for _, r := range e.order {
			if !r.declined || e.endgame {
				e.stir(r)
			}
		}
	}
	n := len(e.order)
	for i := range n {
		e.ask(e.order[(i+e.turn)%n])
	}
	e.weighSources()
	e.stirSome()
	e.turn++
}

// ask keeps r's window full.
func (e *Engine) ask(r *remote) {
	if r.phase != ready || r.peerChoking || !r.amInterested || r.fault != nil || e.stopping || e.pausedByDisk() {
		return
	}
	now := e.now()
	for r.outstanding < r.window && len(r.requests) < r.maxQueue {
		if e.asked+e.onDisk >= budget {
			return // what is written makes room, and refills
		}
		if !e.down.ready(now) {
			e.downT.Set(e.down.at)
			return
		}
		if e.enough(r) {
			e.decline(r)
			return
		}
		run, ok := e.choose(r)
		if !ok {
			e.rest(r)
			return
		}
		e.request(r, run, now)
		if e.diskErr != nil {
			return // one run is enough to try the disk with
		}
	}
}

// pausedByDisk says that the disk refused and it is not time to try again.
func (e *Engine) pausedByDisk() bool {
	return e.diskErr != nil && (e.now().Before(e.retryAt) || e.asked+e.onDisk > 0 || e.flushErr && e.unsynced > 0)
}

// choose asks the picker for r's next run.
func (e *Engine) choose(r *remote) (piece.Run, bool) {
	for len(r.suggested) > 0 && !e.pick.WantsPiece(r.suggested[0]) {
		r.suggested = r.suggested[1:]
	}
	if r.guides && len(r.suggested) == 0 {
		return piece.Run{}, false // more will come, or our freedom
	}
	ask := piece.Ask{Have: r.have, Seed: r.seed, MaxLength: r.runLength(), Suggested: r.suggested, Own: r.own}
	if r.useful == 0 { // what it has whole, others may have too: more to trade with
		ask.Parts = r.parts
	}
	if e.onParole(r) {
		ask.Alone = true
	} else if e.pick.InEndgame() {
		// Others' runs, asked for again. Only an idle remote helps.
		if r.outstanding > 0 {
			return piece.Run{}, false
		}
		ask.Endgame = true
		e.runBuf = e.runBuf[:0]
		for _, q := range r.requests {
			e.runBuf = append(e.runBuf, q.run)
		}
		ask.Outstanding = e.runBuf
	}
	run, ok := e.pick.Pick(&ask)
	if ok && r.guides && !slices.Contains(r.suggested, run.Piece) {
		return piece.Run{}, false // all that it suggested is asked for
	}
	return run, ok
}

func (e *Engine) request(r *remote, run piece.Run, now time.Time) {
	e.pick.Requested(run)
	if end := e.pick.InEndgame(); end != e.endgame {
		e.endgame = end
		e.freed, e.refill = true, true // those who rest may help
	}
	if !r.owes() {
		r.lastData, r.lastPiece = now, now
	}
	r.requests = append(r.requests, request{run: run, at: now})
	r.outstanding += run.Length
	e.asked += run.Length
	e.down.take(now, run.Length)
	f := e.flights[run.Piece]
	if f == nil {
		f = &flight{begun: now}
		e.flights[run.Piece] = f
	}
	if e.onParole(r) && f.owner == nil {
		f.owner = r
		r.own = append(r.own, run.Piece)
		e.pick.Reserve(run.Piece)
	}
	e.obs.QueueDepth(len(r.requests))
	e.wantLeaves(r, f, run)
	e.scratch = wire.AppendRun(e.scratch[:0], run)
	e.send(r, wire.REQU, e.scratch)
}

// release gives a request's run back to the picker.
func (e *Engine) release(r *remote, q *request) {
	if q.released {
		return
	}
	q.released = true
	r.outstanding -= q.run.Length
	e.asked -= q.run.Length
	e.pick.Unrequested(q.run)
	if f := e.flights[q.run.Piece]; f != nil && f.owner == r {
		e.disown(q.run.Piece, f)
	}
	e.refill, e.freed = true, true
}

// releaseAll gives back all of a remote's requests: it is gone.
func (e *Engine) releaseAll(r *remote) {
	for i := range r.requests {
		e.release(r, &r.requests[i])
	}
	r.requests = r.requests[:0]
	e.disownAll(r)
}

// giveUp frees what a silent remote holds for others to ask for. Its answers
// are still welcome.
func (e *Engine) giveUp(r *remote) {
	for i := range r.requests {
		e.release(r, &r.requests[i])
	}
	r.window = minWindow
}

// onReject hears that a request will not be served.
func (e *Engine) onReject(r *remote, m *p2p.Message) error {
	run, err := wire.ParseRun(m.Head, e.geo)
	if err != nil {
		return err
	}
	i := r.find(run)
	if i < 0 {
		return p2p.Violation(p2p.ReasonBadMessage, "REJE of a request we did not make")
	}
	q := r.drop(i)
	e.release(r, &q)
	if !q.silent && !r.peerChoking {
		// It says that it serves us, and does not. Do not ask in a circle.
		if r.rejected++; r.rejected > r.room() {
			return p2p.Violation(p2p.ReasonFlood, "it rejected %d requests in a row", r.rejected)
		}
	}
	return nil
}

// onPiece takes the bytes of a run.
func (e *Engine) onPiece(r *remote, m *p2p.Message) error {
	run, err := pieceRun(m, e.geo)
	if err != nil {
		return err
	}
	now := e.now()
	i := r.find(run)
	if i >= 0 {
		r.received += uint64(run.Length)
		r.account.received += uint64(run.Length)
	}
	e.readTraffic(r, now)
	e.stats.ReceivedPayload += uint64(run.Length)
	if i < 0 {
		e.stats.WastedUnrequested += uint64(run.Length)
		if r.unrequested++; r.unrequested >= maxUnrequested {
			return p2p.Violation(p2p.ReasonFlood, "%d pieces that nobody asked for", r.unrequested)
		}
		return nil
	}
	q := r.drop(i)
	r.lastData, r.lastPiece, r.rejected = now, now, 0
	e.adapt(r, &q, now)
	late := q.released // and so somebody else may have been asked
	if !late {
		r.outstanding -= run.Length
		e.asked -= run.Length
	}
	complete, fresh := e.pick.Received(run)
	if !fresh {
		e.stats.WastedDuplicate += uint64(run.Length)
	} else {
		if !e.begun {
			e.begun = true
			e.emit(FirstByte, "", nil)
		}
		if late || e.pick.InEndgame() {
			e.cancelOthers(r, run)
		}
		e.put(r, run, m.Body, complete)
		m.Body = nil
	}
	e.ask(r)
	return nil
}

// pieceRun reads the head of a PIEC.
func pieceRun(m *p2p.Message, g piece.Geometry) (piece.Run, error) {
	if len(m.Head) != wire.PieceHead || m.Body == nil {
		return piece.Run{}, p2p.Violation(p2p.ReasonBadMessage, "PIEC of %d bytes", m.Len())
	}
	var head [wire.RequestHead]byte
	copy(head[:], m.Head)
	size := m.Body.Size()
	head[8], head[9], head[10], head[11] = byte(size>>24), byte(size>>16), byte(size>>8), byte(size)
	return wire.ParseRun(head[:], g)
}

// adapt sizes a remote's window by how long its answers take beyond the round
// trip. While that is little the window doubles each round trip, as TCP's slow
// start does. When it is much, requests only queue at the remote, out of reach
// of others who would answer them sooner: a swarm whose queues are long has
// idle uplinks elsewhere. The more there are who serve us, the sooner it counts
// as much, but for a window of a piece or less: a small one is slow because the
// path is.
func (e *Engine) adapt(r *remote, q *request, now time.Time) {
	short, long := shortWait, longWait
	if r.window > startWindow {
		n := time.Duration(3*min(max(e.active(), 1), maxSources) - 2)
		short, long = short/n, long/n
	}
	switch wait := now.Sub(q.at) - r.rtt; {
	case wait < short:
		r.window = min(r.window+q.run.Length, maxWindow)
	case wait > long:
		r.window = max(r.window-r.window/4, minWindow)
	}
}

// cancelOthers ends the other requests for a run that has come.
func (e *Engine) cancelOthers(from *remote, run piece.Run) {
	for _, r := range e.order {
		if r == from {
			continue
		}
		for i := range r.requests {
			q := &r.requests[i]
			if q.silent || q.run.Piece != run.Piece || q.run.Begin >= run.Begin+run.Length || run.Begin >= q.run.Begin+q.run.Length {
				continue
			}
			e.abandon(r, q)
		}
	}
}

// abandon cancels a request for good: the picker may give its run to others,
// and the remote is told.
func (e *Engine) abandon(r *remote, q *request) {
	q.silent = true
	if r.caps&wire.CapSilent != 0 {
		q.at = e.now() // it need not answer: it is forgotten some time after
	}
	e.release(r, q)
	e.scratch = wire.AppendRun(e.scratch[:0], q.run)
	e.send(r, wire.CANC, e.scratch)
}
