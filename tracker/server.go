package tracker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"starling/tracker/swarm"
)

// Server is a tracker. It does nothing before Serve, and serves once.
type Server struct {
	cfg      Config
	log      *slog.Logger
	metrics  *Metrics
	shards   *shards
	torrents *Torrents
	folder   folder
	// minInterval is that of the rules in force, nanoseconds.
	minInterval atomic.Int64
	discovery   *discovery
	reports     *reports // nil without Config.View
	events      *events  // so too
	trackerID   string
	date        dateCache
	timeouts    timeouts
	secret      cookieSecret
	udp         []*net.UDPConn

	handed   *handoff
	draining atomic.Bool
	ready    atomic.Bool
	fronts   sync.WaitGroup

	mu    sync.Mutex // a leaf
	conns map[*conn]struct{}
}

// New returns a tracker with what the snapshot at Config.StatePath holds; a
// damaged snapshot is reported and left out. It fails on an invalid configuration.
func New(cfg Config, log *slog.Logger, m *Metrics) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: log, metrics: m, shards: newShards(&cfg), trackerID: newTrackerID(rand.Uint64()),
		discovery: newDiscovery(cfg.Swarm.TTL), conns: make(map[*conn]struct{}),
		timeouts: timeouts{head: headerTimeout, idle: idleTimeout, write: writeTimeout}, secret: newCookieSecret(),
	}
	s.torrents = newTorrents(s.shards)
	if cfg.View {
		s.reports, s.events = newReports(&cfg.Swarm), newEvents(s)
	}
	s.date.set(time.Now())
	s.minInterval.Store(int64(cfg.Swarm.MinInterval))
	if err := s.setFolder(cfg.TorrentsDir); err != nil {
		return nil, fmt.Errorf("torrents folder: %w", err)
	}
	if cfg.StatePath != "" {
		s.load()
	}
	return s, nil
}

// Torrents is the registry of the torrents that this tracker serves.
func (s *Server) Torrents() *Torrents { return s.torrents }

// timeouts of a public connection: for a request's head from its first byte, for
// the first byte of the next request, for sending a reply.
type timeouts struct{ head, idle, write time.Duration }

// Serve answers on public, on the sockets of AddUDP, and on admin if it is not nil,
// until ctx ends or one of them fails. Then it says that it is not ready, answers on
// for Config.Linger, stops listening, gives requests under way Config.Drain to end,
// closes what is left, writes the snapshot and returns. It closes the listeners, and
// leaves no goroutine behind.
func (s *Server) Serve(ctx context.Context, public *net.TCPListener, admin net.Listener, adminHandler http.Handler) error {
	stopped := ctx.Done()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s.handed = newHandoff(public.Addr())
	web := s.httpServer(s.lastAnswers(s.Handler()))
	failed := make(chan error, 3+len(s.udp))
	var loops sync.WaitGroup
	s.ready.Store(true)
	accepted := make(chan struct{})
	loops.Go(func() {
		defer close(accepted)
		failed <- s.accept(ctx, public)
	})
	loops.Go(func() { failed <- serveHTTP(web, s.handed) })
	for _, c := range s.udp {
		loops.Go(func() { failed <- s.serveUDP(ctx, c) })
	}
	var adm *http.Server
	if admin != nil {
		adm = s.httpServer(adminHandler)
		adm.WriteTimeout = 0 // a CPU profile takes as long as it was asked to
		loops.Go(func() { failed <- serveHTTP(adm, admin) })
	}
	loops.Go(func() { s.housekeep(ctx) })
	if s.cfg.StatePath != "" {
		loops.Go(func() { s.saveRegularly(ctx) })
	}
	var err error
	select {
	case <-stopped:
		s.leave(public, accepted, failed)
	case err = <-failed:
		s.ready.Store(false)
		s.endStreams()
		public.Close()
	}
	cancel()
	s.stop(web, adm)
	loops.Wait()
	if s.cfg.StatePath != "" {
		err = errors.Join(err, s.save())
	}
	return err
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: s.timeouts.head, ReadTimeout: s.timeouts.write, WriteTimeout: s.timeouts.write,
		IdleTimeout: s.timeouts.idle, MaxHeaderBytes: maxHead, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

func serveHTTP(h *http.Server, ln net.Listener) error {
	if err := h.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// housekeep does what is due by time: expiry and gauges each second, the folder at its
// interval.
func (s *Server) housekeep(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	scanned := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		s.date.set(now)
		s.shards.expire()
		s.discovery.expire(s.shards.now())
		if s.reports != nil {
			s.reports.housekeep(s.shards.now(), &s.metrics.fleet)
			s.events.tick()
		}
		s.metrics.setTotals(s.shards.totals())
		if s.cfg.Alive != nil {
			s.cfg.Alive()
		}
		if now.Sub(scanned) >= s.cfg.Rescan {
			s.rescan()
			scanned = now
		}
	}
}

// announce answers a raw announce query into sc.body. The slices of raw are not
// kept.
func (s *Server) announce(sc *scratch, raw []byte, from netip.Addr) {
	now := s.shards.now()
	if sc.reportEvery = 0; s.reports != nil {
		sc.reportEvery = s.reports.every.Load()
	}
	err := sc.announce(s.shards, now, raw, from, s.trackerID)
	given := 0
	if err == nil {
		given = sc.resp.NumPeers()
	}
	s.noteAnnounce(&sc.query, now, given, err)
}

// noteAnnounce counts an announce that came at a time since the start and was
// answered with so many peers, or with err, and keeps what it said of its host.
func (s *Server) noteAnnounce(q *query, now time.Duration, given int, err error) {
	if err == nil && q.metricsPort != 0 {
		s.discovery.note(now, q)
	}
	if err == nil && s.reports != nil && (q.told.sized || q.told.able && q.Event == swarm.Stopped) {
		failed := s.reports.note(now, q, s.torrents.primary(q.InfoHash))
		if q.told.sized {
			s.metrics.fleet.reported(failed)
		}
	}
	s.metrics.announced(q.Event, err, given, s.shards.now()-now)
}

// scrape answers a raw scrape query into sc.body.
func (s *Server) scrape(sc *scratch, raw []byte) {
	err := sc.scrape(s.shards, raw, time.Duration(s.minInterval.Load()))
	s.metrics.scrapes[resultOf(err)].Inc()
}

// Counts returns what a scrape tells of a swarm, and whether it is known.
func (s *Server) Counts(h swarm.InfoHash) (swarm.Counts, bool) { return s.shards.scrape(h) }

// dateCache is the text of a Date header, made once a second.
type dateCache struct{ text atomic.Pointer[string] }

func (d *dateCache) set(now time.Time) {
	text := now.UTC().Format(http.TimeFormat)
	d.text.Store(&text)
}

func (d *dateCache) append(b []byte) []byte { return append(b, *d.text.Load()...) }
