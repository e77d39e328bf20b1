package peer

import (
	"context"
	"slices"
	"time"

	"starling/p2p"
	"starling/piece"
)

// The engine's jobs. Each holds its input and, once Do has run, its result.
type (
	// putJob takes one PIEC to the disk: a whole piece is verified on the
	// way, a part is not.
	putJob struct {
		content Content
		run     piece.Run
		whole   bool
		prove   bool // it was put without the hashes of its blocks, which are there now
		data    p2p.Payload
		ok      bool
		proof   Proof
		err     error
	}
	// verifyJob hashes a piece that came in parts.
	verifyJob struct {
		content Content
		piece   int
		ok      bool
		err     error
	}
	syncJob struct {
		content Content
		bytes   int
		lost    []int
		err     error
	}
	finishJob struct {
		content Content
		lost    []int
		err     error
	}
	// sumsJob hashes the blocks of a piece one by one, to tell whose bytes
	// were wrong.
	sumsJob struct {
		content Content
		piece   int
		failed  *failure // nil: the piece is right
		sums    []uint64
		err     error
	}
)

func (j *putJob) Class() p2p.Class    { return p2p.Disk }
func (j *verifyJob) Class() p2p.Class { return p2p.Disk }
func (j *syncJob) Class() p2p.Class   { return p2p.Flush }
func (j *finishJob) Class() p2p.Class { return p2p.Flush }

func (j *putJob) Do(context.Context) {
	switch {
	case j.prove:
		j.proof, j.err = j.content.ProveRun(j.run)
		return
	case j.whole:
		j.ok, j.err = j.content.PutPiece(j.run.Piece, j.data)
	default:
		j.proof, j.err = j.content.PutRun(j.run, j.data)
	}
	j.data.Release()
	j.data = nil
}

func (j *sumsJob) Class() p2p.Class   { return p2p.Disk }
func (j *sumsJob) Do(context.Context) { j.sums, j.err = j.content.BlockSums(j.piece) }

func (j *verifyJob) Do(context.Context)     { j.ok, j.err = j.content.VerifyPiece(j.piece) }
func (j *syncJob) Do(ctx context.Context)   { j.lost, j.err = j.content.Sync(ctx) }
func (j *finishJob) Do(ctx context.Context) { j.lost, j.err = j.content.Finish(ctx) }

// put starts a run's way to the disk.
func (e *Engine) put(r *remote, run piece.Run, data p2p.Payload, complete bool) {
	f := e.flights[run.Piece]
	if f == nil { // asked for before the piece was found corrupt
		f = &flight{begun: e.now()}
		e.flights[run.Piece] = f
	}
	// A part of it may still be on its way to the disk; then the whole waits
	// for it and is verified there, like any other part.
	whole := f.writing == 0 && run.Begin == 0 && run.Length == e.geo.PieceSize(run.Piece)
	if whole {
		f.from = f.from[:0] // it is judged by itself
	}
	f.from = append(f.from, contribution{run, r.addr, r.peerID})
	f.writing++
	f.complete = complete
	e.onDisk += run.Length
	e.node.Host().Run(&putJob{
		content: e.cfg.Content, run: run, data: data, whole: whole,
	})
}

// onDone takes a job's result.
func (e *Engine) onDone(j p2p.Job) {
	switch j := j.(type) {
	case *putJob:
		e.putDone(j)
	case *verifyJob:
		e.verified(j.piece, j.ok, j.err)
	case *sumsJob:
		e.sumsDone(j)
	case *syncJob:
		e.syncDone(j)
	case *finishJob:
		e.finishDone(j)
	case *hashJob:
		e.hashesDone(j)
	case *leafJob:
		e.leavesDone(j)
	case *announceJob:
		e.announced(j)
	case *scrubJob:
		e.scrubDone(j)
	}
	e.settle()
}

func (e *Engine) putDone(j *putJob) {
	e.onDisk -= j.run.Length
	e.refill = true
	f := e.flights[j.run.Piece]
	f.writing--
	switch {
	case j.err != nil:
		e.unput(f, j.run)
		e.diskFailed(j.err)
	case j.proof == Wrong:
		e.spoiled(f, j.run)
	case j.whole:
		e.diskWorks()
		e.verified(j.run.Piece, j.ok, nil)
	default:
		e.diskWorks()
		e.proved(f, j)
		if f.complete && f.writing == 0 {
			e.node.Host().Run(&verifyJob{content: e.cfg.Content, piece: j.run.Piece})
		}
	}
}

