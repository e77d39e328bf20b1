package magnet

import (
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

const (
	// maxSize bounds an info dictionary, as package metainfo does.
	maxSize = 32 << 20
	// maxPeers bounds the addresses that we remember, maxConns the connections.
	maxPeers = 1000
	maxConns = 20
	// ahead is how many parts one peer is asked for at a time.
	ahead = 3
	// partWait is how long a part may take, setupWait the handshakes.
	partWait  = 10 * time.Second
	setupWait = 10 * time.Second
	// A dictionary may take tryWait, and partTime more for each of its parts:
	// who gives it slower keeps others from being asked.
	tryWait  = 20 * time.Second
	partTime = time.Second
	// treeWait is for the trees of a dictionary that can do without. Who has them
	// gives them at once, but may be yet to be found.
	treeWait = 10 * time.Second
	// A peer whose connection ended is left for retryWait, for twice as long
	// each time, but for no more than maxRetryWait.
	retryWait    = 20 * time.Second
	maxRetryWait = 2 * time.Minute
	tickEvery    = 250 * time.Millisecond
)

// Config is what a Fetcher has to know.
type Config struct {
	// InfoHash is the swarm's on the wire: of a v2 torrent, the first 20 bytes.
	InfoHash, PeerID [20]byte
	// Check says whether bytes are the info dictionary. It runs as a job.
	Check func(info []byte) error
	// Trees, if set, names the trees of which the piece layers are to be fetched,
	// given the dictionary.
	Trees func(info []byte) []Tree
	// Enough, if set, says whether a dictionary is of use without its trees, as that
	// of a hybrid is: they are then waited for no longer than treeWait.
	Enough func(info []byte) bool
	// Done is told the dictionary, once, and the trees, which are complete; or none
	// of them.
	Done func(info []byte, trees []Tree)
}

// Fetcher is the protocol. Make it with New, give it Peers.
type Fetcher struct {
	node  *p2p.Node
	cfg   Config
	peers []*peer // in the order in which we heard of them
	conns map[p2p.ConnID]*peer

	// What is being put together, from peers that agree on its size.
	size  int
	parts [][]byte
	from  []*peer // who gave, or is asked for, each part
	got   int
	end   time.Time // when it must be whole
	solo  *peer     // the only one to be asked, after a failure
	wary  bool      // there was one: one peer at a time
	check bool      // a verdict is awaited
	done  bool

	// The dictionary is had, and hashes are fetched.
	hashing bool
	hashEnd time.Time // then the dictionary will do; zero: never
	info    []byte
	trees   []Tree
	hashes  []hashAsk
}

// peer is an address, and the connection to it.
type peer struct {
	addr   string
	conn   p2p.ConnID // 0: none
	since  time.Time  // when the connection was asked for
	known  bool       // it has shaken hands
	size   int        // of the dictionary, as it says first; 0: it has none
	asked  []ask
	fails  int       // connections that have ended
	next   time.Time // not before
	liar   bool      // not to be asked again; or it is us
	hashes int       // how many runs of hashes it is asked for
}

type ask struct {
	part int
	at   time.Time
}

// New registers a Fetcher on a node, and starts it.
func New(n *p2p.Node, cfg Config) *Fetcher {
	f := &Fetcher{node: n, cfg: cfg, conns: map[p2p.ConnID]*peer{}}
	ignore := func(t p2p.Type, limit int) { n.Handle(t, p2p.Spec{Max: limit}, func(p2p.ConnID, *p2p.Message) {}) }
	ignore(wire.BITF, 256<<10)
	ignore(wire.HAVE, 4*wire.MaxIndexes)
	for _, t := range []p2p.Type{wire.HALL, wire.HNON, wire.INTR, wire.NINT, wire.CHOK, wire.UNCH} {
		ignore(t, 0)
	}
	n.Handle(wire.HELO, p2p.Spec{Max: wire.MaxHello}, f.onHello)
	n.Handle(wire.INFO, p2p.Spec{Max: 256}, f.onInfo)
	n.Handle(wire.META, p2p.Spec{Max: wire.MaxMeta}, f.onMeta)
	n.Handle(wire.HASH, p2p.Spec{Max: wire.MaxHashes}, f.onHashes)
	n.Handle(wire.HREJ, p2p.Spec{Max: wire.HashHead}, f.onHashes)
	n.SetHooks(p2p.Hooks{Opened: f.onOpened, Closed: f.onClosed, Done: f.onDone})
	n.Stabilize(tickEvery, f.tick)
	return f
}

// Add tells of peers, "host:port". Beyond 1,000 they are not remembered.
func (f *Fetcher) Add(addrs []string) {
	for _, a := range addrs {
		if len(f.peers) >= maxPeers {
			break
		}
		if !slices.ContainsFunc(f.peers, func(p *peer) bool { return p.addr == a }) {
			f.peers = append(f.peers, &peer{addr: a})
		}
	}
	f.dial()
}

// Peers lists the addresses that it was told of.
func (f *Fetcher) Peers() []string {
	var addrs []string
	for _, p := range f.peers {
		if !p.liar {
			addrs = append(addrs, p.addr)
		}
	}
	return addrs
}

// Connected is how many peers it has shaken hands with, and how many of those
// have the dictionary.
func (f *Fetcher) Connected() (all, having int) {
	for _, p := range f.peers {
		if p.known {
			all++
		}
		if p.size > 0 {
			having++
		}
	}
	return all, having
}

// dial connects to those that have waited longest: who was never tried comes before
// who is tried again, or a few that are dead would be all that is ever dialed.
func (f *Fetcher) dial() {
	now := f.node.Now()
	for !f.done && len(f.conns) < maxConns {
		var best *peer
		for _, p := range f.peers {
			if p.conn == 0 && !p.liar && !now.Before(p.next) && (best == nil || p.next.Before(best.next)) {
				best = p
			}
		}
		if best == nil {
			return
		}
		best.conn, best.since = f.node.Dial(best.addr), now
		f.conns[best.conn] = best
	}
}

func (f *Fetcher) onOpened(c p2p.ConnInfo) {
	p := f.conns[c.ID]
	if p == nil {
		f.node.Close(c.ID, p2p.Violation(p2p.ReasonNotNeeded, "we take no connections yet"))
		return
	}
	h := wire.Hello{
		Version: wire.Version, InfoHash: f.cfg.InfoHash, PeerID: f.cfg.PeerID,
		MaxQueue: wire.DefaultQueue, MaxRequest: wire.MaxRun,
	}
	f.send(p, wire.HELO, h.Append(nil))
}

func (f *Fetcher) onHello(c p2p.ConnID, m *p2p.Message) {
	p := f.conns[c]
	if p == nil {
		return
	}
	h, err := wire.ParseHello(m.Head)
	switch {
	case err != nil:
	case p.known:
		err = p2p.Violation(p2p.ReasonBadState, "a second HELO")
	case h.InfoHash != f.cfg.InfoHash:
		err = p2p.Violation(p2p.ReasonUnknownTorrent, "handshake for infohash %x", h.InfoHash)
	case h.PeerID == f.cfg.PeerID:
		p.liar = true // it is us: not to be dialed again
		err = p2p.Violation(p2p.ReasonSelf, "connected to ourselves")
	case h.Caps&wire.CapInfo == 0:
		err = p2p.Violation(p2p.ReasonNotNeeded, "it does not speak BEP 10")
	}
	if err != nil {
		f.drop(p, err)
		return
	}
	p.known = true
	i := wire.Info{MaxQueue: wire.DefaultQueue, Flags: wire.InfoMeta}
	f.send(p, wire.INFO, i.Append(nil))
	f.send(p, wire.HNON, nil)
}

// send puts a message in p's outbox; one that is full will be closed by partWait.
func (f *Fetcher) send(p *peer, t p2p.Type, head []byte) {
	_ = f.node.Send(p.conn, p2p.Message{Type: t, Head: head})
}

// drop ends the connection to p.
func (f *Fetcher) drop(p *peer, err error) {
	f.node.Close(p.conn, err)
	f.lost(p)
}

// lost forgets p's connection and what it was asked for.
func (f *Fetcher) lost(p *peer) {
	delete(f.conns, p.conn)
	p.conn, p.size, p.known = 0, 0, false
	p.next = f.node.Now().Add(min(retryWait<<min(p.fails, 8), maxRetryWait))
	p.fails++
	for _, a := range p.asked {
		f.from[a.part] = nil
	}
	p.asked = nil
	if f.solo == p {
		f.solo = nil
	}
	f.freeHashes(p)
	f.dial()
}

func (f *Fetcher) onClosed(c p2p.ConnID, _ error) {
	if p := f.conns[c]; p != nil {
		f.lost(p)
		f.request()
	}
}

// tick gives up what takes too long.
func (f *Fetcher) tick() {
	now := f.node.Now()
	late := len(f.parts) > 0 && !f.check && !f.hashing && now.After(f.end)
	if late {
		f.end = now.Add(f.allowed()) // for others, if they go on with these parts
	}
	for _, p := range f.peers {
		switch {
		case p.conn == 0:
		case p.size == 0 && now.Sub(p.since) > setupWait,
			len(p.asked) > 0 && (late || now.Sub(p.asked[0].at) > partWait),
			f.lateHashes(p, now):
			f.drop(p, p2p.Violation(p2p.ReasonTimeout, "nothing of the torrent came in time"))
		}
	}
	if f.hashing && !f.done && !f.hashEnd.IsZero() && now.After(f.hashEnd) {
		f.done = true
		f.cfg.Done(f.info, nil)
	}
	f.dial()
	f.request()
}
