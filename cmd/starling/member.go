package main

import (
	"context"
	"sync/atomic"
	"time"

	"starling/cmd/starling/internal/report"
	"starling/metainfo"
	"starling/peer"
	"starling/piece"
	"starling/piece/store"
)

// member is one torrent of this process in its swarm.
type member struct {
	a       *app
	meta    *metainfo.Torrent
	store   *store.Store
	torrent *peer.Torrent
	dir     string
	name    string // as it is shown
	began   time.Time
	disk    int64 // bytes that were there at the beginning
	events  chan peer.Event
	wake    chan struct{} // the swarmPeer's
	quit    chan struct{} // ends the goroutine that reports events
	done    chan struct{}
	// complete is when all was verified; set by the reporting goroutine
	// before completed is closed.
	completed  chan struct{}
	completeAt time.Time
	joined     joining // what it joined the swarm with
	keeper     *keeper
	lacks      int // pieces that it does not seed any more, for somebody changed the files
	// sentBefore is what was sent before it last left the swarm and came back.
	sentBefore int64
	// checking: it has left the swarm until its files are hashed.
	checking atomic.Bool
	// fleet, if set, knows the swarm better than the last announce does.
	fleet func() *report.Fleet
}

// joining says which torrent to add to a swarm, and with what.
type joining struct {
	meta   *metainfo.Torrent
	store  *store.Store
	dir    string
	name   string // default: the torrent's
	have   *piece.Bitfield
	wanted *piece.Bitfield // nil: all
	tiers  [][]string
	peers  []string
	// webSeeds are URLs, best first.
	webSeeds []string
	// superSeed: other clients are to get each piece once before any twice.
	superSeed bool
	scrub     peer.Scrub
}

// onEvent is called on the torrent's loop, which must not wait: an event that
// finds the queue full is dropped. The two that scripts wait for come once.
func (m *member) onEvent(e peer.Event) {
	select {
	case m.events <- e:
	default:
	}
}

// reportEvents writes events as they come.
func (m *member) reportEvents() {
	defer close(m.done)
	for {
		select {
		case e := <-m.events:
			m.reportEvent(e)
		case <-m.quit:
			return
		}
	}
}

func (m *member) reportEvent(e peer.Event) {
	if e.Kind == peer.Complete && m.isComplete() {
		return // it has come back to the swarm
	}
	out := report.Event{Name: string(e.Kind), Torrent: m.name, InfoHash: m.meta.WireHash().String(), Detail: e.Detail, At: e.Time}
	if e.Err != nil && out.Detail == "" {
		out.Detail = oneLine(e.Err)
	}
	if e.Kind == peer.Complete {
		m.completeAt = e.Time
		out.Path = m.path()
	}
	m.a.rep.Event(out)
	if e.Kind == peer.Complete {
		close(m.completed)
		select {
		case m.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

func (m *member) path() string { return contentPath(m.dir, m.meta) }

func (m *member) isComplete() bool {
	select {
	case <-m.completed:
		return true
	default:
		return false
	}
}

// status turns a reading of the session into a document.
func (m *member) status(s *peer.Stats) report.Status {
	out := report.Status{
		Name: m.name, InfoHash: m.meta.WireHash().String(), State: string(s.State),
		BytesTotal: s.BytesTotal, BytesDone: s.BytesDone, BytesSent: m.sentBefore + int64(s.SentPayload),
		DownBPS: int64(s.DownRate), UpBPS: int64(s.UpRate),
		Peers: report.Peers{
			Connected: s.Remotes, Seeders: s.Seeders, UnchokingUs: s.UnchokingUs, UnchokedByUs: s.UnchokedByUs,
			InterestedIn: s.InterestedUs, AddressesLeft: s.Candidates,
		},
		Pieces:          report.Pieces{Total: s.PiecesTotal, Done: s.PiecesDone, InFlight: s.PiecesInFlight},
		AvailabilityMin: max(s.AvailabilityMin, 0),
		Trouble:         trouble(s),
	}
	if s.State == peer.StateDownloading && m.disk == s.BytesTotal && s.BadPieces == 0 {
		out.State = string(peer.StateSeeding) // it has not noticed yet
	}
	if m.checking.Load() {
		out.State = string(peer.StateChecking)
	}
	if m.lacks > 0 {
		out.Trouble = plural(m.lacks, "piece") + " changed on this host's disk"
	}
	if left := s.BytesTotal - s.BytesDone; left > 0 && s.DownRate >= 1 {
		eta := int64(float64(left) / s.DownRate)
		out.ETA = &eta
	} else if left == 0 {
		out.ETA = new(int64)
	}
	switch {
	case m.fleet != nil:
		out.Fleet = m.fleet()
	case s.TrackerComplete >= 0 && s.TrackerIncomplete >= 0 && s.TrackerComplete+s.TrackerIncomplete > 0:
		out.Fleet = &report.Fleet{Complete: s.TrackerComplete, Incomplete: s.TrackerIncomplete}
	}
	return out
}

// trouble says why a torrent does not advance; empty while it does.
func trouble(s *peer.Stats) string {
	switch {
	case s.Err != nil:
		return oneLine(s.Err)
	case s.BadPieces > 0:
		return plural(s.BadPieces, "piece") + " wrong on this host's disk"
	case s.TrackerErr != nil && s.Remotes == 0:
		return oneLine(s.TrackerErr)
	case s.BytesDone == s.BytesTotal:
		return ""
	case s.State == peer.StateStalled && s.Missing > 0:
		return "stalled: no peer has " + plural(s.Missing, "piece") + ": " + ranges(s.MissingFirst, shownRanges)
	case s.Remotes == 0:
		return "waiting for peers"
	}
	return ""
}

// summary is how the transfer went so far.
func (m *member) summary(s *peer.Stats, code int) report.Summary {
	end := m.a.now()
	if m.isComplete() {
		end = m.completeAt
	}
	took := max(end.Sub(m.began).Seconds(), 1e-6)
	fetched := max(s.BytesDone-m.disk, 0)
	fromWeb := min(s.FromWebSeeds, fetched)
	return report.Summary{
		Path: m.path(), InfoHash: m.meta.WireHash().String(), DurationS: took,
		AvgBPS:    int64(float64(fetched) / took),
		BytesFrom: report.BytesFrom{Peers: fetched - fromWeb, WebSeeds: fromWeb, Disk: m.disk},
		BytesSent: m.sentBefore + int64(s.SentPayload), CorruptPieces: s.CorruptPieces, ExitCode: code,
	}
}

// stop leaves the swarm: says so to the tracker, makes durable what is verified
// and closes the store. It returns the last reading.
func (m *member) stop(ctx context.Context) (peer.Stats, error) {
	m.keeper.stop()
	err := m.torrent.Stop(ctx)
	last := m.torrent.Stats()
	close(m.quit)
	<-m.done
	if closed := m.store.Close(); err == nil {
		err = closed
	}
	return last, err
}
