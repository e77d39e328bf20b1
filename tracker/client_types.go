package tracker

import (
	"net/netip"
	"strconv"
	"time"

	"starling/tracker/swarm"
)

// Event is what a peer reports with an announce.
type Event = swarm.Event

// The events of an announce; Paused is a partial seed's (BEP 21).
const (
	EventNone      = swarm.None
	EventCompleted = swarm.Completed
	EventStarted   = swarm.Started
	EventStopped   = swarm.Stopped
	EventPaused    = swarm.Paused
)

// Request is one announce.
type Request struct {
	InfoHash, PeerID [20]byte
	// InfoHashV2 is the other infohash of a hybrid torrent, the first 20 bytes of
	// its SHA-256 (BEP 52): a swarm of its own, of which the same is said. Zero, or
	// the same as InfoHash: there is no other.
	InfoHashV2 [20]byte
	Port       uint16
	// Uploaded and Downloaded are bytes since the started event. Left is the
	// bytes still wanted; a negative one is unknown, and goes out as one
	// block, because some trackers refuse an announce without.
	Uploaded, Downloaded, Left int64
	Event                      Event
	// NumWant is the number of peers wanted; negative leaves it to the tracker.
	NumWant int
	// Key tells a tracker that two addresses are the same peer (BEP 7).
	Key uint32
	// Extra is further parameters, such as x_metrics_port or x_node.
	Extra []Param
	// CanReport offers the tracker reports of how we do; Report is one, and goes
	// only to a tracker that asked for it with its last answer.
	CanReport bool
	Report    []Param
}

// extra are all further parameters for a tracker, which asked for reports or did not.
func (r *Request) extra(asked bool) []Param {
	if !r.CanReport {
		return r.Extra
	}
	out := []Param{{"x_report", "1"}}
	if asked {
		out = append(out, r.Report...)
	}
	return append(out, r.Extra...)
}

// unknownLeft is said in place of an unknown number of bytes: one block.
const unknownLeft = 16 << 10

func (r *Request) left() int64 {
	if r.Left < 0 {
		return unknownLeft
	}
	return r.Left
}

// numWant is 0 for who leaves, so that no tracker picks peers for him.
func (r *Request) numWant() int {
	if r.Event == EventStopped {
		return 0
	}
	return r.NumWant
}

// Param is a parameter of an announce; both are percent-encoded on the way out.
type Param struct{ Name, Value string }

// Response is what a tracker answered.
type Response struct {
	// URL is the tracker that answered.
	URL string
	// Interval is how long to wait until the next announce, MinInterval how
	// long at least. Both are within the client's bounds; of a hybrid's two
	// answers the longer.
	Interval, MinInterval time.Duration
	// Peers holds each address once. It may hold our own. PeersV2 are those
	// under InfoHashV2; who knows both infohashes is in both.
	Peers, PeersV2 []Peer
	// Complete and Incomplete are the seeds and the others; -1 is unknown. Most
	// peers of a hybrid are in both of its swarms: it is the larger number.
	Complete, Incomplete int
	Warning              string
	// ExternalIP is our address as the tracker sees it (BEP 24), if it told.
	ExternalIP netip.Addr
	// ReportIn is when the tracker wants a report again; 0: it wants none.
	ReportIn time.Duration

	trackerID string
}

// Peer is an address to try. Nothing of it is verified.
type Peer struct {
	// ID is set only if HasID is: compact replies have none.
	ID    [20]byte
	HasID bool
	// Addr is "host:port". The host may be a DNS name.
	Addr string
}

// RefusedError is a tracker's failure reason.
type RefusedError struct {
	Reason string
	// RetryIn is when the tracker wants to be asked again (BEP 31); 0 if it
	// did not say, and Never if never.
	RetryIn time.Duration
}

// Never is the RetryIn of a tracker that does not want to be asked again.
const Never = time.Duration(1<<63 - 1)

func (e *RefusedError) Error() string { return "tracker refused: " + strconv.Quote(e.Reason) }

// Bounds of what a tracker may do to a client.
const (
	maxReply    = 1 << 20 // bytes, after decompression
	maxInterval = time.Hour
	minInterval = 10 * time.Second
	// unsaidInterval is for a tracker that gives no usable interval.
	unsaidInterval = 5 * time.Minute
	// A tracker may ask for reports this often.
	minReport = 2 * time.Second
	maxReport = 5 * time.Minute
)
