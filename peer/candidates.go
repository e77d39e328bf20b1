package peer

import (
	"math/rand/v2"
	"slices"
	"time"

	"starling/p2p"
)

// source says who told us an address.
type source uint8

const (
	fromUser source = iota
	fromTracker
	fromPeer    // LIST
	fromInbound // it connected to us
)

// candidate is an address that we may connect to.
type candidate struct {
	addr      string
	source    source
	connected bool
	ours      bool // our own address: not to be dialed
	names     nameSet
	deaf      int // connections since it last answered that ended before a word
	failures  int
	sated     bool      // the last connection ended because both had all
	next      time.Time // not before
}

// candidates are the addresses we know, in the order in which we heard of
// them. Their number is bounded by maxCandidates: when full, the candidate with
// the most failures goes, the oldest of several.
type candidates struct {
	list []*candidate
	by   map[string]*candidate
	// wake: the earliest time at which next may have something; saves the
	// walk on every tick of a settled swarm.
	wake time.Time
}

func (cs *candidates) init() { *cs = candidates{by: map[string]*candidate{}} }

// idle counts the addresses that we are not connected to.
func (cs *candidates) idle() int {
	n := 0
	for _, c := range cs.list {
		if !c.connected && !c.ours {
			n++
		}
	}
	return n
}

// add makes an address known. One that is known already keeps its history.
func (cs *candidates) add(addr string, src source, now time.Time) { cs.addAs(addr, src, 0, now) }

// addAs makes an address known, and by which names it knows the torrent.
func (cs *candidates) addAs(addr string, src source, as nameSet, now time.Time) {
	if c := cs.by[addr]; addr == "" || c != nil {
		if c != nil {
			c.names |= as
		}
		return
	}
	if src == fromPeer && len(cs.list) >= maxCandidates/4 {
		return // peers may fill only a part of the list; a tracker is trusted more
	}
	if len(cs.list) >= maxCandidates && !cs.evict() {
		return
	}
	c := &candidate{addr: addr, source: src, names: as, next: now}
	cs.list = append(cs.list, c)
	cs.by[addr] = c
	cs.wake = time.Time{}
}

// evict drops the worst candidate; false if all are connected.
func (cs *candidates) evict() bool {
	worst := -1
	for i, c := range cs.list {
		if !c.connected && !c.ours && (worst < 0 || c.failures > cs.list[worst].failures) {
			worst = i
		}
	}
	if worst < 0 {
		return false
	}
	cs.remove(worst)
	return true
}

func (cs *candidates) remove(i int) {
	delete(cs.by, cs.list[i].addr)
	cs.list = append(cs.list[:i], cs.list[i+1:]...)
}

// forget drops an address for good: it is our own.
func (cs *candidates) forget(addr string) {
	for _, c := range cs.list {
		if c.addr == addr {
			// Kept in the list so that the tracker's next reply does
			// not bring it back, and marked so that it is not dialed.
			c.ours = true
			return
		}
	}
}

// next returns an address to dial now and marks it as taken.
func (cs *candidates) next(now time.Time) (string, bool) {
	if now.Before(cs.wake) {
		return "", false
	}
	var earliest time.Time
	for _, c := range cs.list {
		switch {
		case c.connected, c.ours:
		case !c.next.After(now):
			c.connected = true
			return c.addr, true
		case earliest.IsZero() || c.next.Before(earliest):
			earliest = c.next
		}
	}
	if earliest.IsZero() {
		earliest = now.Add(time.Hour) // nothing to wait for; add resets it
	}
	cs.wake = earliest
	return "", false
}

// due says whether there is an address to dial now.
func (cs *candidates) due(now time.Time) bool {
	return !now.Before(cs.wake) && slices.ContainsFunc(cs.list, func(c *candidate) bool {
		return !c.connected && !c.ours && !c.next.After(now)
	})
}

