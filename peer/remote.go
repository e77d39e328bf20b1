package peer

import (
	"slices"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// phase is how far a connection's opening has come.
type phase uint8

const (
	dialing   phase = iota // asked for, not there yet
	greeting               // open; HELO awaited
	declaring              // HELO is had; what the remote has is awaited
	ready                  // messages flow
)

// request is one run that we asked a remote for. It stays until the remote
// answers it with PIEC or REJE, for each request gets exactly one answer.
type request struct {
	run piece.Run
	at  time.Time
	// released: the picker no longer counts it (cancelled, or the remote
	// was too slow), so that somebody else may be asked. The answer may
	// still come.
	released bool
	// silent: the remote knows (CANC) that we no longer want it.
	silent bool
}

// remote is a peer that we are connected to, or are connecting to.
type remote struct {
	id     p2p.ConnID
	dialed bool
	web    bool   // a web seed of ours, in this process
	addr   string // what we dialed, or its host and listening port
	phase  phase
	fault  error // why it will be closed when the event is over
	// infoHash is the name of the torrent on this connection: a hybrid has two.
	infoHash [20]byte
	peerID   [20]byte
	caps     uint16
	// listens: addr is where it listens, and not only where it came from.
	listens   bool
	meta      metaState
	pex       exchange
	parts     []piece.Part // of pieces that it has not whole and we want
	grew      time.Time    // when it last told of one
	leaves    []leafAsk    // hashes that it was asked for
	hashJobs  int          // requests for hashes under way
	hashBytes int64        // of hashes that it was given

	opened   time.Time
	greeted  time.Time // when we sent what the handshake's last message answers
	lastIn   time.Time // when bytes last came
	lastData time.Time // when payload last came, or was first owed
	// lastPiece is when a PIEC last was whole, or the first was owed. A
	// remote that dribbles keeps lastData fresh, and not this.
	lastPiece time.Time
	lastSent  time.Time // when we last sent anything

	have   *piece.Bitfield
	told   int             // how much of the teller's log it has been told
	shown  *piece.Bitfield // veiled: all that it knows us to have (superseed.go); else nil
	seed   bool            // has every piece; counted apart in the picker
	useful int             // pieces it has that we want and lack
	needs  int             // pieces we have that it lacks

	amChoking, amInterested     bool
	peerChoking, peerInterested bool
	optimistic                  bool
	unchokedAt                  time.Time

	// Downloading from it.
	requests    []request
	outstanding int           // bytes of requests that are not released
	window      int           // how many bytes may be outstanding
	rtt         time.Duration // as the handshake showed it
	maxRequest  int           // the longest run it serves
	maxQueue    int           // how many requests it queues
	queued      int           // how many it had when it last said so
	suggested   []int
	parole      time.Time // until then it is asked for whole pieces only
	own         []int     // those of them that are under way
	guides      bool      // it suggests: only those pieces are asked of it
	resting     bool      // we said NINT because there is nothing to ask it for now
	declined    bool      // and so because we have enough sources
	servedUs    time.Time // when it last unchoked us
	snubbed     bool      // owed us bytes for snubAfter and sent none
	unrequested int       // PIECs that nobody asked for
	rejected    int       // REJEs in a row
	retracted   int       // DONTs

	// Uploading to it.
	queue     []piece.Run     // its requests, not yet handed to the host
	bulk      int             // PIECs handed to the host and not known to have left
	bad       int             // requests that we could not serve
	served    time.Time       // when its last PIEC was handed to the host, or left
	handouts  []handout       // pieces we suggested and it has not announced
	announced time.Time       // when it last announced a piece that we have
	guided    bool            // we suggest to it what to ask for
	hoards    bool            // it sat on suggestions: no more until it announces a piece
	offers    []offer         // pieces that were shown to it, veiled, and it has not passed on
	depth     int             // how many of them it may have
	gave      *piece.Bitfield // pieces that it was sent the end of; nil: none
	doubts    int             // of them, those that were read because it asked again

	in, out     flow
	received    uint64   // payload of PIECs that came
	sent        uint64   // payload of PIECs handed to the host
	account     *account // its totals over all its connections; nil before HELO
	controlIn   uint64   // bytes received that are not payload
	controlOut  uint64   // bytes sent that are not payload
	lastTraffic p2p.Traffic
	used        usage // of its place
}

// flow is one direction's payload: its rate and its total.
type flow struct {
	rate  choke.Rate
	total uint64
}

// moved brings a total up to now and feeds the estimator with the difference.
func (f *flow) moved(now time.Time, total uint64) (fresh uint64) {
	if total > f.total {
		fresh = total - f.total
		f.total = total
		f.rate.Add(now, int(fresh))
	}
	return fresh
}

// find returns the index of the request for exactly this run, or -1.
func (r *remote) find(run piece.Run) int {
	for i := range r.requests {
		if r.requests[i].run == run {
			return i
		}
	}
	return -1
}

// drop removes a request, keeping the order of the rest.
func (r *remote) drop(i int) request {
	q := r.requests[i]
	r.requests = append(r.requests[:i], r.requests[i+1:]...)
	return q
}

// owes says whether an answer has to come: to a request that was cancelled, not
// from all.
func (r *remote) owes() bool {
	if r.caps&wire.CapSilent == 0 {
		return len(r.requests) > 0
	}
	return slices.ContainsFunc(r.requests, func(q request) bool { return !q.silent })
}

// owed is how many bytes it has been asked for and has not answered, whether
// or not we still wait for them.
func (r *remote) owed() int {
	n := 0
	for i := range r.requests {
		n += r.requests[i].run.Length
	}
	return n
}

// runLength is how many bytes one request to this remote covers: as much as the
// window has room for twice, so that the next request is there when one is
// answered, and a piece does not wait long for its slowest part.
func (r *remote) runLength() int {
	n := wire.MaxRun
	for n > piece.BlockSize && n*2 > r.window {
		n /= 2
	}
	return min(n, r.maxRequest)
}
