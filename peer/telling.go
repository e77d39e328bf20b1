package peer

import (
	"encoding/binary"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// A HAVE that a remote can act on goes out within haveDelay, with those of the
// same moment. One that only tells it how rare a piece is, because we choke it
// and it is interested in us anyway, waits for others, lazyDelay at most: of
// fifty remotes all but the unchoked are of that kind, and at hundreds of pieces
// a second their HAVEs would cost more than the pieces.
const (
	haveDelay = 2 * time.Millisecond
	lazyDelay = 500 * time.Millisecond
	// lazyShare of the torrent's pieces do not wait for each other.
	lazyShare = 64
)

// teller is what we have told to whom. log are the pieces that were verified
// while we ran, in that order; a remote has been told the first r.told of them,
// by HAVE or by what we declared to it.
type teller struct {
	log  []int
	soon *p2p.Timer
	late *p2p.Timer
	last time.Time // when the last were sent to those who can act
	told int       // how much of log everybody has been told
}

func (t *teller) init(e *Engine, n *p2p.Node) {
	t.soon, t.late = n.NewTimer(e.tellSoon), n.NewTimer(e.tellAll)
}

// curious says whether news of a piece may change what r does.
func (r *remote) curious() bool { return !r.amChoking || !r.peerInterested }

// news tells of a piece that was verified just now.
func (e *Engine) news(i int, now time.Time) {
	t := &e.teller
	t.log = append(t.log, i)
	switch {
	case t.soon.Armed():
	case now.Sub(t.last) < haveDelay:
		t.soon.Set(t.last.Add(haveDelay))
	default:
		e.tellCurious(now)
	}
	if len(t.log)-t.told >= max(1, e.geo.NumPieces()/lazyShare) {
		t.late.Set(now)
	}
	t.later(now)
}

// later has everybody told within lazyDelay.
func (t *teller) later(now time.Time) {
	if !t.late.Armed() {
		t.late.Set(now.Add(lazyDelay))
	}
}

func (e *Engine) tellSoon() {
	e.tellCurious(e.now())
	e.settle()
}

// tellCurious tells those who may act on it.
func (e *Engine) tellCurious(now time.Time) {
	e.teller.last = now
	for _, r := range e.order {
		if r.curious() {
			e.tell(r)
		}
	}
}

// tellAll tells everybody.
func (e *Engine) tellAll() {
	t := &e.teller
	t.soon.Stop()
	t.late.Stop()
	t.last, t.told = e.now(), len(t.log)
	for _, r := range e.order {
		e.tell(r)
		e.loseInterest(r)
	}
	e.settle()
}

// tell brings a remote up to date. Not only one that is ready: what we declared
// to the others does not have these pieces either.
func (e *Engine) tell(r *remote) {
	log := e.teller.log
	for r.phase >= declaring && r.told < len(log) {
		part := log[r.told:min(r.told+wire.MaxIndexes, len(log))]
		r.told += len(part)
		e.scratch = e.scratch[:0]
		for _, i := range part {
			if e.pick.Have().Has(i) { // it was not lost since
				if r.shown != nil {
					r.shown.Set(i)
				}
				e.scratch = binary.BigEndian.AppendUint32(e.scratch, uint32(i))
			}
		}
		if len(e.scratch) > 0 {
			e.send(r, wire.HAVE, e.scratch)
		}
	}
}

// retell begins a new log, after pieces of the old one were lost. What is left
// of that one everybody is told first.
func (e *Engine) retell() {
	for _, r := range e.order {
		e.tell(r)
		r.told = 0
	}
	e.teller.log, e.teller.told = e.teller.log[:0], 0
}
