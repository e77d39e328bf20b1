package swarm

import "net/netip"

// addr4 and addr6 are an address and a port as they go into a compact reply.
type (
	addr4 [6]byte
	addr6 [18]byte
)

type address interface{ addr4 | addr6 }

func addr4Of(ap netip.AddrPort) (a addr4) {
	ip := ap.Addr().As4()
	copy(a[:], ip[:])
	a[4], a[5] = byte(ap.Port()>>8), byte(ap.Port())
	return a
}

func addr6Of(ap netip.AddrPort) (a addr6) {
	ip := ap.Addr().As16()
	copy(a[:], ip[:])
	a[16], a[17] = byte(ap.Port()>>8), byte(ap.Port())
	return a
}

// appendAddr appends the bytes of an address. The language cannot slice an A; the
// switch is resolved by one comparison and copies nothing.
func appendAddr[A address](b []byte, a *A) []byte {
	switch a := any(a).(type) {
	case *addr4:
		return append(b, a[:]...)
	case *addr6:
		return append(b, a[:]...)
	}
	return b
}

// Flags of a peer.
const (
	flagSated   = 1 << iota // wants nothing more: in the second part of the slice
	flagSeed                // has everything; implies flagSated
	flagCounted             // was complete once: no "completed" of it counts again
	flagPublic              // counts towards its host's limit
	flagLax                 // does not keep our interval: in the second order by time
)

// peer is one member of a swarm: 44 bytes for IPv4, 56 for IPv6, no pointers.
type peer[A address] struct {
	id         [20]byte
	addr       A
	flags      uint8
	tokens     uint8  // announces it may make at once, as of seen
	seen       uint32 // seconds: its last announce
	prev, next int32  // neighbours in its order by time; none is the end
}

// The classes of peers: those that keep the interval that they are told, and the
// others. Each class is listed for a time of its own.
const (
	prompt = iota
	lax
	numClasses
)

func (p *peer[A]) class() int {
	if p.flags&flagLax != 0 {
		return lax
	}
	return prompt
}

// order is the ends of one class's peers by seen; both are none without peers.
type order struct{ oldest, newest int32 }

// none is no position.
const none = int32(-1)

// set is the peers of one swarm and one family.
//
// Invariant: peers[:wanting] lack flagSated and peers[wanting:] have it; index
// holds exactly the position of every peer; the links from oldest to newest of a
// class visit every peer of that class once, seen never falling; seeds is the
// number with flagSeed.
type set[A address] struct {
	peers   []peer[A]
	index   map[A]int32
	hosts   map[uint64]int32 // public peers by limited host; nil if none
	wanting int
	seeds   int
	orders  [numClasses]order
}

func newSet[A address]() (s set[A]) {
	for c := range s.orders {
		s.orders[c] = order{none, none}
	}
	return s
}

// find returns a's position, or none.
func (s *set[A]) find(a A) int32 {
	if i, ok := s.index[a]; ok {
		return i
	}
	return none
}

// insert adds a peer as the newest. Its address must not be there yet.
func (s *set[A]) insert(p peer[A]) {
	if s.index == nil {
		s.index = make(map[A]int32)
	}
	s.grow()
	i := int32(len(s.peers))
	s.peers = s.peers[:i+1]
	if p.flags&flagSated == 0 {
		// The first sated peer makes room at the border.
		if border := int32(s.wanting); border != i {
			s.move(border, i)
			i = border
		}
		s.wanting++
	}
	if p.flags&flagSeed != 0 {
		s.seeds++
	}
	s.peers[i] = p
	s.index[p.addr] = i
	s.link(i)
}

// remove takes out the peer at i and returns it. Other positions change.
func (s *set[A]) remove(i int32) peer[A] {
	p := s.peers[i]
	s.unlink(i)
	delete(s.index, p.addr)
	if p.flags&flagSeed != 0 {
		s.seeds--
	}
	if p.flags&flagSated == 0 {
		s.wanting--
		if border := int32(s.wanting); border != i {
			s.move(border, i)
			i = border
		}
	}
	if last := int32(len(s.peers) - 1); last != i {
		s.move(last, i)
	}
	s.peers = s.peers[:len(s.peers)-1]
	s.shrink()
	return p
}

// move puts the peer at from into the free place to.
func (s *set[A]) move(from, to int32) {
	s.peers[to] = s.peers[from]
	p := &s.peers[to]
	s.index[p.addr] = to
	if p.prev == none {
		s.orders[p.class()].oldest = to
	} else {
		s.peers[p.prev].next = to
	}
	if p.next == none {
		s.orders[p.class()].newest = to
	} else {
		s.peers[p.next].prev = to
	}
}

// link makes the peer at i the newest of its class.
func (s *set[A]) link(i int32) {
	p := &s.peers[i]
	o := &s.orders[p.class()]
	p.prev, p.next = o.newest, none
	if o.newest == none {
		o.oldest = i
	} else {
		s.peers[o.newest].next = i
	}
	o.newest = i
}

// unlink takes the peer at i out of its order by time.
func (s *set[A]) unlink(i int32) {
	p := &s.peers[i]
	o := &s.orders[p.class()]
	if p.prev == none {
		o.oldest = p.next
	} else {
		s.peers[p.prev].next = p.next
	}
	if p.next == none {
		o.newest = p.prev
	} else {
		s.peers[p.next].prev = p.prev
	}
}

// replace puts p, of the same address and the same part, at i as the newest of its
// class, which may be another than before.
func (s *set[A]) replace(i int32, p peer[A]) {
	s.seeds += int(p.flags&flagSeed/flagSeed) - int(s.peers[i].flags&flagSeed/flagSeed)
	s.unlink(i)
	s.peers[i] = p
	s.link(i)
}

// grow makes room for one more. It grows by a quarter, not by half or more as
// append does: with a million peers the slack is the larger part of the bill.
func (s *set[A]) grow() {
	if len(s.peers) == cap(s.peers) {
		s.resize(cap(s.peers) + cap(s.peers)/4 + 4)
	}
}

// shrink gives memory back when most of it is unused, so that a swarm's peak does
// not stay forever. The index is made anew because a map never shrinks.
func (s *set[A]) shrink() {
	n := len(s.peers)
	if cap(s.peers) < 32 || n > cap(s.peers)/4 {
		return
	}
	s.resize(n + n/4 + 4)
	s.index = make(map[A]int32, n)
	for i := range s.peers {
		s.index[s.peers[i].addr] = int32(i)
	}
}

func (s *set[A]) resize(n int) {
	peers := make([]peer[A], len(s.peers), n)
	copy(peers, s.peers)
	s.peers = peers
}

// occupy counts one more public peer of host, or says that max are there.
func (s *set[A]) occupy(host uint64, max int) bool {
	if int(s.hosts[host]) >= max {
		return false
	}
	if s.hosts == nil {
		s.hosts = make(map[uint64]int32)
	}
	s.hosts[host]++
	return true
}

// vacate undoes occupy.
func (s *set[A]) vacate(host uint64) {
	if s.hosts[host]--; s.hosts[host] <= 0 {
		delete(s.hosts, host)
	}
	if len(s.hosts) == 0 {
		s.hosts = nil
	}
}

// hostOf is what the limit per host counts: an IPv4 address, or an IPv6 /64.
func hostOf[A address](a *A) uint64 {
	n := 8
	if len(*a) == 6 {
		n = 4
	}
	var h uint64
	for i := range n {
		h = h<<8 | uint64((*a)[i])
	}
	return h
}
