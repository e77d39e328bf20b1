package peer

import (
	"slices"

	"starling/p2p"
	"starling/piece"
)

// webView is what a web seed sees of its torrent: see webseed.Swarm. It lives on
// the torrent's loop.
type webView struct{ e *Engine }

const (
	// maxStretch is how many bytes a web seed is asked for in a row.
	maxStretch = 16 << 20
	// minStretches is into how many stretches a torrent is divided at least, and
	// stretchShare the same for each of the peers who lack something.
	minStretches = 64
	stretchShare = 16
)

// isWeb says whether a connection comes from a web seed of ours. No other can
// have that address: those of sockets are numbers.
func (e *Engine) isWeb(info p2p.ConnInfo) bool {
	return !info.Dialed && slices.Contains(e.cfg.WebSeeds, info.Addr)
}

// creditWeb counts the bytes of a verified piece that web seeds gave.
func (e *Engine) creditWeb(i int, f *flight) {
	n := 0
	for _, c := range f.from {
		if slices.Contains(e.cfg.WebSeeds, c.addr) {
			n += c.run.Length
		}
	}
	e.stats.FromWebSeeds += int64(min(n, e.geo.PieceSize(i)))
}

// Wanting implements webseed.Swarm.
func (v webView) Wanting() bool { return !v.e.stopping && !v.e.pick.Done() }

// Open implements webseed.Swarm.
func (v webView) Open(i int) bool { return v.e.pick.Open(i) }

// Rare implements webseed.Swarm.
func (v webView) Rare(i, most int) bool {
	return v.e.pick.Open(i) && v.e.pick.Availability(i)-v.e.webs() <= most
}

// webs is how many web seeds are connected.
func (e *Engine) webs() int {
	n := 0
	for _, r := range e.order {
		count(&n, r.web && r.phase == ready)
	}
	return n
}

// Stretch implements webseed.Swarm. The torrent is divided into stretches of one
// length, and each of them has an owner among the peers who lack something and
// ourselves, whom all find by themselves (highest random weight: Thaler and
// Ravishankar 1998). Everybody begins with his own: so that, though nobody says
// what he is fetching, what several peers fetch from one server is one copy of
// the torrent. Who is done with his own goes on with the others'.
func (v webView) Stretch(taken *piece.Bitfield) (first, n, most int) {
	e := v.e
	most, ok := e.rarest(taken)
	if !ok {
		return 0, 0, 0
	}
	rivals := e.rivals()
	long := e.stretch(len(rivals))
	weight, owned := uint64(0), false
	for at := 0; at < e.geo.NumPieces(); at += long {
		i := at
		for i < min(at+long, e.geo.NumPieces()) && (taken.Has(i) || !v.Rare(i, most)) {
			i++
		}
		if i == min(at+long, e.geo.NumPieces()) {
			continue
		}
		w := weightOf(idWord(e.cfg.PeerID), at)
		own := !slices.ContainsFunc(rivals, func(id uint64) bool { return weightOf(id, at) > w })
		if n == 0 || own && !owned || own == owned && w > weight {
			first, n, weight, owned = i, at+long-i, w, own
		}
	}
	for k := 1; k < n; k++ {
		if i := first + k; i == e.geo.NumPieces() || taken.Has(i) || !v.Rare(i, most) {
			n = k
		}
	}
	return first, n, most
}

// After implements webseed.Swarm.
func (v webView) After(from int, taken *piece.Bitfield) (first, n int) {
	e := v.e
	all := e.geo.NumPieces()
	for k := range all {
		first = (from + k) % all
		for i := first; i < min(all, first+e.stretch(0)) && e.pick.Open(i) && !taken.Has(i); i++ {
			n++
		}
		if n > 0 {
			return first, n
		}
	}
	return 0, 0
}

// rarest is how many peers, web seeds apart, have a piece that is rare: as few as
// have any that is open and not taken. Where each piece is somewhere, some more
// will do, that stretches be longer (BEP 19).
func (e *Engine) rarest(taken *piece.Bitfield) (most int, ok bool) {
	webs := e.webs()
	for i := range e.geo.NumPieces() {
		if taken.Has(i) || !e.pick.Open(i) {
			continue
		}
		if have := e.pick.Availability(i) - webs; !ok || have < most {
			most, ok = have, true
		}
		if most == 0 {
			return 0, true
		}
	}
	slack := 0
	for (slack+2)*(slack+2) <= len(e.order)-webs {
		slack++ // the root of the number of peers, less one
	}
	return most + slack, ok
}

// rivals are the peers who lack something: who may fetch from our web seeds, too.
func (e *Engine) rivals() []uint64 {
	var ids []uint64
	for _, r := range e.order {
		if r.phase == ready && !r.seed && !r.web {
			ids = append(ids, idWord(r.peerID))
		}
	}
	return ids
}

// stretch is how many pieces a stretch has: a power of two, so that peers who see
// swarms of different sizes divide the torrent at the same places.
func (e *Engine) stretch(rivals int) int {
	most := min(maxStretch, e.geo.TotalLength/int64(max(minStretches, stretchShare*(rivals+1))))
	n := 1
	for int64(2*n)*e.geo.PieceLength <= most {
		n *= 2
	}
	return n
}

// idWord is a peer id in a word.
func idWord(id [20]byte) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range id {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// weightOf is a peer's weight for the stretch that begins at a piece: as good as
// random, and the same for all who compute it (the finalizer of splitmix64).
func weightOf(id uint64, at int) uint64 {
	z := id + uint64(at+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
