package peer

import (
	"encoding/binary"
	"slices"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// onRequest queues a run to be sent, or rejects it: each request gets exactly
// one answer (BEP 6).
func (e *Engine) onRequest(r *remote, m *p2p.Message) error {
	run, err := wire.ParseRun(m.Head, e.servable(r))
	if err != nil {
		return err
	}
	if r.amChoking || len(r.queue) >= r.room() || !r.shows(run.Piece) || !e.pick.Have().Has(run.Piece) && !e.proves(run) {
		// A choke may have crossed this request; only a remote that goes
		// on and on does it on purpose.
		if r.bad++; r.bad > maxBad {
			return p2p.Violation(p2p.ReasonFlood, "%d requests that could not be served", r.bad)
		}
		e.reject(r, run)
		return nil
	}
	r.queue = append(r.queue, run)
	r.handedOut(run.Piece, e.now())
	e.scrubAsked(r, run)
	e.serve(r)
	e.suggest(r)
	return nil
}

// servable is what a remote may ask for. Of a torrent of v2 alone libtorrent asks
// for whole blocks where a file ends, as if it were padded: it gets zeros.
func (e *Engine) servable(r *remote) piece.Geometry {
	if r.caps&wire.CapBlocks == 0 || !e.geo.Gaps() {
		return e.geo
	}
	return piece.Geometry{TotalLength: int64(e.geo.NumPieces()) * e.geo.PieceLength, PieceLength: e.geo.PieceLength}
}

func (e *Engine) reject(r *remote, run piece.Run) {
	e.scratch = wire.AppendRun(e.scratch[:0], run)
	e.send(r, wire.REJE, e.scratch)
}

// onCancel answers a cancelled request with REJE, unless its PIEC is on its
// way already.
func (e *Engine) onCancel(r *remote, m *p2p.Message) error {
	run, err := wire.ParseRun(m.Head, e.servable(r))
	if err != nil {
		return err
	}
	if i := slices.Index(r.queue, run); i >= 0 {
		r.queue = slices.Delete(r.queue, i, i+1)
		e.reject(r, run)
	}
	return nil
}

// onDrained hears that a PIEC has left for the network.
func (e *Engine) onDrained(c p2p.ConnID, left int) {
	if r := e.remotes[c]; r != nil {
		now := e.now()
		if r.bulk = left; left == 0 {
			r.served = now
		}
		e.readTraffic(r, now) // not only each second, or the rate would jump
		e.serve(r)
		e.watchIdle(r, now)
	}
	e.settle()
}

// serve hands a remote's requests to the host, a few at a time: what is still
// in our queue can be cancelled, and choked, and is not yet read from the disk.
func (e *Engine) serve(r *remote) {
	now := e.now()
	ahead := 1
	if r.out.rate.Value(now) > quickRate {
		ahead = bulkAhead
	}
	for len(r.queue) > 0 && r.bulk < ahead && r.fault == nil {
		if !e.up.ready(now) {
			e.upT.Set(e.up.at)
			return
		}
		run := r.queue[0]
		if e.doubted(run.Piece) {
			return // until it was read again
		}
		var head [wire.PieceHead]byte
		binary.BigEndian.PutUint32(head[:], uint32(run.Piece))
		binary.BigEndian.PutUint32(head[4:], uint32(run.Begin))
		err := e.node.Send(r.id, p2p.Message{Type: wire.PIEC, Head: head[:], Body: e.cfg.Content.Section(run)})
		if err != nil { // full: Drained will follow; closed: Closed will
			return
		}
		r.queue = slices.Delete(r.queue, 0, 1)
		r.bulk++
		r.lastSent, r.served = now, now
		r.controlOut += p2p.HeaderSize + wire.PieceHead
		r.sent += uint64(run.Length)
		r.handedOver(run, now)
		e.scrubSent(r, run)
		r.account.sent += uint64(run.Length)
		e.stats.SentPayload += uint64(run.Length)
		e.up.take(now, run.Length)
	}
}

// rejectAll empties a choked remote's queue.
func (e *Engine) rejectAll(r *remote) {
	for _, run := range r.queue {
		e.reject(r, run)
	}
	r.queue = r.queue[:0]
}

// upPassed goes on with the uploads that a rate limit held up, with a different
// remote first each time.
func (e *Engine) upPassed() {
	n := len(e.order)
	for i := range n {
		e.serve(e.order[(i+e.turn)%n])
	}
	e.turn++
	e.settle()
}

// downPassed goes on with the downloads.
func (e *Engine) downPassed() {
	e.refill = true // askAll moves the turn on
	e.settle()
}
