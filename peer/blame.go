package peer

import (
	"fmt"
	"slices"
	"time"

	"starling/p2p"
	"starling/piece"
)

// contribution is a run of a piece and who sent it. It outlives the remote: a
// corrupt piece is held against whoever sent it, gone or not.
type contribution struct {
	run    piece.Run
	addr   string
	peerID [20]byte
}

// failure is an attempt at a piece that failed its hash though several remotes
// gave parts of it: what the blocks were, and whose. Once the piece is had,
// the blocks that differ from the right ones name the liars (libtorrent's
// "smart ban").
type failure struct {
	from []contribution
	sums []uint64 // of each block
}

const (
	// maxFailures bounds how many attempts at one piece are remembered.
	maxFailures = 4
	// paroleTime is how long a suspect is on parole at most. A piece that it
	// alone can complete, and that others gave a part of, waits so long.
	paroleTime = 30 * time.Second
)

// corrupt throws a piece away that fails its hash. A single contributor is to
// blame; of several, time will tell.
func (e *Engine) corrupt(i int, f *flight, now time.Time) {
	e.obs.PieceDone(now.Sub(f.begun), false)
	e.stats.CorruptPieces++
	e.stats.WastedCorrupt += uint64(e.geo.PieceSize(i))
	if f.oneSender() {
		e.pick.Corrupt(i)
		e.freed, e.refill = true, true
		e.strike(f.from[0], now)
		for _, past := range e.failures {
			if slices.ContainsFunc(past, func(p *failure) bool { return p.has(f.from[0].peerID) }) {
				e.strike(f.from[0], now) // it had a part in another that failed
				break
			}
		}
		return
	}
	// The blocks must be read before they are fetched again.
	e.node.Host().Run(&sumsJob{content: e.cfg.Content, piece: i, failed: &failure{from: f.from}})
}

// oneSender says whether all of a piece came from one remote.
func (f *flight) oneSender() bool {
	for _, c := range f.from {
		if c.peerID != f.from[0].peerID {
			return false
		}
	}
	return true
}

// strike counts a corrupt piece against its sender, who is banned at the
// second.
func (e *Engine) strike(c contribution, now time.Time) {
	known := e.bans.has(now, c.addr, c.peerID)
	if !e.bans.strike(now, c.addr, c.peerID) {
		for _, r := range e.order {
			if r.peerID == c.peerID {
				e.isolate(r, e.bans.struckUntil(c.addr, c.peerID))
			}
		}
		return
	}
	if !known { // else it was being hashed when its sender was banned
		e.obs.Banned("corrupt")
		e.emit(Banned, fmt.Sprintf("%s sent corrupt pieces", c.addr), nil)
	}
	for _, r := range e.order {
		if r.phase >= declaring && (r.addr == c.addr || r.peerID == c.peerID) {
			e.fault(r, p2p.Violation(p2p.ReasonCorrupt, "it sent corrupt pieces"))
		}
	}
}

// acquit, called when a piece is right at last, has its blocks compared with
// those of the attempts that failed.
func (e *Engine) acquit(i int) {
	if len(e.failures[i]) > 0 {
		e.node.Host().Run(&sumsJob{content: e.cfg.Content, piece: i})
	}
}

func (e *Engine) sumsDone(j *sumsJob) {
	past := e.failures[j.piece]
	if j.failed != nil {
		if j.err == nil && len(past) < maxFailures {
			j.failed.sums = j.sums
			e.failures[j.piece] = append(past, j.failed)
		}
		e.pick.Corrupt(j.piece)
		if e.pick.WantsPiece(j.piece) {
			e.pick.SetPriority(j.piece, piece.MaxPriority) // for it has the proof
		}
		e.suspect(j.failed, e.now())
		e.freed, e.refill = true, true
		return
	}
	delete(e.failures, j.piece)
	e.freed, e.refill = true, true
	if j.err != nil || !e.pick.Have().Has(j.piece) {
		return // nobody is accused without proof
	}
	now := e.now()
	for _, f := range past {
		var struck [][20]byte // once for each attempt, however many runs it gave
		for _, c := range f.from {
			if f.lied(c, j.sums) && !slices.Contains(struck, c.peerID) {
				struck = append(struck, c.peerID)
				e.strike(c, now)
			}
		}
	}
	if len(e.failures) == 0 {
		for _, r := range e.order {
			r.parole = e.bans.struckUntil(r.addr, r.peerID)
		}
	}
}

// suspect puts all who gave a part of a failed piece on parole until it is known
// who lied: each is asked for whole pieces only, which it must answer for alone.
// A liar among them can spoil what it had a part in by then, and after that
// nothing that is not held against it at once (libtorrent's "parole mode").
func (e *Engine) suspect(f *failure, now time.Time) {
	for _, r := range e.order {
		if f.has(r.peerID) {
			e.isolate(r, now.Add(paroleTime))
		}
	}
}

// isolate puts r on parole, beginning with what it is asked for now.
func (e *Engine) isolate(r *remote, until time.Time) {
	r.parole = until
	for i := range r.requests {
		q := &r.requests[i]
		if f := e.flights[q.run.Piece]; !q.silent && (f == nil || f.owner != r) {
			e.abandon(r, q)
		}
	}
}

// onParole says whether r may only be asked for whole pieces.
func (e *Engine) onParole(r *remote) bool {
	return e.now().Before(r.parole)
}

// disown lets others in on a piece that f's owner was to give alone.
func (e *Engine) disown(i int, f *flight) {
	f.owner.own = slices.DeleteFunc(f.owner.own, func(o int) bool { return o == i })
	f.owner = nil
	e.pick.Unreserve(i)
}

// disownAll does so for all that r has not yet been asked for the whole of.
func (e *Engine) disownAll(r *remote) {
	for len(r.own) > 0 {
		e.disown(r.own[0], e.flights[r.own[0]])
		e.freed, e.refill = true, true
	}
}

// has says whether a remote gave a part of the piece.
func (f *failure) has(id [20]byte) bool {
	return slices.ContainsFunc(f.from, func(c contribution) bool { return c.peerID == id })
}

// lied says whether c has a block that is not as in right and that nobody else
// gave. Where a late answer overlaps those of others, whose bytes were on the
// disk is not known.
func (f *failure) lied(c contribution, right []uint64) bool {
	for k := c.run.Begin / piece.BlockSize; k*piece.BlockSize < c.run.Begin+c.run.Length; k++ {
		if k >= len(right) || k >= len(f.sums) || f.sums[k] == right[k] {
			continue
		}
		if !slices.ContainsFunc(f.from, func(o contribution) bool { return o.peerID != c.peerID && covers(o.run, k) }) {
			return true
		}
	}
	return false
}

// covers says whether block k is in a run.
func covers(r piece.Run, k int) bool {
	at := k * piece.BlockSize
	return r.Begin <= at && at < r.Begin+r.Length
}
