package swarm

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// Tokens of the limit per peer: a peer may announce burst times at once and then
// once a second, which is far more than any interval asks for.
const burst = 5

// Store is a number of swarms under one Config. It is not safe for concurrent
// use.
type Store struct {
	cfg    Config
	ttls   ttls
	swarms map[InfoHash]*swarm
	queue  queue
	clock  uint32
	totals Totals
}

// Totals counts a whole store.
type Totals struct {
	Swarms, Seeders, Leechers int
	Seedless                  int // swarms in which some want more and nobody has all
}

// swarm is the peers of one infohash.
type swarm struct {
	hash       InfoHash
	v4         set[addr4]
	v6         set[addr6]
	downloaded uint32
	joined     uint32 // seconds: when the last new peer came
	due        uint32 // seconds: when to look for expired peers; its key in the queue
	place      int    // in the queue
	idle       bool   // queued for the end of EmptyTTL, not for a peer
	registered bool   // stays, whether it has peers or not
}

// New returns an empty store. The configuration must be valid.
func New(cfg Config) *Store {
	return &Store{cfg: cfg, ttls: cfg.ttls(), swarms: make(map[InfoHash]*swarm)}
}

// Totals returns the store's current counts.
func (s *Store) Totals() Totals {
	s.totals.Swarms = len(s.swarms)
	return s.totals
}

// Register makes an infohash known and keeps it, with or without peers. It
// returns ErrFull if there are Config.MaxSwarms swarms.
func (s *Store) Register(h InfoHash) error {
	w, err := s.ensure(h)
	if err != nil {
		return err
	}
	w.registered = true
	return nil
}

// Unregister undoes Register. The swarm's peers stay until they expire.
func (s *Store) Unregister(h InfoHash) {
	if w := s.swarms[h]; w != nil {
		w.registered = false
		s.settle(w)
	}
}

// Scrape returns the counts of a swarm, and whether the store has it.
func (s *Store) Scrape(h InfoHash) (Counts, bool) {
	w := s.swarms[h]
	if w == nil {
		return Counts{}, false
	}
	return w.counts(), true
}

// Announce answers q into r and notes the announcer. now is the time since any
// fixed moment; it should not go back, and where it does it stands still. The
// peers are chosen before the announcer is listed, the counts include it. On an
// error, one of ErrUnregistered, ErrTooOften and ErrFull, nothing has changed and
// only r's intervals are set.
func (s *Store) Announce(rng *rand.Rand, now time.Duration, q *Request, r *Response) error {
	r.reset()
	s.advance(now)
	if q.Addr.Addr().Is4In6() {
		q.Addr = netip.AddrPortFrom(q.Addr.Addr().Unmap(), q.Addr.Port())
	}
	w := s.swarms[q.InfoHash]
	s.setIntervals(rng, w, q, r)
	switch {
	case w != nil && (w.registered || s.cfg.Open):
	case !s.cfg.Open:
		return ErrUnregistered
	case q.Event == Stopped:
		return nil
	case q.NoJoin:
		return ErrFull
	default:
		var err error
		if w, err = s.ensure(q.InfoHash); err != nil {
			return err
		}
	}
	before := w.counts()
	var err error
	if q.Addr.Addr().Is4() {
		err = announce(s, w, &w.v4, addr4Of(q.Addr), rng, q, r)
	} else {
		err = announce(s, w, &w.v6, addr6Of(q.Addr), rng, q, r)
	}
	s.recount(before, w.counts())
	r.Counts = w.counts()
	s.settle(w)
	return err
}

// announce is Announce for one family.
func announce[A address](s *Store, w *swarm, set *set[A], a A, rng *rand.Rand, q *Request, r *Response) error {
	i := set.find(a)
	if q.Event == Stopped {
		if i != none && set.peers[i].id == q.PeerID {
			drop(set, i)
		}
		return nil
	}
	var p peer[A]
	if i == none {
		if q.NoJoin {
			return ErrFull
		}
		p = peer[A]{addr: a, tokens: burst, seen: s.clock}
	} else {
		p = set.peers[i]
	}
	if !p.spend(s.clock) {
		return ErrTooOften
	}
	was := p.flags
	p.update(q)
	p.classify(&s.cfg)
	w.pick(rng, q, r, s.want(q), p.flags&flagSated != 0, i)
	switch {
	case i == none:
		r.Unlisted = !join(s, w, set, &p, q)
		if r.Unlisted {
			return nil
		}
	case was&flagSated == p.flags&flagSated:
		set.replace(i, p)
	default:
		set.remove(i)
		set.insert(p)
	}
	if q.Event == Completed && q.Left == 0 && was&flagCounted == 0 && !w.counted(q) {
		w.downloaded++
	}
	return nil
}

// join lists a new peer, unless its host has too many here already.
func join[A address](s *Store, w *swarm, set *set[A], p *peer[A], q *Request) bool {
	limit := s.cfg.MaxPerHost
	if q.Addr.Addr().Is6() {
		limit = s.cfg.MaxPerNet6
	}
	if limit > 0 && isPublic(q.Addr.Addr()) {
		if !set.occupy(hostOf(&p.addr), limit) {
			return false
		}
		p.flags |= flagPublic
	}
	w.joined = s.clock
	set.insert(*p)
	return true
}

// drop takes out the peer at i for good.
func drop[A address](set *set[A], i int32) {
	if p := set.remove(i); p.flags&flagPublic != 0 {
		set.vacate(hostOf(&p.addr))
	}
}

func isPublic(a netip.Addr) bool {
	return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast()
}

// spend takes a token for an announce now, if there is one.
func (p *peer[A]) spend(now uint32) bool {
	tokens := min(uint32(p.tokens)+(now-p.seen), burst)
	if tokens == 0 {
		return false
	}
	p.tokens, p.seen = uint8(tokens-1), now
	return true
}

// update notes what the announcer says of itself.
func (p *peer[A]) update(q *Request) {
	p.id = q.PeerID
	p.flags &^= flagSated | flagSeed
	switch {
	case q.Left == 0:
		p.flags |= flagSated | flagSeed | flagCounted
	case q.Event == Paused:
		p.flags |= flagSated
	}
}

// classify sets the class that follows from the peer's id.
func (p *peer[A]) classify(cfg *Config) {
	p.flags &^= flagLax
	if string(p.id[:len(cfg.Prompt)]) != cfg.Prompt {
		p.flags |= flagLax
	}
}
