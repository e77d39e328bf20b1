package livefleet

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"starling/internal/announcer"
	"starling/peer"
	"starling/piece"
	"starling/piece/store"
	"starling/sim/fleet"
	"starling/tracker"
)

const (
	// goodbye bounds what a peer that leaves in order may take.
	goodbye = 3 * time.Second
	// floor is the shortest announce interval that is listened to.
	floor = time.Second
)

// host is a host of the fleet and, while it runs, its peer. All but the fields
// under mu belong to the director's goroutine.
type host struct {
	w      *swarm
	spec   *fleet.HostSpec
	dir    string
	addr   string // once it has listened
	factor float64
	noted  bool

	ids     [][20]byte // of all its lives
	session *peer.Session
	torrent *peer.Torrent
	store   *store.Store
	node    *node // of a host of role Node

	before   counts // of earlier lives
	accounts []peer.Account

	mu  sync.Mutex // a leaf
	res fleet.HostResult
}

// counts are what a host's lives have counted together.
type counts struct {
	received, sent, wasted uint64
	corrupt                int
}

func (c *counts) add(s *peer.Stats) {
	c.received += s.ReceivedPayload
	c.sent += s.SentPayload
	c.wasted += s.WastedCorrupt + s.WastedDuplicate + s.WastedUnrequested
	c.corrupt += s.CorruptPieces
}

func (h *host) up() bool { return h.torrent != nil || h.node != nil }

// start brings the host's peer up, with what is on its disk.
func (h *host) start(ctx context.Context) (err error) {
	if h.up() {
		return nil
	}
	if h.spec.Role == fleet.Node {
		return h.startNode()
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", h.spec.Name, err)
			h.close(ctx)
		}
	}()
	if h.session, err = peer.Listen(h.config()); err != nil {
		return err
	}
	h.addr = h.session.Addr().String()
	have, err := h.open(ctx)
	if err != nil {
		return err
	}
	w := h.w
	h.torrent, err = h.session.Add(peer.TorrentConfig{
		Meta: w.meta, Store: h.store, Have: have, OnEvent: h.event,
		Announcer: &announcer.Announcer{
			Client: tracker.NewClient(tracker.ClientConfig{
				Tiers: [][]string{{w.tracker.url}}, Rng: rand.New(rand.NewPCG(w.rng.Uint64(), 1)), Floor: floor,
			}),
			Key: w.rng.Uint32(),
		},
	})
	return err
}

func (h *host) config() peer.Config {
	p := &h.w.spec.Peer
	cfg := peer.DefaultConfig()
	cfg.Listen, cfg.Policy, cfg.Choke = "127.0.0.1:0", p.Policy, p.Choke
	if h.addr != "" {
		cfg.Listen = h.addr // as a process that is started again
	}
	if h.spec.Policy != "" {
		cfg.Policy = h.spec.Policy
	}
	cfg.UpLimit, cfg.DownLimit = h.limits()
	cfg.MaxConnsPerTorrent, cfg.NumWant = p.MaxRemotes, p.NumWant
	cfg.Seed, cfg.Logger, cfg.Tap = h.w.rng.Uint64()|1, h.w.opts.Logger.With("host", h.spec.Name), h.w.tap
	copy(cfg.PeerID[:], "-ST")
	for i := 8; i < len(cfg.PeerID); i++ {
		cfg.PeerID[i] = byte(h.w.rng.Uint32())
	}
	h.ids = append(h.ids, cfg.PeerID)
	h.w.tapping.Lock()
	h.w.names[hex.EncodeToString(cfg.PeerID[:])] = h.spec.Name
	h.w.tapping.Unlock()
	return cfg
}

// limits are the host's rates; a host without has no limit.
func (h *host) limits() (up, down int64) {
	limit := func(rate float64) int64 {
		if rate == 0 {
			return 0
		}
		return max(1, int64(rate*h.factor))
	}
	return limit(h.spec.Up), limit(h.spec.Down)
}

// open opens the host's files and finds out what is in them.
func (h *host) open(ctx context.Context) (have *piece.Bitfield, err error) {
	in := &h.w.meta.Info
	seed := h.spec.Role == fleet.Seed
	file := store.File{Path: in.FilePath(0), Length: in.Files[0].Length, Wanted: true, Root: in.Files[0].PiecesRoot}
	file.Layer = h.w.meta.PieceLayers[file.Root]
	h.store, err = store.Open(store.Config{
		Dir: h.dir, Name: in.Name, InfoHash: h.w.meta.WireHash(), PieceLength: in.PieceLength, Hashes: in.Pieces, V2: in.HasV2(),
		Files:    []store.File{file},
		ReadOnly: seed, NoState: seed, Logger: h.w.opts.Logger,
	})
	if err != nil {
		return nil, err
	}
	bits, trusted := h.store.Resumed()
	if !trusted {
		if bits, err = h.store.Check(ctx, nil); err != nil {
			return nil, err
		}
	}
	return piece.BitfieldFromBytes(bits, in.NumPieces())
}

// event hears what the torrent has to tell, on its loop.
func (h *host) event(e peer.Event) {
	now := e.Time.Sub(h.w.began)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e.Kind {
	case peer.FirstByte:
		if h.res.FirstByte < 0 {
			h.res.FirstByte = now
		}
	case peer.Complete:
		if h.spec.Role == fleet.Leecher && h.res.Done < 0 {
			h.res.Done = now
			h.w.completed()
		}
	case peer.Banned:
		h.res.Bans++
	}
}

// done is when the host completed, negative before.
func (h *host) done() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.res.Done
}

// slow multiplies the host's rates.
func (h *host) slow(factor float64) error {
	h.factor = factor
	if h.torrent == nil {
		return nil
	}
	up, down := h.limits()
	return h.torrent.SetLimits(up, down)
}

// stop ends the host's peer: in order, or as a process that is killed, whose
// connections break and who tells the tracker nothing.
func (h *host) stop(crash bool) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if h.node != nil {
		h.node.stop(ctx)
		h.node = nil
	}
	if h.torrent != nil {
		st := h.torrent.Stats()
		h.accounts = append(h.accounts, h.torrent.Accounts()...)
		h.before.add(&st)
		h.res.Remotes, h.res.Pieces = st.Remotes, st.PiecesDone
	}
	if crash {
		cancel() // nothing is waited for, nothing is said
	}
	h.close(ctx)
}

// close gives back what the host's peer holds.
func (h *host) close(ctx context.Context) {
	var errs []error
	if h.session != nil {
		errs = append(errs, h.session.Close(ctx))
	}
	if h.store != nil {
		errs = append(errs, h.store.Close())
	}
	h.session, h.torrent, h.store = nil, nil, nil
	if err := errors.Join(errs...); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrClosed) {
		h.w.opts.Logger.Debug("stop", "host", h.spec.Name, "err", err)
	}
}