// connected notes that a remote with this address is connected, whoever
// dialed. One that dialed us is remembered like the others: or the tracker's
// next reply would have us dial it a second time.
func (cs *candidates) connected(addr string, now time.Time) {
	cs.add(addr, fromInbound, now)
	if c := cs.by[addr]; c != nil {
		c.connected = true
	}
}

// retries is the wait after the nth failure in a row. No more than three
// attempts fall into any minute, for an address may be a victim's that a
// malicious peer or tracker gave us.
var retries = [...]time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}

// failed notes that a connection to addr ended, or that none could be made.
// lasted says that it had served for a while, so that it counts as new.
func (cs *candidates) failed(addr string, why p2p.Reason, lasted bool, now time.Time, rng *rand.Rand) {
	c := cs.by[addr]
	if c == nil || why == p2p.ReasonSelf {
		return
	}
	c.connected = false
	if lasted {
		c.failures = 0
	}
	wait := retries[min(c.failures, len(retries)-1)]
	c.failures++
	c.sated = why == p2p.ReasonNotNeeded
	switch why {
	case p2p.ReasonNotNeeded, p2p.ReasonDuplicate, p2p.ReasonTooMany, p2p.ReasonUnknownTorrent:
		wait = max(wait, time.Minute)
	}
	// ±10 % so that a fleet that lost a host does not come back in step.
	c.next = now.Add(wait*9/10 + time.Duration(rng.Int64N(int64(wait/5))))
	cs.wake = time.Time{}
}

// needed has those dialed soon that we left, or who left us, because both had all.
func (cs *candidates) needed(now time.Time) {
	for _, c := range cs.list {
		if c.sated && !c.connected {
			c.sated, c.next = false, now
			cs.wake = time.Time{}
		}
	}
}

// Ban bounds: two corrupt pieces in strikeWindow bring a ban.
const (
	maxBans      = 10_000
	strikeWindow = 10 * time.Minute
	banFor       = time.Hour
	strikesToBan = 2
)

// ban is what we hold against a peer id or an address.
type ban struct {
	strikes int
	since   time.Time // of the first strike
	until   time.Time // banned until; zero if not banned
}

// bans remembers who sent corrupt pieces, by address and by peer id: an id
// costs nothing to change, and an address may be shared. The number of entries
// is bounded; when full, the oldest goes.
type bans struct {
	by    map[string]*ban
	order []string
}

func (b *bans) get(key string) *ban {
	if v := b.by[key]; v != nil {
		return v
	}
	if b.by == nil {
		b.by = map[string]*ban{}
	}
	if len(b.order) >= maxBans {
		delete(b.by, b.order[0])
		b.order = b.order[1:]
	}
	v := &ban{}
	b.by[key] = v
	b.order = append(b.order, key)
	return v
}

// strike counts a corrupt piece against a peer and says whether it is banned.
func (b *bans) strike(now time.Time, addr string, id [20]byte) bool {
	banned := false
	for _, key := range [...]string{addr, string(id[:])} {
		v := b.get(key)
		if now.Sub(v.since) > strikeWindow {
			v.strikes, v.since = 0, now
		}
		v.strikes++
		if v.strikes >= strikesToBan {
			v.until = now.Add(banFor)
			banned = true
		}
	}
	return banned
}

// struckUntil is until when a peer has a strike against it.
func (b *bans) struckUntil(addr string, id [20]byte) (until time.Time) {
	for _, key := range [...]string{addr, string(id[:])} {
		if v := b.by[key]; v != nil && v.since.Add(strikeWindow).After(until) {
			until = v.since.Add(strikeWindow)
		}
	}
	return until
}

func (b *bans) hasAddr(now time.Time, addr string) bool {
	v := b.by[addr]
	return v != nil && now.Before(v.until)
}

func (b *bans) has(now time.Time, addr string, id [20]byte) bool {
	return b.hasAddr(now, addr) || b.hasAddr(now, string(id[:]))
}
