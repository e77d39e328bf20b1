package livefleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"starling/metainfo"
	"starling/p2p"
	"starling/sim/fleet"
)

// Options are what a caller wants to see of a run.
type Options struct {
	// Tap sees every message that a host sends or receives, one at a time.
	Tap p2p.Tap
	// Progress is called now and then.
	Progress func(fleet.Sample)
	// Logger is the sessions' and the tracker's; nil: nobody hears them.
	Logger *slog.Logger
	// Dir is where the hosts' files go, below a folder that is made and
	// removed; empty: the system's temporary folder.
	Dir string
}

// swarm is a run.
type swarm struct {
	spec    *fleet.Spec
	opts    Options
	rng     *rand.Rand
	dir     string
	meta    *metainfo.Torrent
	tracker *trackerd
	hosts   []*host
	byName  map[string]*host
	began   time.Time
	agenda  []entry
	// wake tells the director that a host has completed.
	wake chan struct{}

	mu      sync.Mutex // a leaf
	replies []fleet.Reply

	tapping  sync.Mutex // held while the caller's Tap is called
	messages map[p2p.Type]uint64
	names    map[string]string // of hosts, by the hexadecimal id of a peer

	res fleet.Result
}

// Run runs a Spec in real time. A RefusedError says what it cannot do.
func Run(ctx context.Context, s *fleet.Spec, o Options) (r *fleet.Result, err error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	w := &swarm{
		spec: s, opts: o, rng: rand.New(rand.NewPCG(s.RNGSeed, 0x6c697665)), byName: map[string]*host{},
		wake: make(chan struct{}, 1), messages: map[p2p.Type]uint64{}, names: map[string]string{},
	}
	if w.dir, err = os.MkdirTemp(o.Dir, "starling-sim-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(w.dir)) }()
	if w.tracker, err = startTracker(ctx, s, w.dir, o.Logger); err != nil {
		return nil, err
	}
	defer w.tracker.stop()
	if err := w.prepare(); err != nil {
		return nil, err
	}
	defer w.stopAll()
	if err := w.direct(ctx); err != nil {
		return nil, err
	}
	w.finish()
	return &w.res, nil
}

// prepare makes the content, its torrent and the hosts, none of which is started.
func (w *swarm) prepare() error {
	source := filepath.Join(w.dir, "source")
	path := filepath.Join(source, "content")
	if err := w.write(path); err != nil {
		return err
	}
	var err error
	if w.meta, err = w.torrentOf(path); err != nil {
		return err
	}
	for i := range w.spec.Hosts {
		spec := &w.spec.Hosts[i]
		h := &host{w: w, spec: spec, dir: filepath.Join(w.dir, fmt.Sprintf("host-%d", i)), factor: 1}
		if spec.Role == fleet.Seed {
			h.dir = source
		}
		h.res = fleet.HostResult{
			Name: spec.Name, Group: groupOf(spec), Role: spec.Role, Arrived: -1, FirstByte: -1, Done: -1,
		}
		w.hosts = append(w.hosts, h)
		w.byName[spec.Name] = h
	}
	return nil
}

// torrentOf makes the torrent of a file.
func (w *swarm) torrentOf(path string) (*metainfo.Torrent, error) {
	format := metainfo.V1
	if w.spec.V2 {
		format = metainfo.V2
	}
	b, err := metainfo.NewBuilderOf(format, "content", []metainfo.File{{Length: w.spec.Size}}, w.spec.PieceLength)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := b.HashReader(f); err != nil {
		return nil, err
	}
	return b.Torrent()
}

func groupOf(s *fleet.HostSpec) string {
	if s.Group == "" {
		return "all"
	}
	return s.Group
}

// write makes content that looks random and is the same for the same rng seed.
func (w *swarm) write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	var key [32]byte
	for i := range key {
		key[i] = byte(w.rng.Uint32())
	}
	_, err = io.CopyN(f, rand.NewChaCha8(key), w.spec.Size)
	return errors.Join(err, f.Close())
}

// now is the time since the run began.
func (w *swarm) now() time.Duration { return time.Since(w.began) }

// tap counts the messages that hosts receive, and passes all on to the caller's,
// with the hosts' names for the ids of their peers, as on the virtual network.
func (w *swarm) tap(r p2p.TapRecord) {
	w.tapping.Lock()
	defer w.tapping.Unlock()
	if r.Dir == p2p.Received {
		w.messages[r.Type]++
	}
	if w.opts.Tap != nil {
		r.From, r.To = w.nameOf(r.From), w.nameOf(r.To)
		w.opts.Tap(r)
	}
}

func (w *swarm) nameOf(id string) string {
	if name, known := w.names[id]; known {
		return name
	}
	return id
}

// completed is called on a torrent's loop.
func (w *swarm) completed() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

func (w *swarm) stopAll() {
	var all sync.WaitGroup
	for _, h := range w.hosts {
		all.Go(func() { h.stop(false) })
	}
	all.Wait()
}

// entry is something to do at a time.
type entry struct {
	at time.Duration
	do func(ctx context.Context) error
	// optional: the run does not go on for it.
	optional bool
}

// plan adds an entry to the agenda, which is in order of time.
func (w *swarm) plan(e entry) {
	i, _ := slices.BinarySearchFunc(w.agenda, e, func(a, b entry) int {
		if a.at <= b.at {
			return -1
		}
		return 1
	})
	w.agenda = slices.Insert(w.agenda, i, e)
}
