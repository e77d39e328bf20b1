package peer

import (
	"fmt"
	"slices"

	"starling/peer/wire"
	"starling/piece"
)

// Check recomputes what the engine keeps incrementally, and holds its queues
// against their bounds. Any error is a fault of ours: no remote may bring one
// about. It costs a step for each piece of each remote, changes nothing, and is
// for tests and simulations; call it between events.
func (e *Engine) Check() error {
	for _, check := range [...]func() error{
		e.checkRequests, e.checkRemotes, e.checkFlights, e.checkSpread, e.checkScrub, e.checkLists, e.pick.Invariant,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkRequests checks what is asked of whom, here and in the picker.
func (e *Engine) checkRequests() error {
	asked := 0
	claims := map[piece.Run]int{} // by block
	for _, r := range e.order {
		out := 0
		for _, q := range r.requests {
			if q.released {
				continue
			}
			out += q.run.Length
			for at := q.run.Begin; at < q.run.Begin+q.run.Length; at += piece.BlockSize {
				claims[piece.Run{Piece: q.run.Piece, Begin: at}]++
			}
		}
		asked += out
		switch {
		case out != r.outstanding:
			return fmt.Errorf("%s: outstanding %d, really %d", r.addr, r.outstanding, out)
		case len(r.requests) > min(max(r.maxQueue, r.queued), r.room()):
			return fmt.Errorf("%s: %d requests, at most %d or %d, and %d", r.addr, len(r.requests), r.maxQueue, r.queued, r.room())
		}
	}
	switch {
	case asked != e.asked:
		return fmt.Errorf("asked %d, really %d", e.asked, asked)
	case asked >= budget+wire.MaxRun:
		return fmt.Errorf("%d bytes are asked for, budget %d", asked, budget)
	}
	// A block that the picker takes for asked for and nobody owes us would never
	// come. The reverse may be: a piece that failed its hash has lost the marks
	// of requests that are still under way.
	var err error
	e.pick.EachRequested(func(i, block, requesters int) {
		if n := claims[piece.Run{Piece: i, Begin: block * piece.BlockSize}]; n < requesters && err == nil {
			err = fmt.Errorf("block %d of piece %d is asked for %d times, really %d", block, i, requesters, n)
		}
	})
	return err
}

// checkRemotes checks what is kept of each remote, and the availability that
// they add up to.
func (e *Engine) checkRemotes() error {
	avail := make([]int, e.geo.NumPieces())
	seeds := 0
	for _, r := range e.order {
		if r.phase != ready {
			continue
		}
		if err := e.checkRemote(r); err != nil {
			return fmt.Errorf("%s: %w", r.addr, err)
		}
		if r.seed {
			seeds++
			continue
		}
		for i := range avail {
			if r.have.Has(i) {
				avail[i]++
			}
		}
	}
	for i, n := range avail {
		if got := e.pick.Availability(i); got != n+seeds {
			return fmt.Errorf("piece %d: availability %d, really %d", i, got, n+seeds)
		}
	}
	if n, most := e.slots(), e.cfg.Policy.Slots(); most > 0 && n > most {
		return fmt.Errorf("%d slots in use, at most %d", n, most)
	}
	return nil
}

func (e *Engine) checkRemote(r *remote) error {
	useful := e.pick.CountWanted(r.have)
	needs := e.pick.NumHave() - e.pick.Have().Common(r.have)
	switch {
	case useful != r.useful || needs != r.needs:
		return fmt.Errorf("useful %d and needs %d, really %d and %d", r.useful, r.needs, useful, needs)
	case r.hasSome() && !r.amInterested && !r.resting, !r.hasSome() && r.amInterested && !r.peerChoking:
		return fmt.Errorf("useful %d and %d parts, interested %v", r.useful, len(r.parts), r.amInterested)
	case r.seed != r.have.All():
		return fmt.Errorf("%d pieces, seed %v", r.have.Count(), r.seed)
	case r.amChoking && len(r.queue) > 0:
		return fmt.Errorf("choked with %d requests queued", len(r.queue))
	case len(r.queue) > r.room():
		return fmt.Errorf("%d requests queued, at most %d", len(r.queue), r.room())
	case r.bulk > bulkAhead:
		return fmt.Errorf("%d PIECs with the host, at most %d", r.bulk, bulkAhead)
	case r.window < minWindow || r.window > maxWindow:
		return fmt.Errorf("window %d", r.window)
	case len(r.meta.queue) > r.meta.taken || r.meta.taken > metaTurns*e.metaParts():
		return fmt.Errorf("%d parts of the info dictionary wait, %d of %d taken", len(r.meta.queue), r.meta.taken, e.metaParts())
	case r.hashJobs > maxHashJobs:
		return fmt.Errorf("%d requests for hashes, at most %d", r.hashJobs, maxHashJobs)
	case len(r.suggested) > wire.MaxIndexes:
		return fmt.Errorf("%d suggestions, at most %d", len(r.suggested), wire.MaxIndexes)
	}
	if len(r.parts) > maxParts || len(r.leaves) > maxHashJobs {
		return fmt.Errorf("%d parts, at most %d; asked for the hashes of %d pieces, at most %d", len(r.parts), maxParts, len(r.leaves), maxHashJobs)
	}
	for _, p := range r.parts {
		if r.have.Has(p.Piece) || !e.pick.WantsPiece(p.Piece) {
			return fmt.Errorf("a part of piece %d, which it has or we do not want", p.Piece)
		}
	}
	for _, run := range r.queue {
		if !e.pick.Have().Has(run.Piece) && !e.proves(run) {
			return fmt.Errorf("a request for piece %d is queued, which we lack", run.Piece)
		}
	}
	return nil
}

// slots counts the remotes that are unchoked.
func (e *Engine) slots() int {
	n := 0
	for _, r := range e.order {
		count(&n, r.phase == ready && !r.amChoking)
	}
	return n
}

// checkFlights checks the pieces on their way to a verdict.
func (e *Engine) checkFlights() error {
	writing := 0
	for i := range e.geo.NumPieces() {
		f := e.flights[i]
		if f == nil {
			continue
		}
		writing += f.writing
		switch {
		case e.pick.Have().Has(i):
			return fmt.Errorf("piece %d is had and in flight", i)
		case f.writing < 0:
			return fmt.Errorf("piece %d: %d jobs", i, f.writing)
		case len(f.from) > e.geo.NumBlocks(i):
			return fmt.Errorf("piece %d of %d blocks: %d parts", i, e.geo.NumBlocks(i), len(f.from))
		}
	}
	if len(e.proving) > maxProving+maxHashJobs*len(e.order) {
		return fmt.Errorf("%d pieces with the hashes of their blocks", len(e.proving))
	}
	for _, i := range e.proving {
		if f := e.flights[i]; f == nil || f.proven == nil {
			return fmt.Errorf("piece %d is passed on and not on its way", i)
		}
	}
	if (writing > 0) != (e.onDisk > 0) || e.onDisk < 0 || e.onDisk > writing*wire.MaxRun {
		return fmt.Errorf("%d bytes are being written by %d jobs", e.onDisk, writing)
	}
	return nil
}

// checkSpread checks that no piece is to be given to two, and that only what was shown
// is served.
func (e *Engine) checkSpread() error {
	given := piece.NewBitfield(e.geo.NumPieces())
	give := func(i int) error {
		if !given.Set(i) {
			return fmt.Errorf("piece %d is suggested twice", i)
		}
		return nil
	}
	for _, r := range e.order {
		waiting := 0
		for _, h := range r.handouts {
			count(&waiting, !h.asked)
			if err := give(h.piece); err != nil {
				return fmt.Errorf("%s: %w", r.addr, err)
			}
		}
		for _, o := range r.offers {
			if err := give(o.piece); err != nil {
				return fmt.Errorf("%s: %w", r.addr, err)
			}
		}
		switch {
		case waiting > maxAhead:
			return fmt.Errorf("%s: sits on %d suggestions, at most %d", r.addr, waiting, maxAhead)
		case len(r.offers) > maxOffers || len(r.offers) > 0 && (r.shown == nil || !e.spread.active):
			return fmt.Errorf("%s: %d offers, at most %d", r.addr, len(r.offers), maxOffers)
		case slices.ContainsFunc(r.queue, func(run piece.Run) bool { return !r.shows(run.Piece) }):
			return fmt.Errorf("%s: a request for a piece is queued that it was not shown", r.addr)
		case slices.ContainsFunc(r.offers, func(o offer) bool { return !r.shows(o.piece) }):
			return fmt.Errorf("%s: an offer of a piece that it was not shown", r.addr)
		}
	}
	for _, i := range e.spread.left {
		if err := give(i); err != nil {
			return err
		}
	}
	return nil
}

// checkLists checks the lists that outlive a remote.
func (e *Engine) checkLists() error {
	switch n := len(e.cands.list); {
	case n > maxCandidates || n != len(e.cands.by):
		return fmt.Errorf("%d candidates, %d by address, at most %d", n, len(e.cands.by), maxCandidates)
	case len(e.order) != len(e.remotes):
		return fmt.Errorf("%d remotes, %d in order", len(e.remotes), len(e.order))
	case len(e.bans.order) > maxBans || len(e.bans.order) != len(e.bans.by):
		return fmt.Errorf("%d bans, %d in order, at most %d", len(e.bans.by), len(e.bans.order), maxBans)
	case len(e.accounts.list) > maxAccounts:
		return fmt.Errorf("%d accounts, at most %d", len(e.accounts.list), maxAccounts)
	case len(e.teller.log) > e.geo.NumPieces():
		return fmt.Errorf("%d pieces told of, of %d", len(e.teller.log), e.geo.NumPieces())
	case e.finished && !e.pick.Done():
		return fmt.Errorf("published with %d bytes missing", e.pick.Left())
	}
	for _, i := range e.teller.log {
		if !e.pick.Have().Has(i) {
			return fmt.Errorf("piece %d is to be announced and not had", i)
		}
	}
	for i, f := range e.flights {
		if f.owner != nil && !slices.Contains(f.owner.own, i) {
			return fmt.Errorf("piece %d is kept for %s, which does not know", i, f.owner.addr)
		}
	}
	for _, r := range e.order {
		for _, i := range r.own {
			if f := e.flights[i]; f == nil || f.owner != r {
				return fmt.Errorf("piece %d is not kept for %s any more", i, r.addr)
			}
		}
	}
	for i := range e.geo.NumPieces() {
		if n := len(e.failures[i]); n > maxFailures {
			return fmt.Errorf("piece %d: %d failures, at most %d", i, n, maxFailures)
		}
	}
	return nil
}
