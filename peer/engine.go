package peer

import (
	"context"
	"net/netip"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/peer/pex"
	"starling/peer/wire"
	"starling/piece"
)

// Bounds and times of the engine. Each is a default of docs/limits.md.
const (
	maxCandidates  = 3000
	maxHalfOpen    = 20
	handshakeWait  = 10 * time.Second
	idleAfter      = 120 * time.Second
	keepAliveAfter = 60 * time.Second
	requestTimeout = 20 * time.Second // no payload while some is owed
	pieceTimeout   = 30 * time.Second // no whole PIEC while some are owed
	tickEvery      = time.Second
	minWindow      = 32 << 10
	startWindow    = 256 << 10
	maxWindow      = 16 * wire.MaxRun
	shortWait      = 100 * time.Millisecond
	longWait       = 250 * time.Millisecond
	maxSources     = 10       // more make windows no smaller
	budget         = 32 << 20 // bytes asked for or not yet on disk
	// bulkAhead is how many PIECs of a fast connection are with the host, so
	// that its writer never waits for us. A slow one gets one at a time: what
	// is with the host can be neither cancelled nor choked.
	bulkAhead      = 2
	quickRate      = 16e6 // bytes a second
	maxQueue       = wire.DefaultQueue
	maxBlocks      = 512 // the same of one that asks for single blocks
	maxUnrequested = 3
	maxBad         = 300
	maxRetracted   = 300
	// What comes in while a checkpoint is being made is lost with it: twice
	// this is what a crash may cost.
	checkpointBytes = 32 << 20
	checkpointEvery = 5 * time.Second
	diskRetry       = 5 * time.Second
	stallAfter      = 30 * time.Second
)

// Content is where a torrent's bytes are. Section returns at once; the other
// methods may block and are called from jobs, several at a time.
type Content interface {
	// Section names bytes of a verified piece, or blocks that are proven, to be sent.
	Section(r piece.Run) p2p.Payload
	// PutPiece holds a whole piece against its hash and keeps it if it is
	// right.
	PutPiece(i int, data p2p.Payload) (ok bool, err error)
	// PutRun keeps a part of a piece. Without the hashes of its blocks that is
	// unproven; what proves to be wrong is not kept.
	PutRun(r piece.Run, data p2p.Payload) (Proof, error)
	// ProveRun holds what PutRun kept against the hashes of its blocks, which
	// have come since. What is wrong is to be put anew.
	ProveRun(r piece.Run) (Proof, error)
	// VerifyPiece hashes a piece that was put in parts.
	VerifyPiece(i int) (ok bool, err error)
	// BlockSums returns a hash of each block of a piece that was put in
	// parts and is complete.
	BlockSums(i int) ([]uint64, error)
	// Sync makes verified pieces durable and records them. After an error
	// the pieces in lost are gone and must be fetched again: what a failed
	// fsync was about is not to be trusted. Nothing else is taken away, and
	// Sync may be tried again.
	Sync(ctx context.Context) (lost []int, err error)
	// Finish publishes the content: every wanted piece is verified. It may
	// lose pieces as Sync does.
	Finish(ctx context.Context) (lost []int, err error)
	// Recheck reads a piece of published content, verified or found wrong before,
	// and holds it against its hash; where says which bytes of a wrong one were
	// read. What is wrong is not served from then on.
	Recheck(i int) (ok bool, where string, err error)
}

// EngineConfig makes an Engine.
type EngineConfig struct {
	InfoHash [20]byte
	// InfoHashV2 is the other name that a hybrid torrent has, the first 20 bytes
	// of its SHA-256 (BEP 52); else zero, or the same. It has a swarm under each,
	// and we are in both (names.go).
	InfoHashV2 [20]byte
	PeerID     [20]byte
	ListenPort uint16
	Geometry   piece.Geometry
	Have       *piece.Bitfield // verified pieces
	Wanted     *piece.Bitfield // nil: all
	Content    Content
	Announcer  Announcer // nil: none
	Policy     *choke.Switching
	Strategy   piece.Strategy // how pieces to begin are chosen
	Rechoke    time.Duration  // how often the policies recompute
	SnubAfter  time.Duration  // no payload for so long: snubbed, for the choker
	MaxRemotes int
	WebSeeds   []string // the addresses that our web seeds connect from; they take no place of a remote
	NumWant    int
	Private    bool // no peers but the tracker's (BEP 27)
	// Metadata is the torrent's info dictionary as bytes, for those that have
	// only its hash (BEP 9); nil: they get none.
	Metadata []byte
	Hashes   Hashes // nil: none to give
	// SuperSeed has a seed hide what it has from other clients until each piece is
	// somewhere else (BEP 16): superseed.go.
	SuperSeed bool
	Scrub     Scrub
	UpLimit   int64 // bytes a second, 0: none
	DownLimit int64
	OnEvent   func(Event) // may be nil
	// OnDial, if not nil, hears before an address is dialed by which of the
	// infohashes it will be called.
	OnDial   func(addr string, infoHash [20]byte)
	Observer Observer // may be nil
}

