package livefleet

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/sim/fleet"
	"starling/tracker"
)

var errDown = errors.New("connection refused: the host is down")

// trackerd is the real tracker at an address that it keeps. While it is down its
// memory is in its snapshot file.
type trackerd struct {
	cfg    tracker.Config
	log    *slog.Logger
	addr   string
	url    string
	cancel context.CancelFunc // nil while it is down
	served chan struct{}
}

func startTracker(ctx context.Context, s *fleet.Spec, dir string, log *slog.Logger) (*trackerd, error) {
	t := &trackerd{cfg: tracker.DefaultConfig(), log: log, addr: "127.0.0.1:0"}
	c := &t.cfg.Swarm
	c.Interval = max(s.Tracker.Interval, time.Second)
	c.MinInterval = min(max(s.Tracker.MinInterval, time.Second), c.Interval)
	c.Young = min(c.Young, c.Interval)
	c.TTL = max(c.TTL, c.Interval*5/2)
	t.cfg.StatePath = filepath.Join(dir, "tracker.state")
	t.cfg.Drain = 500 * time.Millisecond
	return t, t.start(ctx)
}

// start brings it up, if it is down.
func (t *trackerd) start(ctx context.Context) error {
	if t.cancel != nil {
		return nil
	}
	ln, err := tracker.Listen(ctx, t.addr)
	if err != nil {
		return err
	}
	srv, err := tracker.New(t.cfg, t.log, tracker.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		ln.Close()
		return err
	}
	t.addr = ln.Addr().String()
	t.url = "http://" + t.addr + "/announce"
	ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	t.served = make(chan struct{})
	go func() {
		defer close(t.served)
		if err := srv.Serve(ctx, ln, nil, nil); err != nil {
			t.log.Warn("tracker", "err", err)
		}
	}()
	return nil
}

// stop takes it down; it refuses connections from then on.
func (t *trackerd) stop() {
	if t.cancel == nil {
		return
	}
	t.cancel()
	<-t.served
	t.cancel = nil
}

// forget loses the memory of a tracker that is down.
func (t *trackerd) forget() {
	if err := os.Remove(t.cfg.StatePath); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.log.Warn("tracker state", "err", err)
	}
}
