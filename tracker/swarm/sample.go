package swarm

import (
	"math/rand/v2"
	"slices"
)

// walk visits k of the positions [0, n), one of them (self) left out, in O(k) and
// without memory: a random start and a random stride coprime to the number of
// positions, so that no position comes twice. Every position is equally likely to
// be visited, and the strides keep two neighbours from travelling together.
type walk struct {
	at, stride, n uint32
	k             int
	self          int32
}

func newWalk(rng *rand.Rand, n, k int, self int32) walk {
	if self >= 0 && int(self) < n {
		n--
	} else {
		self = int32(n)
	}
	w := walk{n: uint32(n), k: min(k, n), self: self}
	if w.k <= 0 {
		return w
	}
	r := rng.Uint64()
	w.at = uint32(uint64(uint32(r)) * uint64(n) >> 32)
	w.stride = 1 + uint32(r>>32)%uint32(max(n-1, 1))
	// Coprime strides are common (one in 1.6 on average), so this ends soon.
	for gcd(w.stride, w.n) != 1 {
		w.stride = w.stride%(w.n-1) + 1
	}
	return w
}

// next returns the next position, or none.
func (w *walk) next() int32 {
	if w.k == 0 {
		return none
	}
	w.k--
	i := int32(w.at)
	if w.at += w.stride; w.at >= w.n {
		w.at -= w.n
	}
	if i >= w.self {
		i++
	}
	return i
}

func gcd(a, b uint32) uint32 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// spare is how many positions more than wanted are visited, in place of those that
// turn out to be the announcer itself under another address.
const spare = 8

// satedForNew is how many sated peers one gets that begins and claims to want
// nothing. It may be a client with a magnet link, which cannot know what it lacks
// before somebody tells it the metadata, so it needs somebody; but mostly it is a
// seed, and two seeds have nothing for each other: a few are tried in vain.
const satedForNew = 5

// pick fills r with a random subset of the swarm for q. self is the announcer's
// position in the set of its own family, or none.
func (w *swarm) pick(rng *rand.Rand, q *Request, r *Response, want int, sated bool, self int32) {
	if !sated {
		w.pickFrom(rng, q, r, want, everyone, self)
		return
	}
	w.pickFrom(rng, q, r, want, wanting, self)
	if q.Event == Started && q.Downloaded == 0 {
		w.pickFrom(rng, q, r, min(want-r.NumPeers(), satedForNew), satisfied, self)
	}
}

// part is a part of a set's slice.
type part uint8

const (
	everyone  part = iota
	wanting        // those who want pieces
	satisfied      // the sated ones
)

// bounds is where a part begins and ends.
func (s *set[A]) bounds(of part) (from, to int) {
	switch of {
	case wanting:
		return 0, s.wanting
	case satisfied:
		return s.wanting, len(s.peers)
	default:
		return 0, len(s.peers)
	}
}

// pickFrom adds up to want peers of one part of both sets. The announcer's own
// family comes first, since that is the one it is sure to reach; the other fills
// what is left, unless Request.OneFamily is set.
func (w *swarm) pickFrom(rng *rand.Rand, q *Request, r *Response, want int, of part, self int32) {
	want += r.NumPeers()
	v4, both := q.Addr.Addr().Is4(), !q.OneFamily
	if v4 {
		w.pick4(rng, q, r, want-r.NumPeers(), of, self)
		self = none
	}
	if !v4 || both {
		r.Peers6 = pick(&w.v6, r.Peers6, rng, q, r, want-r.NumPeers(), of, self)
	}
	if !v4 && both {
		w.pick4(rng, q, r, want-r.NumPeers(), of, none)
	}
}

// pick4 adds peers of IPv4; their ids go before those of IPv6.
func (w *swarm) pick4(rng *rand.Rand, q *Request, r *Response, want int, of part, self int32) {
	n4, n6 := len(r.Peers)/6, len(r.Peers6)/18
	r.Peers = pick(&w.v4, r.Peers, rng, q, r, want, of, self)
	if q.WantIDs {
		rotate(r.IDs[n4*len(q.PeerID):], n6*len(q.PeerID))
	}
}

// pick appends the addresses of up to want peers of one part of s to out, and the
// ids, if they are wanted, to r.IDs.
func pick[A address](s *set[A], out []byte, rng *rand.Rand, q *Request, r *Response, want int, of part, self int32) []byte {
	from, to := s.bounds(of)
	for steps := newWalk(rng, to-from, want+spare, self-int32(from)); want > 0; {
		i := steps.next()
		if i == none {
			break
		}
		p := &s.peers[from+int(i)]
		if p.isSelf(q) {
			continue
		}
		want--
		out = appendAddr(out, &p.addr)
		if q.WantIDs {
			r.IDs = append(r.IDs, p.id[:]...)
		}
	}
	return out
}

// isSelf says whether p is the announcer under another address: that of its other
// family, or one that it had before.
func (p *peer[A]) isSelf(q *Request) bool {
	n := len(p.addr)
	return p.id == q.PeerID && uint16(p.addr[n-2])<<8|uint16(p.addr[n-1]) == q.Addr.Port()
}

// rotate brings b[n:] before b[:n].
func rotate(b []byte, n int) {
	if n == 0 || n == len(b) {
		return
	}
	slices.Reverse(b[:n])
	slices.Reverse(b[n:])
	slices.Reverse(b)
}
