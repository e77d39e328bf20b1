package tracker

import (
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"starling/tracker/swarm"
)

// shards spreads the swarms over stores that are locked apart. A lock is held for
// one request to one store and nothing is called under it that takes another.
type shards struct {
	seed     maphash.Seed
	started  time.Time
	maxPeers int64
	peers    atomic.Int64
	all      []shard
}

type shard struct {
	mu    sync.Mutex
	store *swarm.Store
	rng   *rand.Rand
	_     [64]byte // neighbours' locks on cache lines of their own
}

func newShards(cfg *Config) *shards {
	s := &shards{
		seed: maphash.MakeSeed(), started: time.Now(),
		maxPeers: int64(cfg.MaxPeers), all: make([]shard, cfg.Shards),
	}
	rules := cfg.Swarm
	if rules.MaxSwarms > 0 {
		rules.MaxSwarms = (rules.MaxSwarms + cfg.Shards - 1) / cfg.Shards
	}
	for i := range s.all {
		s.all[i].store = swarm.New(rules)
		s.all[i].rng = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return s
}

// of is the shard of h. The hash is seeded, so that nobody can choose infohashes
// that all fall into one shard.
func (s *shards) of(h *swarm.InfoHash) *shard {
	return &s.all[maphash.Bytes(s.seed, h[:])%uint64(len(s.all))]
}

// now is monotonic: a jump of the wall clock expires nobody.
func (s *shards) now() time.Duration { return time.Since(s.started) }

func (s *shards) announce(now time.Duration, q *swarm.Request, r *swarm.Response) error {
	q.NoJoin = s.full()
	sh := s.of(&q.InfoHash)
	sh.mu.Lock()
	before := sh.peers()
	err := sh.store.Announce(sh.rng, now, q, r)
	after := sh.peers()
	sh.mu.Unlock()
	s.count(before, after)
	return err
}

func (s *shards) full() bool { return s.maxPeers > 0 && s.peers.Load() >= s.maxPeers }

// count adds a change of one shard to the total. Most announces change nothing,
// and then the total's cache line is only read.
func (s *shards) count(before, after int) {
	if before != after {
		s.peers.Add(int64(after - before))
	}
}

// peers needs mu.
func (sh *shard) peers() int {
	t := sh.store.Totals()
	return t.Seeders + t.Leechers
}

func (s *shards) scrape(h swarm.InfoHash) (swarm.Counts, bool) {
	sh := s.of(&h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.store.Scrape(h)
}

func (s *shards) register(h swarm.InfoHash) error {
	sh := s.of(&h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.store.Register(h)
}

func (s *shards) unregister(h swarm.InfoHash) {
	sh := s.of(&h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.store.Unregister(h)
}

// expire forgets who has not announced for too long.
func (s *shards) expire() {
	now := s.now()
	for i := range s.all {
		sh := &s.all[i]
		sh.mu.Lock()
		before := sh.peers()
		sh.store.Expire(now)
		after := sh.peers()
		sh.mu.Unlock()
		s.count(before, after)
	}
}

func (s *shards) totals() (sum swarm.Totals) {
	for i := range s.all {
		sh := &s.all[i]
		sh.mu.Lock()
		t := sh.store.Totals()
		sh.mu.Unlock()
		sum.Swarms += t.Swarms
		sum.Seeders += t.Seeders
		sum.Leechers += t.Leechers
		sum.Seedless += t.Seedless
	}
	return sum
}

// appendSnapshot appends the swarms of shard i to b.
func (s *shards) appendSnapshot(i int, b []byte) []byte {
	sh := &s.all[i]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.store.AppendSnapshot(b)
}

// restore takes in one record of a snapshot, with its peers or without.
func (s *shards) restore(h swarm.InfoHash, record []byte, withPeers bool) (int, error) {
	sh := s.of(&h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n, err := sh.store.Restore(s.now(), record, withPeers)
	s.peers.Add(int64(n))
	return n, err
}