// Engine is one torrent's state machine. It is driven by the Node it was made
// on and belongs to that Node's goroutine.
type Engine struct {
	node *p2p.Node
	cfg  EngineConfig
	geo  piece.Geometry
	pick *piece.Picker
	obs  Observer

	remotes map[p2p.ConnID]*remote
	order   []*remote // ascending ConnID: every walk is in this order
	cands   candidates
	bans    bans

	failures map[int][]*failure // pieces that failed and are not had yet
	flights  map[int]*flight    // pieces on their way: asked for, being written
	onDisk   int                // bytes in jobs, not yet on disk
	asked    int                // bytes asked for, all remotes
	teller   teller
	announce announceState
	report   reporter
	spread   spreader
	scrub    scrubber
	gossipAt time.Time  // not before
	evictAt  time.Time  // not before: a remote loses its place
	external netip.Addr // ours as a tracker sees it; may be invalid
	up, down bucket
	upT      *p2p.Timer // when up has paid its debt
	downT    *p2p.Timer // and down
	idleT    *p2p.Timer // when a slot may have become idle
	maxSlots int        // how many the policy has; 0: it does not say
	reclaims bool       // it takes slots from the idle
	turn     int        // whom a limited upload or download serves next
	accounts accounts

	stats    Stats
	inRate   choke.Rate
	outRate  choke.Rate
	unsynced int // verified bytes since the last Sync
	lastSync time.Time
	syncing  bool
	diskErr  error
	flushErr bool // diskErr is of making data durable: only a Sync can clear it
	retryAt  time.Time
	begun    bool // the first payload byte has come
	complete bool // every wanted piece is verified
	finished bool // and published
	told     bool // that it is published
	stopping bool
	stalled  bool
	faulty   bool // a remote has a fault
	inbound  int  // remotes that have dialed us, so far
	fair     int  // how many sources are our share; 0: no bound
	endgame  bool // all that is missing is asked for
	freed    bool // what was asked for may be asked of others
	refill   bool // somebody may have room for requests
	rechoke  bool // a slot may be free
	weigh    bool // somebody may be too far behind to wait for one
	chokeBuf []choke.Remote
	scratch  []byte
	runBuf   []piece.Run
	proving  []int // pieces whose flights have the hashes of their blocks, oldest first
}

// NewEngine registers a torrent on a Node. Start sets it going.
func NewEngine(n *p2p.Node, cfg EngineConfig) *Engine {
	e := &Engine{
		node: n, cfg: cfg, geo: cfg.Geometry,
		pick:    piece.NewPicker(cfg.Geometry, cfg.Have, n.Host().Rand()),
		obs:     cfg.Observer,
		remotes: map[p2p.ConnID]*remote{},
		flights: map[int]*flight{}, failures: map[int][]*failure{},
		up:   bucket{rate: cfg.UpLimit},
		down: bucket{rate: cfg.DownLimit},
	}
	e.maxSlots, e.reclaims = cfg.Policy.Slots(), cfg.Policy.Reclaims()
	if e.obs == nil {
		e.obs = nopObserver{}
	}
	for i := range e.geo.NumPieces() {
		if cfg.Wanted == nil || cfg.Wanted.Has(i) {
			e.stats.BytesTotal += int64(e.geo.DataSize(i))
		} else {
			e.pick.SetPriority(i, 0)
		}
	}
	e.stats.PiecesTotal = e.geo.NumPieces()
	e.pick.SetStrategy(cfg.Strategy)
	e.cands.init()
	e.teller.init(e, n)
	e.idleT = n.NewTimer(e.idlePassed)
	e.upT = n.NewTimer(e.upPassed)
	e.downT = n.NewTimer(e.downPassed)
	e.announce.timer = n.NewTimer(e.announceNow)
	e.report.timer = n.NewTimer(e.reportNow)
	e.initScrub(n)
	e.handlers()
	return e
}

