package tracker

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"starling/metainfo"
	"starling/tracker/fleet"
	"starling/tracker/swarm"
)

// reports is what the hosts say of themselves, and views of it that are made at most
// once a second. It is safe for concurrent use.
type reports struct {
	every atomic.Int64 // seconds that a host is told to wait until its next report

	mu    sync.Mutex // a leaf
	store *fleet.Store
	room  reporting

	viewMu sync.Mutex // taken before mu, a shard's or the torrents' lock, never after
	views  map[swarm.InfoHash]seenView
	list   []fleet.SwarmInfo
	listed time.Duration
}

// seenView is a view and when it was made.
type seenView struct {
	*fleet.View
	at time.Duration
}

// Ages at which views are made anew, and how many are kept.
const (
	viewAge  = 900 * time.Millisecond // less than from one tick of events to the next
	listAge  = 2 * time.Second
	maxViews = 64
	// maxOthers bounds the peers of one view that report nothing, and the swarms in
	// the list that have neither a report nor a torrent file.
	maxOthers = 10_000
	// reportTTL is how long a host is kept after its last report, unless it is listed
	// for less: they come each minute at least.
	reportTTL = 150 * time.Second
	// ageEvery is how often the oldest report is looked for: it takes a walk over all.
	ageEvery = 5 * time.Second
)

// newReports returns an empty one for a tracker of these rules.
func newReports(rules *swarm.Config) *reports {
	r := &reports{store: fleet.New(fleetConfig(rules)), views: make(map[swarm.InfoHash]seenView), listed: -listAge}
	r.every.Store(int64(r.store.Every() / time.Second))
	return r
}

// fleetConfig is what a tracker's rules mean for the reports.
func fleetConfig(rules *swarm.Config) fleet.Config {
	cfg := fleet.Default(min(rules.TTL, reportTTL))
	if rules.MaxPerHost == 0 {
		cfg.MaxPerHost = 0
	}
	return cfg
}

// setRules changes the rules of a tracker that serves.
func (r *reports) setRules(rules *swarm.Config) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.store.SetConfig(fleetConfig(rules))
}

// appendSnapshot appends the hosts that have all to b.
func (r *reports) appendSnapshot(b []byte, now time.Duration) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store.AppendSnapshot(b, now)
}

// restore takes in what appendSnapshot gave so long ago; see fleet.Store.
func (r *reports) restore(now time.Duration, b []byte, away time.Duration, present bool) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store.Restore(now, b, away, present)
}

// note takes in the report of an announce that was answered.
func (r *reports) note(now time.Duration, q *query, hash swarm.InfoHash) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if q.told.sized {
		told := r.room.report(q)
		told.Hash = hash
		err = r.store.Note(now, told)
	}
	if q.Event == swarm.Stopped {
		r.store.Leave(now, hash, q.Addr, q.PeerID)
	}
	return err
}

// housekeep is what is due each second.
func (r *reports) housekeep(now time.Duration, m *fleetMetrics) {
	r.mu.Lock()
	r.store.Expire(now)
	r.every.Store(int64(r.store.Every() / time.Second))
	totals, oldest := r.store.Totals(), time.Duration(-1)
	if now/time.Second%(ageEvery/time.Second) == 0 {
		oldest = r.store.OldestReport(now)
	}
	r.mu.Unlock()
	m.set(totals, oldest)
}

// viewOf is a swarm's hosts, at most viewAge old. ok is false for a swarm of which
// nothing is known.
func (s *Server) viewOf(hash swarm.InfoHash) (v *fleet.View, ok bool) {
	r := s.reports
	r.viewMu.Lock()
	defer r.viewMu.Unlock()
	now := s.shards.now()
	if seen, ok := r.views[hash]; ok && now-seen.at < viewAge {
		return seen.View, true
	}
	names := s.torrents.namesOf(hash)
	known := names.served
	r.mu.Lock()
	v = r.store.View(now, hash)
	r.mu.Unlock()
	for _, h := range names.hashes {
		var peers []fleet.Peer
		_, listed := s.shards.scrape(h)
		known = known || listed
		for _, p := range s.shards.listed(now, h, maxOthers) {
			peers = append(peers, fleet.Peer{Addr: p.Addr, ID: p.ID, Seed: p.Seed, SeenS: int64(p.Silent / time.Second)})
		}
		v.Add(peers)
	}
	v.Seal()
	if !known && v.Len() == 0 {
		return nil, false
	}
	if len(r.views) >= maxViews {
		clear(r.views)
	}
	r.views[hash] = seenView{v, now}
	return v, true
}

// listed copies out at most so many of a swarm's peers.
func (s *shards) listed(now time.Duration, h swarm.InfoHash, most int) []swarm.Listed {
	sh := s.of(&h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.store.AppendPeers(nil, now, h, most)
}

// line is the line of one swarm in the list.
func (s *Server) line(n *names, hash swarm.InfoHash) fleet.SwarmInfo {
	c := s.countsOf(n)
	s.reports.mu.Lock()
	info := s.reports.store.Summary(hash, c.Complete, c.Incomplete)
	s.reports.mu.Unlock()
	return s.swarmInfo(n, hash, info)
}

// swarmInfo adds what a swarm is called, and who is listed, to what its hosts say.
func (s *Server) swarmInfo(n *names, hash swarm.InfoHash, info fleet.SwarmInfo) fleet.SwarmInfo {
	info.InfoHash, info.Name, info.Title = metainfo.Hash(hash).String(), n.name, n.title
	if n.served {
		info.Size = n.size
	}
	c := s.countsOf(n)
	info.Seeders, info.Leechers = c.Complete, c.Incomplete
	return info
}

// countsOf is who is listed: most peers of a hybrid are in both of its swarms.
func (s *Server) countsOf(n *names) (c swarm.Counts) {
	for _, h := range n.hashes {
		one, _ := s.shards.scrape(h)
		c.Complete, c.Incomplete = max(c.Complete, one.Complete), max(c.Incomplete, one.Incomplete)
	}
	return c
}

// swarmList is the line of every swarm, by name and then by infohash, at most listAge
// old. It must not be changed.
func (s *Server) swarmList() []fleet.SwarmInfo {
	r := s.reports
	r.viewMu.Lock()
	defer r.viewMu.Unlock()
	now := s.shards.now()
	if now-r.listed < listAge {
		return r.list
	}
	all := s.torrents.allNames()
	r.mu.Lock()
	hashes := r.store.Hashes()
	r.mu.Unlock()
	for _, h := range append(hashes, s.shards.hashes(maxOthers)...) {
		if _, ok := all[h]; !ok && s.torrents.primary(h) == h {
			all[h] = names{hashes: []metainfo.Hash{h}}
		}
	}
	list := make([]fleet.SwarmInfo, 0, len(all))
	for h, n := range all {
		list = append(list, s.line(&n, h))
	}
	slices.SortFunc(list, func(a, b fleet.SwarmInfo) int {
		if (a.Name == "") != (b.Name == "") {
			return strings.Compare(b.Name, a.Name) // those without a name come last
		}
		return cmp.Or(fleet.CompareNames(a.Name, b.Name), strings.Compare(a.InfoHash, b.InfoHash))
	})
	r.list, r.listed = list, s.shards.now()
	return list
}

// hashes are at most so many swarms.
func (s *shards) hashes(most int) (out []swarm.InfoHash) {
	for i := range s.all {
		sh := &s.all[i]
		sh.mu.Lock()
		out = sh.store.AppendHashes(out, most-len(out))
		sh.mu.Unlock()
	}
	return out
}
