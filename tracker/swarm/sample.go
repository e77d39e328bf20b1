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

// pick fills r with a random subset of the swarm for q. self is the announcer's
// position in the set of its own family, or none. Its own family comes first,
// since that is the one it is sure to reach; the other fills what is left, unless
// Request.OneFamily is set.
func (w *swarm) pick(rng *rand.Rand, q *Request, r *Response, want int, sated bool, self int32) {
	switch v4 := q.Addr.Addr().Is4(); {
	case v4 && q.OneFamily:
		w.pick4(rng, q, r, want, sated, self)
	case q.OneFamily:
		w.pick6(rng, q, r, want, sated, self)
	case v4:
		w.pick4(rng, q, r, want, sated, self)
		w.pick6(rng, q, r, want-r.NumPeers(), sated, none)
	default:
		w.pick6(rng, q, r, want, sated, self)
		ids := len(r.IDs)
		w.pick4(rng, q, r, want-r.NumPeers(), sated, none)
		rotate(r.IDs, ids)
	}
}

// spare is how many positions more than wanted are visited, in place of those that
// turn out to be the announcer itself under another address.
const spare = 8

func (w *swarm) pick4(rng *rand.Rand, q *Request, r *Response, want int, sated bool, self int32) {
	s := &w.v4
	for steps := newWalk(rng, s.visible(sated), want+spare, self); want > 0; {
		i := steps.next()
		if i == none {
			return
		}
		p := &s.peers[i]
		if p.isSelf(q) {
			continue
		}
		want--
		r.Peers = append(r.Peers, p.addr[:]...)
		if q.WantIDs {
			r.IDs = append(r.IDs, p.id[:]...)
		}
	}
}

func (w *swarm) pick6(rng *rand.Rand, q *Request, r *Response, want int, sated bool, self int32) {
	s := &w.v6
	for steps := newWalk(rng, s.visible(sated), want+spare, self); want > 0; {
		i := steps.next()
		if i == none {
			return
		}
		p := &s.peers[i]
		if p.isSelf(q) {
			continue
		}
		want--
		r.Peers6 = append(r.Peers6, p.addr[:]...)
		if q.WantIDs {
			r.IDs = append(r.IDs, p.id[:]...)
		}
	}
}

// visible is how much of peers a peer may see: a sated one only who wants pieces.
func (s *set[A]) visible(sated bool) int {
	if sated {
		return s.wanting
	}
	return len(s.peers)
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
