package swarm

import (
	"errors"
	"net/netip"
	"time"
)

// InfoHash names a swarm.
type InfoHash = [20]byte

// Event is what a peer reports. The first four have the numbers of BEP 15.
type Event uint8

// The events. Paused is BEP 21's: a partial seed, which wants nothing more but
// has not everything, says so in every announce; UDP trackers cannot carry it.
const (
	None Event = iota
	Completed
	Started
	Stopped
	Paused
	numEvents
)

// NumEvents is the number of events, for tables indexed by Event.
const NumEvents = int(numEvents)

var eventNames = [NumEvents]string{"none", "completed", "started", "stopped", "paused"}

// String is the event's name as in BEP 3; None is "none".
func (e Event) String() string {
	if e < numEvents {
		return eventNames[e]
	}
	return "unknown"
}

// ParseEvent reads an event as it stands in an HTTP announce. An unknown event is
// None: later extensions must not break a peer's announce.
func ParseEvent(s []byte) Event {
	for e, name := range eventNames {
		if string(s) == name {
			return Event(e)
		}
	}
	return None
}

// Request is one announce, already parsed.
type Request struct {
	InfoHash InfoHash
	PeerID   [20]byte
	// Addr is the address the request came from and the port that the peer
	// listens on. IPv4-mapped IPv6 counts as IPv4. The port is not 0.
	Addr  netip.AddrPort
	Event Event
	// Left is the number of bytes that the peer still wants. 0 is a seed;
	// a negative one is unknown, which counts as a leecher.
	Left int64
	// Downloaded is the number of bytes that the peer says it has fetched since
	// it said Started; negative is unknown. It matters only if it is 0.
	Downloaded int64
	// NumWant is how many peers the reply should hold: negative for the
	// default; more than Config.MaxNumWant is cut to it.
	NumWant int
	// OneFamily wants only peers of Addr's own family, which are all that a UDP
	// reply can hold.
	OneFamily bool
	// WantIDs asks for Response.IDs, which only the dictionary form needs.
	WantIDs bool
	// NoJoin says that the process has no room for another peer or swarm:
	// those who are listed are served, a newcomer gets ErrFull.
	NoJoin bool
}

// Response is the answer to an announce. Its slices are reused by the next
// Announce into the same Response.
type Response struct {
	Counts
	// Interval and MinInterval are whole seconds.
	Interval, MinInterval time.Duration
	// Peers holds 6 bytes a peer (BEP 23), Peers6 18 bytes a peer (BEP 7):
	// address, then port, big-endian.
	Peers, Peers6 []byte
	// IDs holds 20 bytes a peer, those of Peers and then those of Peers6.
	IDs []byte
	// Unlisted says that the peer was answered but not listed, because its
	// address has Config.MaxPerHost peers in this swarm already.
	Unlisted bool
}

// NumPeers is the number of peers in the response.
func (r *Response) NumPeers() int { return len(r.Peers)/6 + len(r.Peers6)/18 }

func (r *Response) reset() {
	*r = Response{Peers: r.Peers[:0], Peers6: r.Peers6[:0], IDs: r.IDs[:0]}
}

// Counts is what a scrape tells of a swarm (BEP 48). A host that is listed under
// an IPv4 and an IPv6 address counts twice.
type Counts struct {
	// Complete is the number of seeds; Incomplete of everyone else, and
	// Downloaders of those who still want pieces (BEP 21).
	Complete, Incomplete, Downloaders int
	// Downloaded is the number of peers that have reported completion.
	Downloaded uint32
}

// Why an announce is refused.
var (
	ErrUnregistered = errors.New("unregistered torrent")
	ErrTooOften     = errors.New("announcing too often")
	ErrFull         = errors.New("tracker is full")
)
