package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"starling/choke"
	"starling/metainfo"
	"starling/p2p"
	"starling/p2p/tcp"
	"starling/peer/webseed"
	"starling/piece"
	"starling/piece/store"
)

// TorrentConfig adds a torrent to a session.
type TorrentConfig struct {
	Meta *metainfo.Torrent
	// Store is open; the caller closes it after the torrent has stopped.
	Store *store.Store
	// Have are the pieces that are verified on disk.
	Have *piece.Bitfield
	// Wanted, if not nil, are the pieces to fetch; default all.
	Wanted *piece.Bitfield
	// Announcer is how trackers are reached; nil: no tracker.
	Announcer Announcer
	// Peers are addresses to connect to at once, "host:port".
	Peers []string
	// WebSeeds are URLs of servers that have the content (BEP 19), best first.
	WebSeeds []string
	// SuperSeed has other clients fetch each piece once before any twice, if we
	// begin as a seed (BEP 16).
	SuperSeed bool
	// Scrub says how the content is read again once it is complete.
	Scrub Scrub
	// OnEvent, if set, hears of events on the torrent's loop.
	OnEvent func(Event)
}

// Torrent is one infohash in a session.
type Torrent struct {
	session   *Session
	infoHash  [20]byte
	other     [20]byte // a hybrid's second name, else the same
	callees   callees
	announcer *inOrder // nil without a tracker
	store     *store.Store
	host      *tcp.Host
	engine    *Engine
	webs      *webseed.Group
	completed chan struct{}

	stop    sync.Once
	stopErr error

	mu   sync.Mutex
	last Stats // the last reading, for when the loop has ended
}

// Add starts a torrent.
func (s *Session) Add(cfg TorrentConfig) (*Torrent, error) {
	info := &cfg.Meta.Info
	geo, err := geometry(info)
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	policy, err := choke.New(s.cfg.Policy, s.cfg.Choke)
	if err != nil {
		return nil, err
	}
	t := &Torrent{
		session: s, infoHash: cfg.Meta.WireHash(), other: otherHash(cfg.Meta), store: cfg.Store,
		completed: make(chan struct{}), callees: callees{usual: cfg.Meta.WireHash()},
	}
	observer := Observer(nopObserver{})
	if s.cfg.Metrics != nil {
		observer = s.cfg.Metrics
	}
	t.host = tcp.NewHost(tcp.Config{
		Seed: s.cfg.Seed, Logger: s.log, Pool: s.pool, Buffers: s.buffers,
		MaxConns: 2*s.cfg.MaxConnsPerTorrent + 16, MaxDials: maxHalfOpen,
		Dial: s.dial(&t.callees), DialCodec: s.dialCodec,
	})
	node := p2p.NewNode(t.host, p2p.Config{
		ID: nameOf(s.cfg.PeerID), Addr: s.Addr().String(), MaxPeers: s.cfg.MaxConnsPerTorrent, Tap: s.cfg.Tap,
	})
	t.webs = webseed.New(webseed.Config{
		URLs: cfg.WebSeeds, Info: info, InfoHash: t.infoHash, Geometry: geo,
		Adopt: func(c net.Conn) error { return t.host.Adopt(c, nil) },
		Look: func(fn func(webseed.Swarm)) error {
			return t.host.Do(func() { fn(webView{t.engine}) })
		},
		Logger: s.log,
	})
	var hashes *hashTrees
	if cfg.Meta.MissingLayers() == nil { // a hybrid's may not have been found
		hashes = newHashTrees(cfg.Meta, cfg.Store)
	}
	engine := EngineConfig{
		InfoHash: cfg.Meta.WireHash(), InfoHashV2: t.other, PeerID: s.cfg.PeerID, ListenPort: s.Addr().Port(),
		Geometry: geo, Metadata: cfg.Meta.InfoBytes, Have: cfg.Have, Wanted: cfg.Wanted,
		Content: &content{geo: geo, store: cfg.Store, hashes: hashes, metrics: s.cfg.Metrics},
		Policy:  policy, Rechoke: s.cfg.Choke.Interval, SnubAfter: s.cfg.Choke.Snub,
		MaxRemotes: s.cfg.MaxConnsPerTorrent, WebSeeds: t.webs.Names(), NumWant: s.cfg.NumWant, Private: info.Private,
		SuperSeed: cfg.SuperSeed, Scrub: cfg.Scrub, UpLimit: s.cfg.UpLimit, DownLimit: s.cfg.DownLimit,
		OnEvent: t.onEvent(cfg.OnEvent), OnDial: t.callees.call, Observer: observer,
	}
	if cfg.Announcer != nil {
		t.announcer = newInOrder(cfg.Announcer)
		engine.Announcer = t.announcer
	}
	if hashes != nil {
		engine.Hashes = hashes // a nil *hashTrees would be Hashes that are not nil
	}
	t.engine = NewEngine(node, engine)
	t.host.Start(node, node.Limits())
	if err := s.enter(t); err != nil {
		return nil, errors.Join(err, t.host.Stop(context.Background()))
	}
	if err := t.host.Do(func() { t.engine.Start(cfg.Peers) }); err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	t.webs.Start()
	return t, nil
}

