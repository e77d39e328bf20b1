package peer

import (
	"slices"

	"starling/peer/wire"
	"starling/piece"
)

// flushed takes what came of making data durable. After a failure the download
// goes on one piece at a time, each of them synced, until one is durable: a
// disk that takes writes and fails to keep them would otherwise have everything
// fetched again and again.
func (e *Engine) flushed(lost []int, err error) {
	e.lose(lost)
	e.flushErr = err != nil
	if err != nil {
		e.diskFailed(err)
	} else {
		e.diskWorks()
	}
}

// lose takes verified pieces back that are no longer there: they are wanted
// again, nobody is served from them, and everybody is told (DONT).
func (e *Engine) lose(pieces []int) {
	pieces = slices.DeleteFunc(pieces, func(i int) bool { return !e.pick.Have().Has(i) })
	if len(pieces) == 0 {
		return
	}
	e.endSuperSeed()
	for _, i := range pieces {
		e.pick.Lost(i)
	}
	gone := func(i int) bool { return !e.pick.Have().Has(i) }
	e.retell()
	for _, r := range e.order {
		if r.phase < declaring {
			continue // what we declare to it will not have them
		}
		if r.phase == ready {
			e.loseTo(r, pieces)
			e.refuse(r, gone)
		}
		for part := range slices.Chunk(pieces, wire.MaxIndexes) {
			e.scratch = wire.AppendIndexes(e.scratch[:0], part)
			e.send(r, wire.DONT, e.scratch)
		}
	}
	e.freed, e.refill = true, true
}

// loseTo brings up to date what a remote and we have for each other.
func (e *Engine) loseTo(r *remote, pieces []int) {
	for _, i := range pieces {
		if r.shown != nil {
			r.shown.Clear(i)
		}
		switch {
		case !r.have.Has(i):
			r.needs--
		case e.pick.WantsPiece(i):
			r.useful++
		}
	}
	e.interest(r)
}

// refuse rejects the requests in a remote's queue that are for such pieces.
func (e *Engine) refuse(r *remote, which func(i int) bool) {
	r.queue = slices.DeleteFunc(r.queue, func(run piece.Run) bool {
		if which(run.Piece) {
			e.reject(r, run)
			return true
		}
		return false
	})
}
