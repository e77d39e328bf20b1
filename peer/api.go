package peer

import (
	"context"
	"net/netip"
	"time"
)

// Announcer tells a tracker about us and brings peers back: the one thing that
// this package asks of trackers. It may block until ctx ends; the session runs
// it on a worker.
type Announcer interface {
	Announce(ctx context.Context, a Announce) (Announced, error)
}

// AnnounceEvent is why an announce is made (BEP 3).
type AnnounceEvent string

// The events of BEP 3, and that of BEP 21; a regular announce has none.
const (
	EventNone      AnnounceEvent = ""
	EventPaused    AnnounceEvent = "paused" // in place of none: we want no more, and have not all
	EventStarted   AnnounceEvent = "started"
	EventCompleted AnnounceEvent = "completed"
	EventStopped   AnnounceEvent = "stopped"
)

// Announce is what we say. Byte counts are since started (BEP 3).
type Announce struct {
	InfoHash, PeerID           [20]byte
	InfoHashV2                 [20]byte // the other name of a hybrid torrent, in which a tracker is told the same; else zero
	Port                       uint16
	Uploaded, Downloaded, Left int64
	Event                      AnnounceEvent
	NumWant                    int
	// Report is how we do; nil where the last answer asked for none.
	Report *Report
}

// Announced is what a tracker answers. Intervals are the tracker's wish,
// already within the client's bounds.
type Announced struct {
	Interval, MinInterval time.Duration
	Peers                 []string // "host:port"
	PeersV2               []string // those that were announced under InfoHashV2; they may be in Peers, too
	Complete, Incomplete  int
	Warning               string
	Tracker               string     // who answered
	ExternalIP            netip.Addr // ours as the tracker sees it (BEP 24), if it told
	// ReportIn is when the tracker wants to hear again how we do; 0: it does not.
	ReportIn time.Duration
}

// State says what a torrent is doing.
type State string

// The states of a torrent; they are the values of a metric's label.
const (
	StateChecking    State = "checking" // before it is added: see Metrics.Checking
	StateDownloading State = "downloading"
	StateSeeding     State = "seeding"
	StateStalled     State = "stalled"
	StateError       State = "error"
)

// Stats is a reading of one torrent. Rates are bytes a second by the
// estimators that the choker uses; byte counts are since the torrent was added.
type Stats struct {
	State State
	Err   error // why State is StateError or the reason of a stall, else nil

	BytesTotal, BytesDone int64 // of the wanted pieces, without padding; done is verified
	DownRate, UpRate      float64

	// FromWebSeeds is how many bytes of the verified pieces web seeds gave.
	FromWebSeeds int64

	ReceivedPayload, ReceivedProtocol uint64
	SentPayload, SentProtocol         uint64
	WastedCorrupt, WastedDuplicate    uint64
	WastedUnrequested                 uint64
	CorruptPieces                     int

	Remotes       int // open, handshaken connections
	Incoming      int // of them, those that others dialed
	Seeders       int // remotes that have all
	UnchokingUs   int
	UnchokedByUs  int
	Optimistic    int // of UnchokedByUs
	InterestedUs  int // remotes interested in us
	InterestingUs int // remotes we are interested in
	Candidates    int // addresses we know and are not connected to

	PiecesTotal, PiecesDone, PiecesInFlight int
	// BadPieces were verified once and are wrong on our disk: see Scrub.
	BadPieces int
	// AvailabilityMin is how many remotes have the rarest piece that we
	// lack; for a complete torrent, the rarest piece of all.
	AvailabilityMin int
	// Missing counts pieces that we lack and no remote has; MissingFirst
	// names the first few of them.
	Missing      int
	MissingFirst []int

	TrackerComplete, TrackerIncomplete int // the swarm as the tracker last said
	TrackerErr                         error
	LastProgress                       time.Time
}

// EventKind names an Event.
type EventKind string

// The events of a torrent.
const (
	// FirstByte: the first payload byte has come.
	FirstByte EventKind = "first_byte"
	// Complete: every wanted piece is verified, durable and published.
	Complete EventKind = "complete"
	// Stalled: pieces are missing that nobody we know has; Detail says which.
	Stalled EventKind = "stalled"
	// Resumed: there is progress after Stalled or Failed.
	Resumed EventKind = "resumed"
	// Failed: the disk refuses (full, read-only, gone). The torrent pauses
	// its download and tries again by itself.
	Failed EventKind = "failed"
	// Banned: a remote was banned; Detail says who and why.
	Banned EventKind = "banned"
	// Rotten: a piece that was verified is wrong on our disk; Detail says where.
	Rotten EventKind = "rotten"
	// Mended: it is right again.
	Mended EventKind = "mended"
	// TrackerFailed: an announce failed; Err says why.
	TrackerFailed EventKind = "tracker_failed"
	// TrackerOK: the first announce that succeeded, or the first after
	// TrackerFailed.
	TrackerOK EventKind = "tracker_ok"
)

// Event is something worth telling a person. It is delivered on the torrent's
// loop: the receiver must not block.
type Event struct {
	Kind   EventKind
	Time   time.Time // wall clock
	Detail string
	Err    error
}
