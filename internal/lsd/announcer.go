package lsd

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"starling/metainfo"
)

// MaxTorrents is how many torrents an Announcer takes. It announces them all once
// in about three hours.
const MaxTorrents = 4096

// rescan is the time between two looks at the interfaces.
const rescan = time.Minute

// Config says what an Announcer does.
type Config struct {
	// Port is the TCP port at which all torrents are served.
	Port uint16
	// Found is called for each torrent of ours that somebody announces, and
	// where that somebody listens. IPv6 link-local addresses have a zone. It is
	// called from several goroutines and must return soon; it may call Add and
	// Remove.
	Found func(hash metainfo.Hash, addr netip.AddrPort)
	// Interfaces returns the interfaces to use, of which the first 16 are. nil
	// stands for the function Interfaces.
	Interfaces func() ([]Interface, error)
	// Log hears about links and what was found; nil is silence.
	Log *slog.Logger

	open func(*link) (conn, error) // nil: open
}

// Announcer announces torrents in the local network and hears of others'. Its
// methods may be called from any goroutine.
type Announcer struct {
	cfg    Config
	cookie string
	wake   chan struct{} // has one when the schedule has changed

	mu     sync.Mutex
	sched  schedule
	limits limits
	links  []*link // that have a conn
}

// New returns an Announcer without torrents, which says and hears nothing before
// Run. It fails where Port or Found is missing.
func New(cfg Config) (*Announcer, error) {
	if cfg.Port == 0 {
		return nil, errors.New("lsd: no port to announce")
	}
	if cfg.Found == nil {
		return nil, errors.New("lsd: no function Found")
	}
	if cfg.Interfaces == nil {
		cfg.Interfaces = Interfaces
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.open == nil {
		cfg.open = open
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	// The cookie is random, so the wait that is taken from it is too.
	wait := time.Second + time.Duration(binary.BigEndian.Uint64(random[:])%1000)*time.Millisecond
	return &Announcer{
		cfg: cfg, cookie: hex.EncodeToString(random[:]), wake: make(chan struct{}, 1),
		sched: schedule{gather: wait},
	}, nil
}

// Add begins to announce a torrent, which must not be private. One that is there
// already stays. It fails where there are MaxTorrents.
func (a *Announcer) Add(h metainfo.Hash) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sched.has(h) {
		return nil
	}
	if a.sched.len() >= MaxTorrents {
		return fmt.Errorf("lsd: more than %d torrents", MaxTorrents)
	}
	a.sched.add(time.Now(), h)
	a.nudge()
	return nil
}

// Remove ends the announces of a torrent, and Found for it but for a call that is
// under way.
func (a *Announcer) Remove(h metainfo.Hash) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sched.remove(h)
}

// nudge has Run look at the schedule.
func (a *Announcer) nudge() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run announces and listens until ctx ends, and returns when all it began has
// ended. A link that fails is tried again at the next look at the interfaces. Call
// it once.
func (a *Announcer) Run(ctx context.Context) {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer a.closeAll()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var scan time.Time
	for {
		now := time.Now()
		if !now.Before(scan) {
			a.scan(now, &readers)
			scan = now.Add(rescan)
		}
		next := scan
		if due, ok := a.announce(now); ok && due.Before(next) {
			next = due
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		case <-timer.C:
		}
	}
}

// announce sends a packet to each link if one is due, and returns when the next
// one is.
func (a *Announcer) announce(now time.Time) (time.Time, bool) {
	a.mu.Lock()
	due, ok := a.sched.due()
	if !ok || due.After(now) {
		a.mu.Unlock()
		return due, ok
	}
	m := Message{Port: a.cfg.Port, Hashes: a.sched.take(now), Cookie: a.cookie}
	links := slices.Clone(a.links)
	due, ok = a.sched.due()
	a.mu.Unlock()
	for _, l := range links {
		if _, err := l.conn.WriteToUDPAddrPort(m.Append(nil, l.group.String()), l.group); err != nil {
			a.cfg.Log.Debug("local announce not sent", "interface", l.name, "group", l.group, "error", err)
		}
	}
	return due, ok
}

// receive takes a packet that came over a link.
func (a *Announcer) receive(l *link, packet []byte, from netip.Addr) {
	from = from.Unmap()
	if !l.local(from) {
		return
	}
	a.mu.Lock()
	ok := a.limits.allow(time.Now(), from)
	a.mu.Unlock()
	if !ok {
		return
	}
	m, err := Parse(packet)
	if err != nil {
		a.cfg.Log.Debug("local announce not understood", "interface", l.name, "from", from, "error", err)
		return
	}
	if m.Cookie == a.cookie {
		return
	}
	a.mu.Lock()
	ours := slices.DeleteFunc(m.Hashes, func(h metainfo.Hash) bool { return !a.sched.has(h) })
	a.mu.Unlock()
	addr := netip.AddrPortFrom(from, m.Port)
	for _, h := range ours {
		a.cfg.Log.Debug("local peer", "interface", l.name, "addr", addr, "infohash", h)
		a.cfg.Found(h, addr)
	}
}
