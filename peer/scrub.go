package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"starling/p2p"
	"starling/piece"
)

// Scrub says how a content that is complete is read again and held against its
// hashes, for a disk keeps a bit wrong in silence.
type Scrub struct {
	// Every is how long a pass over all pieces takes, 0: there is none. Content of
	// more than scrubRate in that time takes longer.
	Every time.Duration
	// Mend says that a piece that is found wrong is fetched again and written in its
	// place. Else it is not served until the disk has it right again.
	Mend bool
}

const (
	// scrubRate is how many bytes a second are read at most.
	scrubRate = 8 << 20
	// scrubRest is how long the disk rests after each piece, as a multiple of what
	// reading it took: a slow or a busy disk has nine tenths of its time for others.
	scrubRest = 9
	// maxServed is how many pieces wait to be read because they were sent to somebody.
	maxServed = 64
	// maxDoubts is how many pieces a remote can have read by asking for them twice.
	maxDoubts = 16
)

// scrubber is where a pass is. The pieces are read in the order in which they lie on
// the disk, evenly over the pass; but those that are sent to somebody come first, once
// a pass: a wrong one has others ban us, and its bytes are in memory at that moment.
type scrubber struct {
	timer  *p2p.Timer      // nil: there is no scrub
	seen   *piece.Bitfield // pieces that were read in this pass, or are in served
	served []int           // oldest first
	doubts []int           // pieces that are read before anything else, and not sent until then
	next   int             // up to it all are seen
	began  time.Time       // of the pass
	rest   time.Time       // nothing is read before
	busy   bool            // a job is under way
	since  time.Time       // when it began

	bad *piece.Bitfield // found wrong, and not had since
}

// scrubJob reads a piece.
type scrubJob struct {
	content Content
	piece   int
	ok      bool
	where   string
	err     error
}

func (j *scrubJob) Class() p2p.Class   { return p2p.Disk }
func (j *scrubJob) Do(context.Context) { j.ok, j.where, j.err = j.content.Recheck(j.piece) }

// initScrub prepares for passes, of which the first begins when all is there.
func (e *Engine) initScrub(n *p2p.Node) {
	if e.cfg.Scrub.Every > 0 && e.geo.NumPieces() > 0 {
		e.scrub.timer = n.NewTimer(e.scrubNext)
		e.scrub.seen = piece.NewBitfield(e.geo.NumPieces())
		e.scrub.bad = piece.NewBitfield(e.geo.NumPieces())
	}
}

// beginScrub begins the first pass.
func (e *Engine) beginScrub() {
	if s := &e.scrub; s.timer != nil && s.began.IsZero() {
		s.began = e.now()
		e.scrubLater()
	}
}

// scrubServed has a piece that is being sent read soon.
func (e *Engine) scrubServed(i int) {
	s := &e.scrub
	if s.timer == nil || s.began.IsZero() || len(s.served) >= maxServed || !s.seen.Set(i) {
		return
	}
	s.served = append(s.served, i)
	e.scrubLater()
}

// scrubLater sets the timer to when the next piece is due.
func (e *Engine) scrubLater() {
	s := &e.scrub
	if s.busy || e.stopping {
		return
	}
	due := e.now()
	if len(s.doubts) > 0 {
		s.timer.Set(due)
		return
	}
	if len(s.served) == 0 {
		for s.next < e.geo.NumPieces() && s.seen.Has(s.next) {
			s.next++
		}
		part := float64(s.next) / float64(e.geo.NumPieces())
		due = s.began.Add(time.Duration(part * float64(e.cfg.Scrub.Every)))
	}
	if due.Before(s.rest) {
		due = s.rest
	}
	s.timer.Set(due)
}

// scrubNext reads the piece that is due.
func (e *Engine) scrubNext() {
	s := &e.scrub
	if s.busy || e.stopping {
		return
	}
	i := s.next
	switch {
	case len(s.doubts) > 0:
		i = s.doubts[0] // it stays in doubt until the verdict
		s.seen.Set(i)
	case len(s.served) > 0:
		i, s.served = s.served[0], s.served[1:]
	case s.next >= e.geo.NumPieces():
		s.began, s.next = e.now(), 0
		s.seen = piece.NewBitfield(e.geo.NumPieces())
		e.scrubLater()
		return
	default:
		s.seen.Set(i)
	}
	if e.pick.Have().Has(i) || s.bad.Has(i) && e.flights[i] == nil {
		s.busy, s.since = true, e.now()
		e.node.Host().Run(&scrubJob{content: e.cfg.Content, piece: i})
		return
	}
	e.cleared(i)
	e.scrubLater()
}

