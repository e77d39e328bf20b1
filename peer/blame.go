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

// maxFailures bounds how many attempts at one piece are remembered.
const maxFailures = 4

// corrupt throws a piece away that fails its hash. A single contributor is to
// blame; of several, time will tell.
func (e *Engine) corrupt(i int, f *flight, now time.Time) {
	e.obs.PieceDone(now.Sub(f.begun), false)
	e.stats.CorruptPieces++
	e.stats.WastedCorrupt += uint64(e.geo.PieceSize(i))
	if f.oneSender() {
		e.pick.Corrupt(i)
		e.freed, e.refill = true, true
		e.refill = true
		e.strike(f.from[0], now)
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
	if !e.bans.strike(now, c.addr, c.peerID) {
		return
	}
	e.obs.Banned("corrupt")
	e.emit(Banned, fmt.Sprintf("%s sent corrupt pieces", c.addr), nil)
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
		e.freed, e.refill = true, true
		e.refill = true
		return
	}
	delete(e.failures, j.piece)
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