// otherHash is the v2 name of a hybrid; of others their only one.
func otherHash(t *metainfo.Torrent) [20]byte {
	if t.Info.HasV1() && t.Info.HasV2() {
		return t.InfoHashV2.Short()
	}
	return t.WireHash()
}

// geometry divides a torrent into pieces. Without a v1 side each file begins at one
// (BEP 52).
func geometry(in *metainfo.Info) (piece.Geometry, error) {
	if in.HasV1() {
		g := piece.Geometry{TotalLength: in.TotalLength(), PieceLength: in.PieceLength}
		if err := g.Validate(); err != nil || !slices.ContainsFunc(in.Files, func(f metainfo.File) bool { return f.Pad }) {
			return g, err
		}
		return g.Padded(func(yield func(int64, int64) bool) {
			for i := range in.Files {
				if f := &in.Files[i]; f.Pad && !yield(f.Offset, f.Length) {
					return
				}
			}
		}), nil
	}
	return piece.Aligned(in.PieceLength, func(yield func(int64) bool) {
		for i := range in.Files {
			if !yield(in.Files[i].Length) {
				return
			}
		}
	})
}

// onEvent stamps the wall clock on an event and passes it on.
func (t *Torrent) onEvent(to func(Event)) func(Event) {
	return func(ev Event) {
		ev.Time = time.Now()
		if ev.Kind == Complete {
			select {
			case <-t.completed:
			default:
				close(t.completed)
			}
		}
		if to != nil {
			to(ev)
		}
	}
}

// InfoHash names the torrent.
func (t *Torrent) InfoHash() metainfo.Hash { return t.infoHash }

// InfoHashes are all names of the torrent: a hybrid has two, and a swarm under each.
func (t *Torrent) InfoHashes() []metainfo.Hash {
	if t.other == t.infoHash {
		return []metainfo.Hash{t.infoHash}
	}
	return []metainfo.Hash{t.infoHash, t.other}
}

// Stats reads the torrent; once it has stopped, what it was then.
func (t *Torrent) Stats() Stats {
	var s Stats
	if t.host.Do(func() { s = t.engine.Stats() }) == nil {
		t.mu.Lock()
		t.last = s
		t.mu.Unlock()
		return s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// Remotes reads the peers that the torrent is connected to; none once it has
// stopped.
func (t *Torrent) Remotes() []RemoteStats {
	var rs []RemoteStats
	_ = t.host.Do(func() { rs = t.engine.Remotes() }) // ErrStopped: nobody is connected
	return rs
}

// Accounts lists what was exchanged with each peer, connected or not; nil once
// the torrent has stopped.
func (t *Torrent) Accounts() []Account {
	var as []Account
	_ = t.host.Do(func() { as = t.engine.Accounts() }) // ErrStopped: there is nobody to ask
	return as
}

// Completed is closed when every wanted piece is verified, durable and
// published.
func (t *Torrent) Completed() <-chan struct{} { return t.completed }

// AddPeers connects to more addresses, "host:port".
func (t *Torrent) AddPeers(addrs []string) error {
	return t.host.Do(func() { t.engine.AddPeers(addrs) })
}

// AddFound connects to addresses that were found under one of the infohashes.
func (t *Torrent) AddFound(infoHash metainfo.Hash, addrs []string) error {
	return t.host.Do(func() { t.engine.AddFound(infoHash, addrs) })
}

// SetLimits changes the rate limits, bytes a second, 0: none.
func (t *Torrent) SetLimits(up, down int64) error {
	return t.host.Do(func() { t.engine.SetLimits(up, down) })
}

// Stop says `stopped` to the tracker (bounded by ctx), makes verified pieces
// durable, and ends the torrent. It is idempotent.
func (t *Torrent) Stop(ctx context.Context) error {
	t.stop.Do(func() { t.stopErr = t.shutdown(ctx) })
	return t.stopErr
}

func (t *Torrent) shutdown(ctx context.Context) error {
	t.webs.Stop()
	var last Announce
	known := false
	if err := t.host.Do(func() { last, known = t.engine.Stop() }); err != nil {
		return err
	}
	final := t.Stats()
	if m := t.session.cfg.Metrics; m != nil {
		m.retire(t, &final)
	} else {
		t.session.leave(t)
	}
	var goodbye sync.WaitGroup
	if known {
		t.announcer.answered(ctx) // the host's end would cut it short
		goodbye.Go(func() {
			// A tracker that does not hear it forgets us by itself.
			if _, err := t.announcer.Announce(ctx, last); err != nil {
				t.session.log.Debug("stopped was not announced", "error", err)
			}
		})
	}
	err := t.host.Stop(ctx)
	if _, serr := t.store.Sync(ctx); serr != nil {
		err = errors.Join(err, serr)
	}
	goodbye.Wait()
	return err
}
