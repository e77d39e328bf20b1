package fleet

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Config holds the rules of a Store.
type Config struct {
	// TTL is how long a host is kept after its last report.
	TTL time.Duration
	// KeepLeft is how long one is kept that completed and said goodbye.
	KeepLeft time.Duration
	// MaxHosts bounds the reports of all swarms, MaxBytes the bytes of all names and
	// labels, MaxPerHost the reports of one public address (0: no limit).
	MaxHosts, MaxBytes, MaxPerHost int
	// Rate is how many reports a second all hosts together are asked for, and
	// MinEvery and MaxEvery bound what one host is asked for.
	Rate               int
	MinEvery, MaxEvery time.Duration
}

// Default is the configuration for hosts that a swarm lists for ttl.
func Default(ttl time.Duration) Config {
	return Config{
		TTL: ttl, KeepLeft: 24 * time.Hour, MaxHosts: 60_000, MaxBytes: 32 << 20, MaxPerHost: 64,
		Rate: 1000, MinEvery: 2 * time.Second, MaxEvery: time.Minute,
	}
}

// Validate refuses a configuration that cannot work; it repairs nothing.
func (c *Config) Validate() error {
	switch {
	case c.TTL < time.Second || c.KeepLeft < 0:
		return fmt.Errorf("reports: they are kept for %v, and %v after a goodbye", c.TTL, c.KeepLeft)
	case c.MaxHosts < 1 || c.MaxBytes < 1 || c.MaxPerHost < 0:
		return fmt.Errorf("reports: at most %d, %d bytes, %d an address", c.MaxHosts, c.MaxBytes, c.MaxPerHost)
	case c.Rate < 1 || c.MinEvery < time.Second || c.MaxEvery < c.MinEvery:
		return fmt.Errorf("reports: %d a second, want at least 1, each host every %v to %v", c.Rate, c.MinEvery, c.MaxEvery)
	}
	return nil
}

// Store is the reports of all swarms. It is not safe for concurrent use.
type Store struct {
	cfg    Config
	swarms map[[20]byte]*group
	totals Totals
	text   int // bytes of names and labels
	perIP  map[netip.Addr]addrUse
}

// addrUse counts the reports of one public address, and those of them of hosts that
// have left.
type addrUse struct{ all, left int }

// Totals counts a whole store.
type Totals struct {
	// Hosts are those of which a report is kept, Done those of them that have all,
	// Left those of these that are gone.
	Hosts, Done, Left int
}

// group is the hosts of one swarm.
type group struct {
	hosts []host
	index map[netip.AddrPort]int32
	ids   map[process]int32 // the same hosts
	gone  map[name]int      // how many that have left have this name
	due   time.Duration
}

// process is a host by its own word. Who listens on both address families announces
// over both, with the same.
type process struct {
	id   [20]byte
	port uint16
}

// name is a host as people know it.
type name struct {
	ip   netip.Addr
	node string
}

// host is one host as the store keeps it.
type host struct {
	Report                // without Node, Labels and From, which are below
	also   netip.AddrPort // its address of the other family, if it has announced there
	peak   int64          // the most that Up has been
	seen   time.Duration
	node   string
	labels []Label
	from   [MaxFrom]Source
	nfrom  int
}

// New returns an empty store. The configuration must be valid.
func New(cfg Config) *Store {
	return &Store{cfg: cfg, swarms: make(map[[20]byte]*group), perIP: make(map[netip.Addr]addrUse)}
}

// SetConfig changes the rules. Who has a report keeps it, for as long as the new ones
// say. The configuration must be valid.
func (s *Store) SetConfig(cfg Config) {
	s.cfg = cfg
	for _, g := range s.swarms {
		g.due = 0 // it was reckoned by the rules before
	}
}

// Totals returns the store's current counts.
func (s *Store) Totals() Totals { return s.totals }

// Every is how long a host should wait until its next report.
func (s *Store) Every() time.Duration {
	live := s.totals.Hosts - s.totals.Left
	every := time.Duration((live+s.cfg.Rate-1)/s.cfg.Rate) * time.Second
	return max(s.cfg.MinEvery, min(every, s.cfg.MaxEvery))
}

// Why a report is not kept.
var (
	ErrFull    = errors.New("too many reports")
	ErrInvalid = errors.New("a report that cannot be")
)

// Note takes in a report that came at a time since any fixed moment. On an error the
// host keeps the report before, if there is one.
func (s *Store) Note(now time.Duration, r *Report) error {
	if !r.valid() {
		return ErrInvalid
	}
	g := s.swarms[r.Hash]
	var h *host
	if g != nil {
		if i := g.find(r.Addr, r.ID); i >= 0 {
			h = &g.hosts[i]
		}
	}
	if h == nil {
		if !s.room(r) {
			return ErrFull
		}
		if g = s.swarms[r.Hash]; g == nil { // making room may have ended it
			g = s.newGroup(now, r.Hash)
		}
		g.replaceLeft(s, r)
		h = g.add(s, r)
	} else if !h.sameText(r) && s.text-h.textSize()+textSize(r) > s.cfg.MaxBytes {
		return ErrFull
	}
	s.count(h, -1)
	if h.State == Left {
		g.unleave(s, h)
	}
	g.take(s, h, now, r)
	s.count(h, 1)
	return nil
}

// newGroup adds a swarm without hosts.
func (s *Store) newGroup(now time.Duration, hash [20]byte) *group {
	g := &group{index: make(map[netip.AddrPort]int32), ids: make(map[process]int32), gone: make(map[name]int), due: now + s.cfg.TTL}
	s.swarms[hash] = g
	return g
}

func isPublic(a netip.Addr) bool {
	return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast()
}

// settle drops a group that is empty.
func (s *Store) settle(hash [20]byte, g *group) {
	if len(g.hosts) == 0 {
		delete(s.swarms, hash)
	}
}

// count adds a host to the totals, or takes it out. A new one is not yet counted.
func (s *Store) count(h *host, by int) {
	if h.Size < 0 {
		return
	}
	s.totals.Hosts += by
	if h.complete() {
		s.totals.Done += by
	}
	if h.State == Left {
		s.totals.Left += by
	}
}
