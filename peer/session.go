package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"starling/choke"
	"starling/p2p"
	"starling/p2p/tcp"
	"starling/peer/bt"
	"starling/peer/wire"
)

// Config is a session's configuration. DefaultConfig has every default.
type Config struct {
	// Listen is "host:port"; port 0 picks one.
	Listen string
	// PeerID is our name in every swarm, random per process.
	PeerID [20]byte
	// Policy is choke.TitForTat or choke.Cooperative.
	Policy string
	Choke  choke.Config
	// UpLimit and DownLimit are bytes a second for each torrent, 0: none.
	UpLimit, DownLimit int64
	// MaxConnsPerTorrent bounds the connections of one torrent.
	MaxConnsPerTorrent int
	// Encryption is what to do about message stream encryption.
	Encryption Encryption
	// NumWant is how many peers a tracker is asked for.
	NumWant int
	// Seed is the random generator's; 0 draws one.
	Seed uint64
	// Logger hears of lifecycle at Info and of connections at Debug.
	Logger *slog.Logger
	// Metrics, if set, is fed.
	Metrics *Metrics
	// Tap, if set, sees every message of every torrent, one at a time. It is
	// called on the torrents' loops and must not block.
	Tap p2p.Tap
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		Listen: ":0", Policy: choke.TitForTat, Choke: choke.Default(),
		MaxConnsPerTorrent: 50, NumWant: 50, Encryption: EncryptionAccept,
	}
}

// Validate refuses a configuration that cannot work; it repairs nothing.
func (c *Config) Validate() error {
	if _, err := choke.New(c.Policy, c.Choke); err != nil {
		return err
	}
	if err := c.checkEncryption(); err != nil {
		return err
	}
	switch {
	case c.UpLimit < 0 || c.DownLimit < 0:
		return errors.New("peer: a rate limit below zero")
	case c.MaxConnsPerTorrent < 1 || c.MaxConnsPerTorrent > 1000:
		return fmt.Errorf("peer: %d connections a torrent, want 1 to 1000", c.MaxConnsPerTorrent)
	case c.NumWant < 0 || c.NumWant > 1000:
		return fmt.Errorf("peer: %d peers wanted of a tracker, want 0 to 1000", c.NumWant)
	}
	return nil
}

// Session is our process's torrents behind one listening port. Its methods may
// be called from any goroutine but a torrent's loop.
type Session struct {
	cfg      Config
	log      *slog.Logger
	acceptor *tcp.Acceptor
	pool     *tcp.Pool
	buffers  *tcp.BufferPool
	serving  sync.WaitGroup
	mute     mute

	mu       sync.Mutex // a leaf: nothing is called under it
	torrents []*Torrent
	closed   bool
}

// Listen starts a session without torrents.
func Listen(cfg Config) (*Session, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Tap = oneAtATime(cfg.Tap)
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	s := &Session{
		cfg: cfg, log: cfg.Logger,
		pool: tcp.NewPool(tcp.DefaultWorkers),
		// The pool keeps all that the budget allows: a buffer that is dropped
		// and made anew costs the kernel's zeroing of its pages each time.
		buffers: tcp.NewBufferPool(2 * budget),
	}
	s.acceptor = tcp.NewAcceptor(ln, tcp.AcceptorConfig{
		Limits: &p2p.Limits{
			Specs:   map[p2p.Type]p2p.Spec{wire.HELO: {Max: wire.MaxHello}},
			Unknown: wire.MaxHello, // the framework's requests are short
		},
		Route: s.route, Legacy: func() tcp.Codec { return bt.Listener() }, FindKey: s.findKey(), Cipher: s.cfg.Encryption.cipher(), Buffers: s.buffers, Logger: s.log,
	})
	s.serving.Go(func() {
		if err := s.acceptor.Serve(); err != nil {
			s.log.Error("the listener failed: no peer can connect to us any more", "error", err)
		}
	})
	if cfg.Metrics != nil {
		cfg.Metrics.attach(s)
	}
	return s, nil
}

// oneAtATime makes a tap fit for several torrents, each of which has its own
// goroutine.
func oneAtATime(tap p2p.Tap) p2p.Tap {
	if tap == nil {
		return nil
	}
	var mu sync.Mutex
	return func(r p2p.TapRecord) {
		mu.Lock()
		defer mu.Unlock()
		tap(r)
	}
}

// Addr is where the session listens.
func (s *Session) Addr() netip.AddrPort {
	a, _ := s.acceptor.Addr().(*net.TCPAddr)
	if a == nil {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// LocalAddr is the address that connections to others must come from, so that
// they find us where we listen: the one we listen on, if it is a particular
// one. It is not valid if the system may choose; so it may for 127.0.0.1 and
// ::1, from which other hosts could not be reached.
func (s *Session) LocalAddr() netip.Addr {
	a := s.Addr().Addr()
	if a.IsUnspecified() || a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || a == netip.IPv6Loopback() {
		return netip.Addr{}
	}
	return a
}

// route finds the torrent that a new connection is for. A connection that
// begins with a request of the framework (NAME, LIST, ...) is about the first
// torrent's swarm.
func (s *Session) route(first *tcp.FirstMessage) *tcp.Host {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first.Type != wire.HELO {
		if len(s.torrents) == 0 {
			return nil
		}
		return s.torrents[0].host
	}
	h, err := wire.ParseHello(first.Head)
	if err != nil || first.Key != nil && *first.Key != h.InfoHash || first.Key == nil && s.cfg.Encryption == EncryptionRequire {
		return nil
	}
	for _, t := range s.torrents {
		if t.infoHash == h.InfoHash || t.other == h.InfoHash {
			return t.host
		}
	}
	return nil
}

// list returns the torrents of this moment.
func (s *Session) list() []*Torrent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Torrent(nil), s.torrents...)
}

// enter makes a torrent reachable.
func (s *Session) enter(t *Torrent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("peer: the session is closed")
	}
	for _, o := range s.torrents {
		if o.infoHash == t.infoHash {
			return fmt.Errorf("peer: torrent %x is in the session already", t.infoHash)
		}
	}
	s.torrents = append(s.torrents, t)
	return nil
}

func (s *Session) leave(t *Torrent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.torrents {
		if o == t {
			s.torrents = append(s.torrents[:i:i], s.torrents[i+1:]...)
			return
		}
	}
}

// Close stops every torrent and the listener. ctx bounds the goodbyes.
func (s *Session) Close(ctx context.Context) error {
	s.mu.Lock()
	already := s.closed
	s.closed = true
	s.mu.Unlock()
	if already {
		return nil
	}
	errs := []error{s.acceptor.Close()}
	var stops sync.WaitGroup
	var mu sync.Mutex
	for _, t := range s.list() {
		stops.Go(func() {
			err := t.Stop(ctx)
			mu.Lock()
			errs = append(errs, err)
			mu.Unlock()
		})
	}
	stops.Wait()
	s.serving.Wait()
	s.pool.Close()
	if s.cfg.Metrics != nil {
		s.cfg.Metrics.detach(s)
	}
	return errors.Join(errs...)
}
