package webseed

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"starling/metainfo"
	"starling/piece"
)

const (
	// maxActive is how many URLs are in use at a time. The others take over
	// where one is dropped.
	maxActive = 4
	// maxLanes is how many HTTP connections the only web seed of a torrent has,
	// fewLanes each of several.
	maxLanes = 4
	fewLanes = 2
	// maxRange is how many bytes one HTTP request asks for at most.
	maxRange = 16 << 20
	// userAgent says who asks.
	userAgent = "starling"
)

// times are the waits of a Group; tests have shorter ones.
type times struct {
	connect   time.Duration // to connect, TLS apart
	header    time.Duration // from a request to the head of its answer
	body      time.Duration // without one byte of a body
	backoff   time.Duration // after the first failure in a row; doubles
	maxWait   time.Duration // after one of many
	maxRetry  time.Duration // that a server may ask for (Retry-After)
	idle      time.Duration // a response that nothing is asked of is kept so long
	tick      time.Duration // between two looks at what to suggest, if nothing happens
	look      time.Duration // between two looks whether anything is missing
	keepAlive time.Duration // a link says something at least so often
}

var defaultTimes = times{
	connect: 10 * time.Second, header: 20 * time.Second, body: 30 * time.Second,
	backoff: 30 * time.Second, maxWait: 10 * time.Minute, maxRetry: time.Hour,
	idle: 10 * time.Second, tick: time.Second, look: time.Minute, keepAlive: 50 * time.Second,
}

// Swarm is what a web seed may know of its torrent. It is for the function that
// Config.Look runs, and only while that runs.
type Swarm interface {
	// Wanting says whether anything that is wanted is not had.
	Wanting() bool
	// Open says whether there is a part of a piece to ask for.
	Open(i int) bool
	// Rare says whether a piece is open and no more than so many peers have it.
	Rare(i, most int) bool
	// Stretch chooses consecutive pieces that are rare, none of them among
	// taken: n of them from first on, which most or fewer peers have. n is 0
	// if there is none.
	Stretch(taken *piece.Bitfield) (first, n, most int)
	// After chooses the first open pieces in order, from a piece on, and if
	// there is none from the beginning.
	After(from int, taken *piece.Bitfield) (first, n int)
}

// Config makes a Group. All fields but Logger are required.
type Config struct {
	// URLs are the web seeds, best first. What is no http or https URL is left
	// out, with a warning.
	URLs     []string
	Info     *metainfo.Info
	InfoHash [20]byte
	Geometry piece.Geometry
	// Adopt gives a connection to the torrent's host.
	Adopt func(net.Conn) error
	// Look runs a function on the torrent's loop and waits for it. The error
	// says that the torrent has stopped and the function did not run.
	Look func(func(Swarm)) error
	// Logger hears of URLs that are dropped, and of the first of failures in a row,
	// at Warn, of the others at Info.
	Logger *slog.Logger
}

// Group is the web seeds of one torrent.
type Group struct {
	cfg    Config
	geo    piece.Geometry
	times  times
	client *http.Client
	seeds  []*seed
	lanes  int // of each web seed
	salt   [16]byte
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	// mu guards what the lanes of all links have before them, and next.
	mu    sync.Mutex
	next  int // the first of seeds that was not used yet
	links []*link
}

// New reads the URLs of a torrent; Start uses them.
func New(cfg Config) *Group { return newGroup(cfg, defaultTimes) }

func newGroup(cfg Config, t times) *Group {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Group{
		cfg: cfg, times: t, client: newClient(&t), lanes: fewLanes,
		geo: cfg.Geometry,
	}
	rand.Read(g.salt[:])
	g.ctx, g.cancel = context.WithCancel(context.Background())
	var seen, names []string
	for n, raw := range cfg.URLs {
		u, err := parseURL(raw)
		if err != nil {
			cfg.Logger.Warn("web seed left out", "number", n+1, "error", err)
			continue
		}
		if slices.Contains(seen, u.String()) || len(g.seeds) >= metainfo.MaxWebSeeds {
			continue
		}
		s := newSeed(g, u, nameOf(u, names))
		seen, names = append(seen, u.String()), append(names, s.name)
		g.seeds = append(g.seeds, s)
	}
	if len(g.seeds) == 1 {
		g.lanes = maxLanes
	}
	return g
}

// Names are the addresses from which the web seeds connect.
func (g *Group) Names() []string {
	names := make([]string, len(g.seeds))
	for i, s := range g.seeds {
		names[i] = s.name
	}
	return names
}

// Start begins to fetch. The torrent's host must be running.
func (g *Group) Start() {
	for range min(maxActive, len(g.seeds)) {
		g.tasks.Go(g.work)
	}
}

// Stop ends all connections and waits for what uses them. It must come before
// the host stops, and may be called often.
func (g *Group) Stop() {
	g.cancel()
	g.tasks.Wait()
	g.client.CloseIdleConnections()
}

// work uses one URL after the other, each until it is dropped.
func (g *Group) work() {
	for {
		s := g.takeNext()
		if s == nil {
			return
		}
		err := s.run(g.ctx)
		if g.ctx.Err() != nil || errors.Is(err, errStopped) {
			return
		}
		g.cfg.Logger.Warn("web seed dropped", "url", s.name, "error", err)
	}
}

func (g *Group) takeNext() *seed {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == len(g.seeds) {
		return nil
	}
	g.next++
	return g.seeds[g.next-1]
}

// wanting says whether the torrent lacks anything.
func (g *Group) wanting() (is bool, err error) {
	err = g.cfg.Look(func(s Swarm) { is = s.Wanting() })
	return is, err
}

// taken are the pieces that some lane has before it. Called with mu held.
func (g *Group) taken() *piece.Bitfield {
	all := piece.NewBitfield(g.geo.NumPieces())
	for _, l := range g.links {
		for _, ln := range l.lanes {
			for _, i := range ln.unasked {
				all.Set(i)
			}
			for i := ln.next; i < ln.end; i++ {
				all.Set(i)
			}
		}
	}
	return all
}
