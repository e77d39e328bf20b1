package peer

import (
	"fmt"
	"slices"
	"time"

	"starling/p2p"
)

// Observer is told what only a histogram or a counter needs. It is called on
// the torrent's goroutine.
type Observer interface {
	PieceDone(took time.Duration, ok bool) // first request to verdict
	QueueDepth(n int)                      // requests outstanding at a remote, after one more
	Choke(action string)                   // unchoke, choke, optimistic_unchoke
	Closed(reason p2p.Reason)              // a connection ended
	Announced(result string)               // ok, error
	Banned(reason string)
	Scrubbed(result string) // ok, bad, error: a piece was read again
}

type nopObserver struct{}

func (nopObserver) PieceDone(time.Duration, bool) {}
func (nopObserver) QueueDepth(int)                {}
func (nopObserver) Choke(string)                  {}
func (nopObserver) Closed(p2p.Reason)             {}
func (nopObserver) Announced(string)              {}
func (nopObserver) Banned(string)                 {}
func (nopObserver) Scrubbed(string)               {}

// keepTotals adds a leaving remote's protocol bytes to the torrent's.
func (e *Engine) keepTotals(r *remote) {
	e.stats.ReceivedProtocol += r.controlIn
	e.stats.SentProtocol += r.controlOut
}

// missingShown is how many missing pieces Stats names.
const missingShown = 8

// Stats reads the torrent.
func (e *Engine) Stats() Stats {
	now := e.now()
	s := e.stats
	s.State, s.Err = e.state(now), e.diskErr
	s.BytesDone = s.BytesTotal - e.pick.Left() - e.unwantedBad()
	s.PiecesDone, s.PiecesInFlight = e.pick.NumHave(), len(e.flights)
	for _, r := range e.order {
		s.ReceivedProtocol += r.controlIn
		s.SentProtocol += r.controlOut
		if r.phase != ready {
			continue
		}
		e.readTraffic(r, now)
		s.Remotes++
		count(&s.Incoming, !r.dialed && !r.web)
		count(&s.Seeders, r.seed)
		count(&s.UnchokingUs, !r.peerChoking)
		count(&s.UnchokedByUs, !r.amChoking)
		count(&s.Optimistic, r.optimistic && !r.amChoking)
		count(&s.InterestedUs, r.peerInterested)
		count(&s.InterestingUs, r.amInterested)
	}
	s.DownRate, s.UpRate = e.inRate.Value(now), e.outRate.Value(now)
	s.Candidates = e.cands.idle()
	s.AvailabilityMin = e.pick.MinAvailability()
	return s
}

// missing counts the pieces that we want and no remote has, and names the
// first few.
func (e *Engine) missing() (int, []int) {
	if e.complete || e.pick.MinAvailability() > 0 {
		return 0, nil
	}
	all := e.pick.Missing()
	return len(all), slices.Clone(all[:min(len(all), missingShown)])
}

func count(n *int, is bool) {
	if is {
		*n++
	}
}

func (e *Engine) state(now time.Time) State {
	switch {
	case e.diskErr != nil:
		return StateError
	case e.finished:
		return StateSeeding
	case now.Sub(e.stats.LastProgress) > stallAfter:
		return StateStalled
	}
	return StateDownloading
}

// checkStall says once when nothing comes any more, with what is missing, and
// once when it comes again.
func (e *Engine) checkStall(now time.Time) {
	stalled := !e.finished && e.diskErr == nil && now.Sub(e.stats.LastProgress) > stallAfter
	if stalled == e.stalled {
		return
	}
	e.stalled = stalled
	if !stalled {
		e.emit(Resumed, "pieces come again", nil)
		return
	}
	switch {
	case e.stats.Missing > 0:
		e.emit(Stalled, fmt.Sprintf("no peer has %d of the pieces, the first of them %v", e.stats.Missing, e.stats.MissingFirst), nil)
	default:
		e.emit(Stalled, fmt.Sprintf("%d peers have every piece that is missing, and none sends", len(e.order)), nil)
	}
}
