package fleet

import "time"

// Result is what a run showed. Times are virtual, since the run's beginning.
type Result struct {
	Name    string
	RNGSeed uint64
	// TraceHash is a hash over every event of the run, in order.
	TraceHash string
	Virtual   time.Duration // how long the run was
	Wall      time.Duration // how long the computer took; not part of the trace
	Events    uint64
	Messages  map[string]uint64 // delivered, by type

	Size, PieceLength int64
	Pieces            int
	Policy            string
	Strategy          string
	MaxRemotes        int

	Hosts  []HostResult
	Groups []GroupResult // those of Spec.Hosts, in order of appearance
	// All is over every leecher that was to complete.
	All GroupResult
	// SeedCopies is what the first seeds sent until the last leecher completed,
	// in sizes of the content.
	SeedCopies float64
	// Utilisation is the share of all uplinks' capacity, from the arrival of
	// each host until the last leecher completed, that carried payload.
	Utilisation float64
	// LimitedBy says what kept the last leecher from finishing sooner: "seed",
	// "uplinks", "downlinks", "racks", "choke", "tail" or "arrivals"; Why is a
	// sentence about it.
	LimitedBy, Why string

	Samples []Sample
	// Served[i][j] is the bytes of payload that host i has sent to host j, for
	// the first 64 hosts.
	Served [][]int64
	// Unchoked[i][j] is how long host i had host j unchoked, likewise.
	Unchoked [][]time.Duration

	Replies    []Reply
	Violations []Violation
	Notes      []string // what the run left out, such as plots of too many hosts
}

// HostResult is one host. A time that never came is negative.
type HostResult struct {
	Name, Group, Rack string
	Role              Role
	Expected          bool // a leecher that was to complete: not killed for good, honest enough to be served
	Arrived           time.Duration
	FirstByte, Done   time.Duration // Done: every piece verified and published
	Pieces            int
	Received, Sent    int64 // payload
	Wasted            int64 // duplicates, corrupt, unrequested
	Corrupt           int   // pieces that failed their hash
	Bans              int   // how many peers it banned
	Remotes           int   // at the end
}

// Took is how long the host needed, negative if it did not complete.
func (h *HostResult) Took() time.Duration {
	if h.Done < 0 {
		return -1
	}
	return h.Done - h.Arrived
}

// GroupResult sums up hosts of a group. Times are since each host's own
// arrival, except Last and Bound.
type GroupResult struct {
	Name                string
	Hosts, Completed    int
	P50, P90, P99, P999 time.Duration
	// Last is when the last one completed, since the beginning; -1 if one did
	// not.
	Last time.Duration
	// Bound is a time before which the last one cannot complete, whatever the
	// protocol; BoundName says which: "seed" (F/us), "downlink" (F/dmin),
	// "uplinks" (N F/(us + sum ui)), "pieces" ((M + floor(log2 N)) P/u, equal
	// uplinks), "rack", "arrival".
	Bound     time.Duration
	BoundName string
	Ratio     float64 // Last over Bound; 0 if there is none
}

// Sample is the state of the swarm at a time.
type Sample struct {
	At        time.Duration
	Done      int     // leechers that have completed
	Progress  float64 // mean share of the content that leechers have
	UpBytes   int64   // payload sent since the run's beginning, all hosts
	SeedBytes int64   // of it by the seeds
	// Copies is how many leechers that run have a piece, over ranges of
	// pieces: at most 128 values, each the mean of its range.
	Copies []float32
	// Rarest is how many leechers have the rarest piece.
	Rarest int
	// Unchoked is how many pairs are unchoked, Interested how many want to be.
	Unchoked, Interested int
}

// Reply is what came of a Send.
type Reply struct {
	At       time.Duration
	From, To string
	Type     string // of the reply
	Data     string
	Err      string
}

// Violation is a broken invariant: a fault of ours.
type Violation struct {
	At        time.Duration
	Invariant string // "I1" to "I6", "choked", "conserve", "have", "answer", "books", ...
	Host      string
	Detail    string
}
