package peer

import (
	"bytes"
	"context"
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// In a torrent of v2 a block can be verified alone (BEP 52) and passed on while the
// rest of its piece is still to come. We do so where pieces are few, for remotes that
// have all else we could give: the hashes of the blocks are asked of who is asked for
// the blocks, each run that agrees with them is told (PART) to those that may want it,
// and served. A piece of many MiB so crosses the swarm in the time of its bytes, and
// not of its bytes times the length of the way.

// Proof says what is known of bytes that were put.
type Proof uint8

const (
	Unproven Proof = iota // only the whole piece can be held against a hash
	Right                 // each block agrees with its hash
	Wrong                 // some do not
)

const (
	// fewPieces is how many pieces a torrent has at most in which it helps. With
	// more of them each peer soon has some of its own to trade, and to take the
	// same ones that everybody takes costs more than it gains (docs/simulation.md).
	fewPieces = 64
	// maxProving bounds the pieces of which we know the hashes of the blocks,
	// and maxParts those that one remote has in part as far as we note it.
	maxProving = 64
	maxParts   = 64
	// growWait is how long who sent a PART is thought to send another.
	growWait = 2 * time.Second
)

// leafAsk is a request for the hashes of a piece's blocks.
type leafAsk struct {
	piece int
	asked wire.Hashes
}

// proving is what a flight knows of its blocks.
type proving struct {
	asked    bool            // for the hashes
	proven   *piece.Bitfield // blocks that may be passed on; nil while the hashes are not there
	unproven []piece.Run     // what was put before they came
}

// leafJob holds hashes of blocks against the piece's.
type leafJob struct {
	conn   p2p.ConnID
	hashes Hashes
	piece  int
	answer []byte
	ok     bool
}

func (j *leafJob) Class() p2p.Class   { return p2p.Disk }
func (j *leafJob) Do(context.Context) { j.ok = j.hashes.Accept(j.piece, j.answer) }

// wantLeaves asks r, which is about to be asked for run, for the hashes of the
// piece's blocks if there is somebody to pass those on to.
func (e *Engine) wantLeaves(r *remote, f *flight, run piece.Run) {
	if e.cfg.Hashes == nil || e.geo.NumPieces() > fewPieces || f.asked || r.caps&wire.CapParts == 0 || len(r.leaves) >= maxHashJobs ||
		len(e.proving) >= maxProving || run.Length == e.geo.PieceSize(run.Piece) ||
		!e.hasTakers(r, run.Piece) {
		return
	}
	f.asked = true
	if h, ok := e.cfg.Hashes.Want(run.Piece); ok {
		r.leaves = append(r.leaves, leafAsk{run.Piece, h})
		e.scratch = h.Append(e.scratch[:0])
		e.send(r, wire.HREQ, e.scratch)
	}
}

// hasTakers says whether somebody but r would take blocks of piece i from us, and has
// nothing else to take.
func (e *Engine) hasTakers(r *remote, i int) bool {
	return slices.ContainsFunc(e.order, func(o *remote) bool { return o != r && o.takes(i) && o.needs == 0 })
}

// takes says whether a remote may want blocks of piece i.
func (r *remote) takes(i int) bool {
	return r.phase == ready && r.caps&wire.CapParts != 0 && !r.seed && !r.have.Has(i)
}

// answeredLeaves takes a request off r's list that a HASH or HREJ answers.
func (r *remote) answeredLeaves(head []byte) (a leafAsk, hashes []byte, err error) {
	h, err := wire.ParseHashes(head)
	if err != nil {
		return a, nil, err
	}
	k := slices.IndexFunc(r.leaves, func(a leafAsk) bool {
		return a.asked.Root == h.Root && a.asked.Request == h.Request
	})
	if k < 0 {
		return a, nil, p2p.Violation(p2p.ReasonBadMessage, "hashes that nobody asked for")
	}
	a = r.leaves[k]
	r.leaves = slices.Delete(r.leaves, k, k+1)
	return a, h.Answer, nil
}

// onHashes takes the hashes of a piece's blocks.
func (e *Engine) onHashes(r *remote, m *p2p.Message) error {
	a, hashes, err := r.answeredLeaves(m.Head)
	if err != nil {
		return err
	}
	e.node.Host().Run(&leafJob{conn: r.id, hashes: e.cfg.Hashes, piece: a.piece, answer: bytes.Clone(hashes)})
	return nil
}

// onHashReject hears that there will be none. The piece is verified as a whole.
func (e *Engine) onHashReject(r *remote, m *p2p.Message) error {
	_, _, err := r.answeredLeaves(m.Head)
	return err
}

// dropLeaves lets others be asked for what r has not answered: it is gone.
func (e *Engine) dropLeaves(r *remote) {
	for _, a := range r.leaves {
		if f := e.flights[a.piece]; f != nil {
			f.asked = false
		}
	}
	r.leaves = nil
}

// leavesDone begins to prove the blocks of a piece, with those that are there.
func (e *Engine) leavesDone(j *leafJob) {
	if r := e.remotes[j.conn]; !j.ok && r != nil {
		e.fault(r, p2p.Violation(p2p.ReasonCorrupt, "hashes of blocks that are not those of piece %d", j.piece))
	}
	f := e.flights[j.piece]
	switch {
	case f == nil || f.proven != nil || f.complete && f.writing == 0: // too late: it is judged as a whole
	case !j.ok:
		f.asked = false
	default:
		e.beginProving(j.piece, f)
		for _, run := range f.unproven {
			e.prove(f, run)
		}
		f.unproven = nil
	}
}

func (e *Engine) beginProving(i int, f *flight) {
	f.proven = piece.NewBitfield(e.geo.NumBlocks(i))
	e.proving = append(e.proving, i)
}

// prove has a run that was put held against the hashes of its blocks.
func (e *Engine) prove(f *flight, run piece.Run) {
	f.writing++
	e.onDisk += run.Length
	e.node.Host().Run(&putJob{content: e.cfg.Content, run: run, prove: true})
}

// proved takes what is known of a run that was put, and passes it on.
func (e *Engine) proved(f *flight, j *putJob) {
	switch {
	case j.proof == Right:
		if f.proven == nil { // the hashes were kept from an earlier attempt
			e.beginProving(j.run.Piece, f)
		}
		for at := j.run.Begin; at < j.run.Begin+j.run.Length; at += piece.BlockSize {
			f.proven.Set(at / piece.BlockSize)
		}
		for _, r := range e.order {
			if r.takes(j.run.Piece) && r.curious() {
				e.tellPart(r, j.run)
			}
		}
	case j.prove:
	case f.proven != nil: // the hashes came while it was put
		e.prove(f, j.run)
	case f.asked:
		f.unproven = append(f.unproven, j.run)
	}
}

// spoiled throws a run away that has a wrong block, and holds it against its sender,
// unless somebody else gave a part of it.
func (e *Engine) spoiled(f *flight, run piece.Run) {
	var from []contribution
	for _, c := range f.from {
		if c.run.Begin < run.Begin+run.Length && run.Begin < c.run.Begin+c.run.Length {
			from = append(from, c)
		}
	}
	e.diskWorks()
	e.unput(f, run)
	e.stats.WastedCorrupt += uint64(run.Length)
	e.refill = true
	if len(from) == 1 {
		e.strike(from[0], e.now())
	}
}

// endProving forgets the blocks of a piece: it is verified, or it is not to be had
// and nobody can count on them.
func (e *Engine) endProving(i int, f *flight, verified bool) {
	if f.proven == nil {
		return
	}
	e.proving = slices.DeleteFunc(e.proving, func(o int) bool { return o == i })
	if verified || f.proven.None() {
		return
	}
	for _, r := range e.order {
		if r.takes(i) {
			e.refuse(r, func(o int) bool { return o == i })
			e.scratch = wire.AppendIndexes(e.scratch[:0], []int{i})
			e.send(r, wire.DONT, e.scratch)
		}
	}
}

// proves says whether we can serve a run of a piece that we have not whole.
func (e *Engine) proves(run piece.Run) bool {
	f := e.flights[run.Piece]
	if f == nil || f.proven == nil {
		return false
	}
	for at := run.Begin; at < run.Begin+run.Length; at += piece.BlockSize {
		if !f.proven.Has(at / piece.BlockSize) {
			return false
		}
	}
	return true
}

// tellPart tells r of a run that is proven.
func (e *Engine) tellPart(r *remote, run piece.Run) {
	e.scratch = wire.AppendRun(e.scratch[:0], run)
	e.send(r, wire.PART, e.scratch)
}

// tellParts tells r of all that is proven.
func (e *Engine) tellParts(r *remote) {
	for _, i := range e.proving {
		if !r.takes(i) {
			continue
		}
		blocks := e.flights[i].proven
		for b, n := 0, blocks.Len(); b < n; b++ {
			first := b
			for b < n && blocks.Has(b) && (b-first)*piece.BlockSize < wire.MaxRun {
				b++
			}
			if b > first {
				begin := first * piece.BlockSize
				e.tellPart(r, piece.Run{Piece: i, Begin: begin, Length: min(b*piece.BlockSize, e.geo.PieceSize(i)) - begin})
				b--
			}
		}
	}
}

// left is how many pieces, whole or not, we have for a remote, if any.
func (e *Engine) left(r *remote) int {
	if r.shown != nil {
		return r.shown.Count() - r.shown.Common(r.have)
	}
	if r.needs == 0 && len(e.proving) > 0 && r.caps&wire.CapParts != 0 && !r.seed {
		return 1
	}
	return r.needs
}

// onPart learns of blocks that a remote has of a piece.
func (e *Engine) onPart(r *remote, m *p2p.Message) error {
	run, err := wire.ParseRun(m.Head, e.geo)
	switch {
	case err != nil:
		return err
	case !e.geo.Contains(run):
		return p2p.Violation(p2p.ReasonBadMessage, "a PART of bytes %d+%d, which are no blocks", run.Begin, run.Length)
	case r.have.Has(run.Piece) || !e.pick.WantsPiece(run.Piece):
		return nil
	}
	k := slices.IndexFunc(r.parts, func(p piece.Part) bool { return p.Piece == run.Piece })
	if k < 0 {
		if len(r.parts) == maxParts {
			r.parts = slices.Delete(r.parts, 0, 1)
		}
		k = len(r.parts)
		r.parts = append(r.parts, piece.Part{Piece: run.Piece, Blocks: piece.NewBitfield(e.geo.NumBlocks(run.Piece))})
	}
	for at := run.Begin; at < run.Begin+run.Length; at += piece.BlockSize {
		r.parts[k].Blocks.Set(at / piece.BlockSize)
	}
	r.grew = e.now()
	if e.pick.Open(run.Piece) {
		e.stir(r)
	}
	e.interest(r)
	e.ask(r)
	return nil
}

// dropPart forgets what a remote has of a piece, and says whether there was anything.
func (r *remote) dropPart(i int) bool {
	n := len(r.parts)
	r.parts = slices.DeleteFunc(r.parts, func(p piece.Part) bool { return p.Piece == i })
	return len(r.parts) < n
}

// hasSome says whether a remote has anything that we want.
func (r *remote) hasSome() bool { return r.useful > 0 || len(r.parts) > 0 }

// growing says whether more of what a remote has in part is to be expected soon.
func (r *remote) growing(now time.Time) bool {
	return len(r.parts) > 0 && now.Sub(r.grew) < growWait
}
