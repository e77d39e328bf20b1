package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/metainfo"
	"starling/piece"
	"starling/piece/store"
	"starling/tracker"
)

const (
	maxDemoLeechers = 64
	// demoStall is how long a demo without progress runs on.
	demoStall = time.Minute
)

func newDemo(a *app) *cobra.Command {
	var d demo
	size := units.Bytes(64 << 20)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a tracker, a seed and leechers on this machine and show how they do",
		Long: `Run a real swarm in one process: a tracker, a seed and leechers, each with its own
port on the loopback interface and its own directory. The content moves over TCP as it
would between hosts, every copy is compared with the original, and all of it is
removed at the end.`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case d.count < 1 || d.count > maxDemoLeechers:
				return usage(cmd.CommandPath(), "--leechers %d is not in 1..%d", d.count, maxDemoLeechers)
			case size < 1:
				return usage(cmd.CommandPath(), "--size is zero")
			case d.choke != "tit-for-tat" && d.choke != "cooperative":
				return usage(cmd.CommandPath(), "--choke %q is not one of tit-for-tat, cooperative", d.choke)
			}
			d.a, d.size = a, int64(size)
			return d.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.IntVar(&d.count, "leechers", 4, "`N` leechers")
	fs.Var(&size, "size", "content of `SIZE` random bytes")
	fs.StringVar(&d.data, "data", "", "the file or directory at `PATH` instead of random bytes")
	fs.StringVar(&d.choke, "choke", config.Default().Leech.Choke, "whom to send to: tit-for-tat or cooperative")
	return cmd
}

// demo is one run of `starling demo`.
type demo struct {
	a     *app
	count int
	size  int64
	data  string
	choke string
	dir   string

	meta     *metainfo.Torrent
	source   string // directory that holds the original
	announce string
	began    time.Time
	seed     *swarmPeer
	leechers []*swarmPeer
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "starling-demo-"); err != nil {
		return fail("demo", err)
	}
	defer func() {
		if removed := os.RemoveAll(d.dir); err == nil && removed != nil {
			err = fail("demo", removed)
		}
	}()
	stop, err := d.startTracker(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	defer d.closeAll()
	if err := d.start(ctx); err != nil {
		return err
	}
	if err := d.watch(ctx); err != nil {
		return interruptedOr(ctx, "demo", err)
	}
	took := d.a.now().Sub(d.began)
	d.a.rep.Finish()
	doc, err := d.finish(took)
	if err != nil {
		return fail("demo", err)
	}
	return d.a.result(doc, d.table(doc))
}

// startTracker serves at a free port until stop is called.
func (d *demo) startTracker(ctx context.Context) (stop func(), err error) {
	ln, err := tracker.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, fail("demo", err)
	}
	srv, err := tracker.New(tracker.DefaultConfig(), d.a.log, tracker.NewMetrics(newRegistry()))
	if err != nil {
		ln.Close()
		return nil, fail("demo", err)
	}
	d.announce = "http://" + ln.Addr().String() + "/announce"
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, ln, nil, nil) }()
	return func() {
		cancel()
		if err := <-served; err != nil {
			d.a.log.Warn("tracker", "err", err)
		}
	}, nil
}

// prepare makes the content and its torrent.
func (d *demo) prepare(ctx context.Context) error {
	path := d.data
	if path == "" {
		path = filepath.Join(d.dir, "seed", "demo.bin")
		if err := writeRandom(path, d.size); err != nil {
			return fail("demo", err)
		}
	}
	t, tree, err := d.a.makeTorrent(ctx, path, recipe{trackers: []string{d.announce}})
	if err != nil {
		return err
	}
	d.meta, d.source = t, tree.Dir
	in := &t.Info
	d.a.rep.Say("swarm     1 tracker, 1 seed, %s on the loopback interface", plural(d.count, "leecher"))
	d.a.rep.Say("content   %s  %s  %s pieces of %s", report.Escape(in.Name), units.FormatBytes(in.TotalLength()),
		units.FormatCount(int64(in.NumPieces())), pieceSize(in))
	return nil
}

// writeRandom writes bytes that look random and are the same each time.
func writeRandom(path string, size int64) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), size)
	return errors.Join(err, f.Close())
}

// start brings the seed and the leechers up.
func (d *demo) start(ctx context.Context) error {
	// Only the seed may serve metrics: there is one port for them.
	metrics := d.a.cfg.MetricsListen
	s, err := d.join(d.source, func() (*store.Store, *piece.Bitfield, error) {
		return d.a.seedStore(ctx, d.meta, d.source, true)
	})
	if err != nil {
		return err
	}
	d.seed, d.a.cfg.MetricsListen = s, ""
	defer func() { d.a.cfg.MetricsListen = metrics }()
	d.began = d.a.now()
	for i := range d.count {
		dir := filepath.Join(d.dir, fmt.Sprintf("leecher-%d", i+1))
		s, err := d.join(dir, func() (*store.Store, *piece.Bitfield, error) {
			st, err := d.a.openStore(d.meta, dir, store.Config{})
			return st, piece.NewBitfield(d.meta.Info.NumPieces()), err
		})
		if err != nil {
			return err
		}
		d.leechers = append(d.leechers, s)
	}
	return nil
}

// join starts one peer of the swarm.
func (d *demo) join(dir string, open func() (*store.Store, *piece.Bitfield, error)) (*swarmPeer, error) {
	wire := config.Default().Leech.Wire
	wire.Choke = d.choke
	s, err := d.a.openSwarm("127.0.0.1:0", &wire)
	if err != nil {
		return nil, err
	}
	st, have, err := open()
	if err != nil {
		s.close()
		return nil, fail("demo", err)
	}
	m, err := s.add(joining{meta: d.meta, dir: dir, store: st, have: have, tiers: d.meta.Trackers()})
	if err != nil {
		st.Close()
		s.close()
		return nil, fail("demo", err)
	}
	m.name = filepath.Base(dir)
	s.follow()
	return s, nil
}

func (d *demo) closeAll() {
	for _, s := range append(d.leechers, d.seed) {
		if s != nil {
			if _, err := s.leave(); err != nil {
				d.a.log.Debug("leave", "err", err)
			}
		}
	}
}
