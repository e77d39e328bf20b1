package webseed

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

const (
	// skip is how many bytes of a response are read and thrown away rather than
	// asking anew, bytes.
	skip = 256 << 10
	// leastProgress is how many bytes a response must bring if it may break off
	// and be asked for again at once.
	leastProgress = 64 << 10
	// maxPast is how many stretches a lane remembers.
	maxPast = 16
)

// lane fetches what is asked of it, one run after the other, over one HTTP
// connection.
type lane struct {
	l    *link
	wake chan struct{}
	st   *stream // the response under way; nil: none

	// Guarded by the Group's mu.
	queue []piece.Run // asked for and not begun
	busy  piece.Run   // being fetched
	// Its stretch is the pieces [first, end), most of which have been suggested:
	// those before next. unasked are those of them that the torrent has not
	// asked for the whole of.
	first, next, end int
	past             [][2]int // its stretches before that, the last ones
	most             int      // how many peers may have a piece of it
	unasked          []int
	retired          bool
}

func newLane(l *link) *lane { return &lane{l: l, wake: make(chan struct{}, 1)} }

// asked gives a request to the lane that has the stretch it is in, else to the one
// that was asked for what comes before it, else to the one with the least to do.
func (l *link) asked(run piece.Run) {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	best := -1
	for i, ln := range l.lanes {
		if best < 0 || ln.nearer(l.lanes[best], run) {
			best = i
		}
	}
	ln := l.lanes[best]
	ln.queue = append(ln.queue, run)
	if run.Begin+run.Length == l.g.geo.PieceSize(run.Piece) {
		ln.unasked = slices.DeleteFunc(ln.unasked, func(i int) bool { return i == run.Piece })
	}
	select {
	case ln.wake <- struct{}{}:
	default: // it is awake
	}
}

// nearer says whether a run is rather ln's than o's.
func (ln *lane) nearer(o *lane, run piece.Run) bool {
	rank := func(ln *lane) int {
		last := ln.busy
		if n := len(ln.queue); n > 0 {
			last = ln.queue[n-1]
		}
		switch {
		case ln.retired:
			return 3
		case ln.endOf(run.Piece) > 0:
			return 0
		case last.Length > 0 && ln.offset(last)+int64(last.Length) == ln.offset(run):
			return 1
		}
		return 2
	}
	a, b := rank(ln), rank(o)
	return a < b || a == b && ln.load() < o.load()
}

// endOf is where the stretch ends that a piece is in, 0 if in none of this lane's.
// Small ones have been suggested long before they are asked for.
func (ln *lane) endOf(i int) int {
	if ln.first <= i && i < ln.end {
		return ln.end
	}
	for _, st := range ln.past {
		if st[0] <= i && i < st[1] {
			return st[1]
		}
	}
	return 0
}

// load is how many bytes it is to fetch.
func (ln *lane) load() int {
	n := ln.busy.Length
	for _, r := range ln.queue {
		n += r.Length
	}
	return n
}

// offset is where a run begins in the content, bytes.
func (ln *lane) offset(r piece.Run) int64 {
	return int64(r.Piece)*ln.l.g.geo.PieceLength + int64(r.Begin)
}

// cancelled takes a request back that was not begun; false if there is none.
func (l *link) cancelled(run piece.Run) bool {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	for _, ln := range l.lanes {
		if i := slices.Index(ln.queue, run); i >= 0 {
			ln.queue = slices.Delete(ln.queue, i, i+1)
			return true
		}
	}
	return false
}

// run fetches until ctx ends. An error is why the whole link is at its end: this
// was its last lane, or the URL is useless.
func (ln *lane) run(ctx context.Context) error {
	frame := make([]byte, 0, p2p.HeaderSize+wire.PieceHead+wire.MaxRun)
	defer ln.drop()
	for {
		r, reach, ok := ln.take(ctx)
		if !ok {
			return nil
		}
		frame = p2p.AppendHeader(frame[:0], wire.PIEC, wire.PieceHead+r.Length)
		frame = binary.BigEndian.AppendUint32(frame, uint32(r.Piece))
		frame = binary.BigEndian.AppendUint32(frame, uint32(r.Begin))
		n := len(frame)
		frame = frame[:n+r.Length]
		if err := ln.fill(ctx, frame[n:], ln.offset(r), reach); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return ln.retire(err)
		}
		ln.l.write(frame)
		ln.done()
	}
}

// take waits for the next request. reach is how far, in bytes of the content, what
// is needed after it is consecutive.
func (ln *lane) take(ctx context.Context) (r piece.Run, reach int64, ok bool) {
	idle := time.NewTimer(ln.l.g.times.idle)
	defer idle.Stop()
	for {
		if r, reach, ok = ln.pop(); ok {
			return r, reach, ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return r, 0, false
		case <-idle.C:
			ln.drop()
		case <-ln.wake:
		}
	}
}

func (ln *lane) pop() (r piece.Run, reach int64, ok bool) {
	ln.l.g.mu.Lock()
	defer ln.l.g.mu.Unlock()
	if len(ln.queue) == 0 {
		return r, 0, false
	}
	r = ln.queue[0]
	ln.queue = slices.Delete(ln.queue, 0, 1)
	ln.busy = r
	reach = ln.offset(r) + int64(r.Length)
	for _, q := range ln.queue {
		if ln.offset(q) != reach {
			break
		}
		reach += int64(q.Length)
	}
	geo := ln.l.g.geo
	reach = max(reach, min(int64(ln.endOf(r.Piece))*geo.PieceLength, geo.TotalLength))
	return r, reach, true
}

// done notes that a run has been sent.
func (ln *lane) done() {
	ln.l.g.mu.Lock()
	ln.busy = piece.Run{}
	ln.l.s.failures = 0
	ln.l.g.mu.Unlock()
	ln.l.look()
}

// retire ends a lane whose server fails: others may go on, for a server may bear
// fewer connections than we make. What was asked of it is rejected.
func (ln *lane) retire(err error) error {
	g := ln.l.g
	g.mu.Lock()
	ln.retired = true
	rejected := ln.queue
	if ln.busy.Length > 0 {
		rejected = append(rejected, ln.busy)
	}
	ln.queue, ln.busy, ln.unasked, ln.next = nil, piece.Run{}, nil, ln.end
	left := 0
	for _, o := range ln.l.lanes {
		if !o.retired {
			left++
		}
	}
	g.mu.Unlock()
	var gone *useless
	if left == 0 || errors.As(err, &gone) {
		return err
	}
	g.cfg.Logger.Debug("web seed: one connection less", "url", ln.l.s.name, "error", err, "left", left)
	for _, r := range rejected {
		ln.l.reject(r)
	}
	ln.l.look()
	return nil
}
