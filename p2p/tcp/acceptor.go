package tcp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"starling/internal/descriptors"
	"starling/p2p"
	"starling/p2p/mse"
)

// Back-off of an accept loop that is short of descriptors: closing what is open
// is the only cure, and only time brings it.
const (
	minBackoff = 5 * time.Millisecond
	maxBackoff = time.Second
)

// AcceptorConfig makes an Acceptor. The zero value of a field means its default.
type AcceptorConfig struct {
	// Limits bound the first message. Required. A type whose Spec has a
	// Head cannot come first: bodies go to a host only.
	Limits *p2p.Limits
	// Route names the host that shall have a connection, by its first
	// message; nil closes it. It is called from many goroutines. Required.
	Route func(first *FirstMessage) *Host
	// Legacy makes the codec of a connection that begins as BEP 3 has it.
	// Default: such a connection is closed.
	Legacy func() Codec
	// FindKey finds the torrent that an encrypted handshake is about (package
	// mse), as mse.Server asks. It is called from many goroutines. Default:
	// such a connection is closed.
	FindKey func(req2 [20]byte) (skey [20]byte, ok bool)
	// Cipher is how such a connection may go on.
	Cipher mse.Policy
	// Timeout bounds the arrival of the first message. Default 10 s.
	Timeout time.Duration
	// MaxPending bounds the connections whose first message has not come.
	// One more closes the oldest: an honest peer speaks at once, so what has
	// been silent for longest is what to give up. Default 100.
	MaxPending int
	// MaxPerIP bounds the open connections of one address; those of loopback
	// and private addresses are not counted. Default 4.
	MaxPerIP int
	// Buffers lends memory for first messages that are large.
	Buffers *BufferPool
	// Logger hears of refused connections at Debug and of a shortage of
	// descriptors at Warn. Default: nothing.
	Logger *slog.Logger

	// scarce is descriptors.Scarce, but in tests.
	scarce func(net.Conn) bool
}

// Acceptor accepts connections, reads the first message of each and hands it to
// the host that serves what it asks for.
type Acceptor struct {
	ln  net.Listener
	cfg AcceptorConfig

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	pending []net.Conn // oldest first
	perIP   map[netip.Addr]int
	closed  bool
}

// FirstMessage is the first message of an accepted connection. Head is valid
// until Route returns.
type FirstMessage struct {
	Type p2p.Type
	Head []byte
	// Addr is the other end.
	Addr net.Addr
	// Key is the torrent that an encrypted handshake was about; nil where there
	// was none. Only the caller can tell whether the message is about it, too.
	Key *[20]byte

	conn    net.Conn // what in reads
	in      *Reader
	codec   Codec
	frame   Frame
	release func()
}

// drop gives back what the message holds.
func (f *FirstMessage) drop() {
	f.frame.releaseHead()
	f.release()
}

// NewAcceptor returns an Acceptor on ln, which becomes its own.
func NewAcceptor(ln net.Listener, cfg AcceptorConfig) *Acceptor {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.MaxPending <= 0 {
		cfg.MaxPending = 100
	}
	if cfg.MaxPerIP <= 0 {
		cfg.MaxPerIP = 4
	}
	if cfg.Buffers == nil {
		cfg.Buffers = NewBufferPool(0)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.scarce == nil {
		cfg.scarce = func(c net.Conn) bool { return descriptors.Scarce(c) }
	}
	a := &Acceptor{ln: ln, cfg: cfg, perIP: make(map[netip.Addr]int)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// Addr is the listener's address.
func (a *Acceptor) Addr() net.Addr { return a.ln.Addr() }

// Serve accepts until Close, which makes it return nil, or until the listener
// fails.
func (a *Acceptor) Serve() error {
	backoff := minBackoff
	for {
		c, err := a.ln.Accept()
		if err == nil && a.cfg.scarce(c) {
			// It goes in any case: what stayed in the reserve would be missing
			// there when what is below has room again.
			c.Close()
			err = descriptors.ErrScarce
			if n := a.dropSilent(); n > 0 {
				a.cfg.Logger.Debug("silent connections closed", "count", n, "reason", err)
				if backoff = minBackoff; !a.pause(backoff) {
					return nil
				}
				continue
			}
		}
		switch {
		case err == nil:
			backoff = minBackoff
			a.admit(c)
		case a.ctx.Err() != nil:
			return nil
		case !passing(err):
			return err
		default:
			a.cfg.Logger.Warn("cannot accept", "error", err, "retry_in", backoff)
			if !a.pause(backoff) {
				return nil
			}
			backoff = min(2*backoff, maxBackoff)
		}
	}
}

// pause waits; it is false when the Acceptor closes meanwhile.
func (a *Acceptor) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-a.ctx.Done():
		return false
	}
}

// passing reports whether an error of Accept is about one connection or about a
// shortage, and not about the listener.
func passing(err error) bool {
	for _, e := range []error{descriptors.ErrScarce, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Close closes the listener and the connections whose first message has not
// come, and waits for their goroutines. Those that have a host stay with it.
func (a *Acceptor) Close() error {
	a.cancel()
	err := a.ln.Close()
	a.mu.Lock()
	a.closed = true
	for _, c := range a.pending {
		c.Close()
	}
	a.mu.Unlock()
	a.tasks.Wait()
	return err
}
