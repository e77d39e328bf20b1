package tracker

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"starling/tracker/swarm"
)

// maxTargets bounds the targets of service discovery. A new one above it is left
// out until others have expired.
const maxTargets = 20_000

// maxTargetsPerHost bounds them for one address, so that one host cannot take all
// the room or send Prometheus to all of its own ports.
const maxTargetsPerHost = 64

// maxListings bounds the torrents that a target is known to have. All above it are
// one, which no stop takes away: it goes when none of them has announced for the TTL.
const maxListings = 64

// discovery knows the metrics endpoints of the peers that told one. The address is
// the announce's own; only the port and the labels are the peer's word. A process
// with many torrents is one target, for as long as it has one that it did not stop.
type discovery struct {
	ttl     time.Duration
	mu      sync.Mutex // a leaf
	targets map[netip.AddrPort]*target
	hosts   map[netip.Addr]int
}

type target struct {
	id       [20]byte  // of the peer
	node     string    // percent-encoded, as received
	labels   []string  // names and values in turn; never changed in place, for snapshot shares it
	torrents []listing // never empty, in no order
}

// listing is a torrent of a target.
type listing struct {
	hash   swarm.InfoHash
	seen   time.Duration
	seeder bool
}

func newDiscovery(ttl time.Duration) *discovery {
	return &discovery{ttl: ttl, targets: make(map[netip.AddrPort]*target), hosts: make(map[netip.Addr]int)}
}

// note takes in an announce with a metrics port. In the usual case, a known target
// whose words have not changed, it allocates nothing.
func (d *discovery) note(now time.Duration, q *query) {
	at := netip.AddrPortFrom(q.Addr.Addr(), q.metricsPort)
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.targets[at]
	switch {
	case q.Event == swarm.Stopped:
		// Of a process that has had the port before it says nothing of this one.
		if t != nil && t.id == q.PeerID && t.stop(q.InfoHash) {
			d.drop(at)
		}
		return
	case t == nil && (len(d.targets) >= maxTargets || d.hosts[at.Addr()] >= maxTargetsPerHost):
		return
	case t == nil:
		t = &target{id: q.PeerID}
		d.targets[at] = t
		d.hosts[at.Addr()]++
	case t.id != q.PeerID:
		t.id, t.torrents = q.PeerID, t.torrents[:0]
	}
	t.list(listing{q.InfoHash, now, q.Left == 0})
	t.takeText(q)
}

// list takes in that a torrent was announced.
func (t *target) list(l listing) {
	i := t.find(l.hash)
	if i < 0 && len(t.torrents) < maxListings {
		t.torrents = append(t.torrents, l)
		return
	}
	if i < 0 {
		l.hash = swarm.InfoHash{} // of all that there is no room for
		if i = t.find(l.hash); i < 0 {
			i = maxListings - 1
		}
	}
	t.torrents[i] = l
}

func (t *target) find(hash swarm.InfoHash) int {
	return slices.IndexFunc(t.torrents, func(l listing) bool { return l.hash == hash })
}

// stop takes in that a torrent was stopped, and returns whether none is left.
func (t *target) stop(hash swarm.InfoHash) bool {
	t.torrents = slices.DeleteFunc(t.torrents, func(l listing) bool { return l.hash == hash })
	return len(t.torrents) == 0
}

// seeder says whether a target has all of all its torrents.
func (t *target) seeder() bool {
	return !slices.ContainsFunc(t.torrents, func(l listing) bool { return !l.seeder })
}

// takeText keeps what an announce calls its host.
func (t *target) takeText(q *query) {
	if t.node != string(q.node) {
		t.node = string(q.node)
	}
	same := len(t.labels) == 2*q.numLabels
	for i := 0; same && i < q.numLabels; i++ {
		same = t.labels[2*i] == string(q.labels[i].name) && t.labels[2*i+1] == string(q.labels[i].value)
	}
	if same {
		return
	}
	t.labels = make([]string, 0, 2*q.numLabels)
	for _, l := range q.labels[:q.numLabels] {
		t.labels = append(t.labels, string(l.name), string(l.value))
	}
}

// drop needs mu.
func (d *discovery) drop(at netip.AddrPort) {
	delete(d.targets, at)
	if d.hosts[at.Addr()]--; d.hosts[at.Addr()] <= 0 {
		delete(d.hosts, at.Addr())
	}
}

// expire forgets the torrents that were not announced for the TTL, and who has none left.
func (d *discovery) expire(now time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at, t := range d.targets {
		t.torrents = slices.DeleteFunc(t.torrents, func(l listing) bool { return now-l.seen >= d.ttl })
		if len(t.torrents) == 0 {
			d.drop(at)
		}
	}
}