// unput takes back that a run of a piece has come.
func (e *Engine) unput(f *flight, run piece.Run) {
	f.complete = false
	f.from = slices.DeleteFunc(f.from, func(c contribution) bool { return c.run == run })
	e.pick.Unreceived(run)
	e.freed = true
}

// verified takes the verdict on a piece.
func (e *Engine) verified(i int, ok bool, err error) {
	f := e.flights[i]
	delete(e.flights, i)
	e.endProving(i, f, ok && err == nil)
	if f.owner != nil {
		e.disown(i, f)
	}
	now := e.now()
	switch {
	case err != nil:
		e.pick.Corrupt(i) // what is on the disk cannot be read: fetch it again
		e.freed, e.refill = true, true
		e.diskFailed(err)
		return
	case !ok:
		e.corrupt(i, f, now)
		return
	}
	e.obs.PieceDone(now.Sub(f.begun), true)
	e.acquit(i)
	e.pick.Verified(i)
	e.creditWeb(i, f)
	e.stats.LastProgress = now
	if e.stalled {
		e.checkStall(now)
	}
	e.unsynced += e.geo.PieceSize(i)
	e.gained(i, now)
	e.checkpoint(now)
	e.checkComplete()
}

// gained brings up to date what each remote and we have for each other, and tells
// of a piece that is verified.
func (e *Engine) gained(i int, now time.Time) {
	e.mended(i)
	for _, r := range e.order {
		if r.phase != ready {
			continue
		}
		dropped := r.dropPart(i)
		switch {
		case r.have.Has(i):
			r.useful--
			e.interest(r)
		case dropped:
			e.interest(r)
			fallthrough
		default:
			r.needs++
		}
	}
	e.news(i, now)
}

// checkpoint makes verified pieces durable every checkpointEvery or
// checkpointBytes, whichever comes first: what a crash can cost.
func (e *Engine) checkpoint(now time.Time) {
	due := e.unsynced >= checkpointBytes || now.Sub(e.lastSync) >= checkpointEvery || e.flushErr && !now.Before(e.retryAt)
	if due && e.unsynced > 0 && !e.syncing && !e.complete {
		e.syncing = true
		e.node.Host().Run(&syncJob{content: e.cfg.Content, bytes: e.unsynced})
	}
}

func (e *Engine) syncDone(j *syncJob) {
	e.syncing = false
	e.lastSync = e.now()
	if j.err == nil || len(j.lost) > 0 {
		e.unsynced -= j.bytes
	}
	e.flushed(j.lost, j.err)
	e.checkComplete()
}

// checkComplete publishes the content once every wanted piece is verified.
func (e *Engine) checkComplete() {
	if e.complete || e.syncing || !e.pick.Done() {
		return
	}
	e.complete = true
	e.node.Host().Run(&finishJob{content: e.cfg.Content})
}

func (e *Engine) finishDone(j *finishJob) {
	e.flushed(j.lost, j.err)
	if j.err != nil {
		e.complete = false
		return
	}
	e.finished = true
	e.unsynced = 0
	e.tellAll()
	again := e.told
	if e.told = true; !again {
		e.emit(Complete, "", nil)
	}
	e.beginScrub()
	switch {
	case again:
		e.announceNow() // a seed as before, which completes nothing a second time
	case e.stats.ReceivedPayload == 0:
	case e.lacking() > 0:
		e.announceNow() // a partial seed from now on, which completed nothing (BEP 21)
	default:
		e.announceEvent(EventCompleted)
	}
	for _, r := range e.order {
		if r.phase == ready {
			if err := e.mutual(r); err != nil {
				e.fault(r, err)
			}
		}
	}
	e.rechokeAll()
}

// diskFailed pauses the download. Uploads go on, and the disk is tried again
// every diskRetry: room may be made, a volume may come back.
func (e *Engine) diskFailed(err error) {
	first := e.diskErr == nil
	e.diskErr = err
	e.retryAt = e.now().Add(diskRetry)
	if first {
		e.emit(Failed, "", err)
	}
}

func (e *Engine) diskWorks() {
	if e.diskErr != nil && !e.flushErr {
		e.diskErr = nil
		e.emit(Resumed, "the disk works again", nil)
		e.refill = true
	}
}
