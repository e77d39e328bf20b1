package swarm

import (
	"net/netip"
	"time"
)

// Listed is a peer as the store knows it.
type Listed struct {
	Addr netip.AddrPort
	ID   [20]byte
	Seed bool
	// Silent is how long ago it announced last, in whole seconds.
	Silent time.Duration
}

// AppendPeers appends at most so many of a swarm's peers to out, those that want
// pieces first.
func (s *Store) AppendPeers(out []Listed, now time.Duration, h InfoHash, most int) []Listed {
	s.advance(now)
	w := s.swarms[h]
	if w == nil {
		return out
	}
	end := len(out) + most
	out = appendListed(out, end, s.clock, &w.v4)
	return appendListed(out, end, s.clock, &w.v6)
}

func appendListed[A address](out []Listed, end int, now uint32, set *set[A]) []Listed {
	for i := range set.peers {
		if len(out) >= end {
			break
		}
		p := &set.peers[i]
		out = append(out, Listed{
			Addr: addrPortOf(&p.addr), ID: p.id, Seed: p.flags&flagSeed != 0, Silent: time.Duration(now-p.seen) * time.Second,
		})
	}
	return out
}

func addrPortOf[A address](a *A) netip.AddrPort {
	var b [18]byte
	n := len(appendAddr(b[:0], a))
	ip, _ := netip.AddrFromSlice(b[:n-2])
	return netip.AddrPortFrom(ip, uint16(b[n-2])<<8|uint16(b[n-1]))
}

// AppendHashes appends at most so many of the swarms' infohashes, in no order.
func (s *Store) AppendHashes(out []InfoHash, most int) []InfoHash {
	for h := range s.swarms {
		if most--; most < 0 {
			break
		}
		out = append(out, h)
	}
	return out
}