// scrubAsked hears that a remote asks for a run. Who asks again for a piece that we
// have sent it to the end has found it wrong, as like as not, and bans us if it gets the
// same bytes a second time: we look first.
func (e *Engine) scrubAsked(r *remote, run piece.Run) {
	s := &e.scrub
	if s.timer == nil || r.gave == nil || run.Begin > 0 || r.doubts >= maxDoubts || !r.gave.Clear(run.Piece) {
		return
	}
	r.doubts++
	if !slices.Contains(s.doubts, run.Piece) {
		s.doubts = append(s.doubts, run.Piece)
		e.scrubLater()
	}
}

// scrubSent notes that a run has been sent to a remote.
func (e *Engine) scrubSent(r *remote, run piece.Run) {
	if e.scrub.timer == nil {
		return
	}
	e.scrubServed(run.Piece)
	if run.Begin+run.Length >= e.geo.PieceSize(run.Piece) {
		if r.gave == nil {
			r.gave = piece.NewBitfield(e.geo.NumPieces())
		}
		r.gave.Set(run.Piece)
	}
}

// doubted says whether a piece is not to be sent before it was read.
func (e *Engine) doubted(i int) bool {
	return len(e.scrub.doubts) > 0 && slices.Contains(e.scrub.doubts, i)
}

// cleared ends the doubt about a piece, whatever came of it.
func (e *Engine) cleared(i int) {
	s := &e.scrub
	if !e.doubted(i) {
		return
	}
	s.doubts = slices.DeleteFunc(s.doubts, func(o int) bool { return o == i })
	for _, r := range e.order {
		e.serve(r)
	}
}

// scrubDone takes the verdict.
func (e *Engine) scrubDone(j *scrubJob) {
	s := &e.scrub
	now := e.now()
	s.busy = false
	took := now.Sub(s.since)
	pace := time.Duration(e.geo.PieceSize(j.piece)) * time.Second / scrubRate
	s.rest = now.Add(max(scrubRest*took, pace-took))
	defer e.scrubLater()
	defer e.cleared(j.piece)
	had, idle := e.pick.Have().Has(j.piece), e.flights[j.piece] == nil
	switch {
	case e.stopping:
	case j.err != nil:
		e.obs.Scrubbed("error") // of no consequence: the next pass reads it again
	case !j.ok && had:
		e.obs.Scrubbed("bad")
		e.rotten(j.piece, j.where)
	case j.ok && s.bad.Has(j.piece) && idle:
		e.obs.Scrubbed("ok")
		e.pick.SetPriority(j.piece, piece.DefaultPriority)
		e.pick.Verified(j.piece)
		e.gained(j.piece, now)
		e.checkComplete()
	case j.ok:
		e.obs.Scrubbed("ok")
	}
}

// rotten takes back a piece that is wrong on our disk. Nobody is blamed: it was right
// when it came. Without Mend it is not wanted either, so that we stay a seed of the
// rest.
func (e *Engine) rotten(i int, where string) {
	e.scrub.bad.Set(i)
	e.stats.BadPieces++
	what := "it is not served any more"
	if e.cfg.Scrub.Mend {
		what = "it is fetched again"
	} else {
		e.pick.SetPriority(i, 0)
	}
	e.emit(Rotten, fmt.Sprintf("piece %d is wrong on this host's disk: %s; %s", i, where, what), nil)
	e.lose([]int{i})
	if !e.pick.Done() {
		e.complete, e.finished = false, false
		e.stats.LastProgress = e.now()
		e.cands.needed(e.now())
		e.dialMore(e.now())
		e.rechokeAll()
	}
	e.announceNow()
}

// mended notes that a piece is right that was not.
func (e *Engine) mended(i int) {
	if s := &e.scrub; s.timer != nil && s.bad.Clear(i) {
		e.stats.BadPieces--
		e.emit(Mended, fmt.Sprintf("piece %d is right again", i), nil)
	}
}

// unwantedBad is how many bytes we had and want no more, for they are wrong on a disk
// that we do not write to.
func (e *Engine) unwantedBad() (n int64) {
	if e.stats.BadPieces == 0 {
		return 0
	}
	for i := range e.scrub.bad.Ones() {
		if !e.pick.WantsPiece(i) {
			n += int64(e.geo.DataSize(i))
		}
	}
	return n
}

// checkScrub checks what a scrub knows: see Check.
func (e *Engine) checkScrub() error {
	s := &e.scrub
	switch {
	case s.timer == nil:
		return nil
	case len(s.served) > maxServed || len(s.doubts) > e.geo.NumPieces():
		return fmt.Errorf("%d and %d pieces wait to be read", len(s.served), len(s.doubts))
	case s.bad.Count() != e.stats.BadPieces:
		return fmt.Errorf("%d bad pieces, really %d", e.stats.BadPieces, s.bad.Count())
	case s.bad.Intersects(e.pick.Have()):
		return errors.New("a bad piece is had")
	}
	for _, r := range e.order {
		if r.doubts > maxDoubts {
			return fmt.Errorf("%s: %d doubts", r.addr, r.doubts)
		}
	}
	return nil
}