// handlers registers every message with its bound.
func (e *Engine) handlers() {
	n := e.node
	on := func(t p2p.Type, limit int, fn func(r *remote, m *p2p.Message) error) {
		n.Handle(t, p2p.Spec{Max: limit}, func(c p2p.ConnID, m *p2p.Message) { e.handle(c, m, fn) })
	}
	n.Handle(wire.HELO, p2p.Spec{Max: wire.MaxHello}, e.onHello)
	on(wire.BITF, (e.geo.NumPieces()+7)/8, e.onBitfield)
	on(wire.HALL, 0, e.onBitfield)
	on(wire.HNON, 0, e.onBitfield)
	on(wire.HAVE, 4*wire.MaxIndexes, e.onHave)
	on(wire.DONT, 4*wire.MaxIndexes, e.onDontHave)
	on(wire.INTR, 0, func(r *remote, _ *p2p.Message) error { return e.onInterest(r, true) })
	on(wire.NINT, 0, func(r *remote, _ *p2p.Message) error { return e.onInterest(r, false) })
	on(wire.CHOK, 0, func(r *remote, _ *p2p.Message) error { return e.onChoke(r, true) })
	on(wire.UNCH, 0, func(r *remote, _ *p2p.Message) error { return e.onChoke(r, false) })
	on(wire.REQU, wire.RequestHead, e.onRequest)
	on(wire.CANC, wire.RequestHead, e.onCancel)
	on(wire.REJE, wire.RequestHead, e.onReject)
	on(wire.SUGG, 4*wire.MaxIndexes, e.onSuggest)
	on(wire.INFO, maxInfo, e.onInfo)
	on(wire.META, wire.MaxMeta, e.onMeta)
	on(wire.PEEX, pex.MaxPayload, e.onPEX)
	on(wire.HREQ, wire.HashHead, e.onHashRequest)
	if e.cfg.Hashes != nil {
		on(wire.HASH, wire.MaxHashes, e.onHashes)
		on(wire.HREJ, wire.HashHead, e.onHashReject)
		on(wire.PART, wire.RequestHead, e.onPart)
	}
	n.Handle(wire.PIEC, p2p.Spec{Max: wire.PieceHead + wire.MaxRun, Head: wire.PieceHead},
		func(c p2p.ConnID, m *p2p.Message) { e.handle(c, m, e.onPiece) })
	// Who is in the swarm is told by HELO, not by whoever sends a JOIN.
	n.Handle(p2p.JOIN, p2p.Spec{}, nil)
	n.Handle(p2p.QUIT, p2p.Spec{}, nil)
	n.SetHooks(p2p.Hooks{Opened: e.onOpened, Drained: e.onDrained, Closed: e.onClosed, Done: e.onDone})
}

// Start begins to announce, to connect and to choke.
func (e *Engine) Start(peers []string) {
	now := e.now()
	e.stats.LastProgress, e.lastSync = now, now
	e.spread.init(e)
	if e.reclaims {
		e.fair = e.maxSlots
	}
	for _, a := range peers {
		e.cands.add(a, fromUser, now)
	}
	e.node.Stabilize(tickEvery, e.tick)
	e.node.Stabilize(e.cfg.Rechoke, e.rechokeAll)
	e.announce.next = EventStarted
	e.announceNow()
	e.dialMore(now)
	e.checkComplete()
	e.settle()
}

func (e *Engine) now() time.Time { return e.node.Now() }

func (e *Engine) emit(kind EventKind, detail string, err error) {
	if e.cfg.OnEvent != nil {
		e.cfg.OnEvent(Event{Kind: kind, Detail: detail, Err: err})
	}
}

// handle finds the remote of a message, lets fn have it, and closes the
// connection if fn finds fault with it. A message out of the handshake's order
// (HELO, then what the remote has, then all others) is a fault.
func (e *Engine) handle(c p2p.ConnID, m *p2p.Message, fn func(*remote, *p2p.Message) error) {
	r := e.remotes[c]
	var err error
	switch {
	case r == nil:
		err = p2p.Violation(p2p.ReasonHandshake, "%v before HELO", m.Type)
	case r.fault != nil:
	case r.phase < declaring:
		err = p2p.Violation(p2p.ReasonHandshake, "%v before HELO", m.Type)
	case r.phase == declaring && !wire.Declares(m.Type) && m.Type != wire.INFO:
		err = p2p.Violation(p2p.ReasonBadState, "%v before what it has", m.Type)
	default:
		r.lastIn = e.now()
		r.controlIn += uint64(p2p.HeaderSize + len(m.Head))
		err = fn(r, m)
	}
	if m.Body != nil { // onPiece takes it where the piece is wanted
		m.Body.Release()
		m.Body = nil
	}
	switch {
	case err == nil:
	case r == nil:
		e.node.Close(c, err)
	default:
		e.fault(r, err)
	}
	e.settle()
}

// settle runs what an event brought about, once, after the event: remotes at
// fault are closed, free slots filled, idle remotes asked for more.
func (e *Engine) settle() {
	for i := 0; (e.faulty || e.rechoke || e.refill) && i < 8; i++ {
		if e.faulty {
			e.faulty = false
			e.closeFaulty()
		}
		if e.rechoke {
			e.rechoke = false
			e.fillSlots()
		}
		if e.refill {
			e.refill = false
			e.askAll()
		}
	}
}

// send puts a control message in a remote's outbox. Control is never dropped:
// a remote that does not read it is closed.
func (e *Engine) send(r *remote, t p2p.Type, head []byte) {
	r.lastSent = e.now()
	r.controlOut += uint64(p2p.HeaderSize + len(head))
	if err := e.node.Send(r.id, p2p.Message{Type: t, Head: head}); err == p2p.ErrOutboxFull {
		e.fault(r, p2p.Violation(p2p.ReasonSlowReader, "its outbox is full"))
	}
}
