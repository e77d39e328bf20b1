package fleet

import (
	"math/bits"
	"time"

	"starling/piece"
)

// bound is the largest of the lower bounds on when the last of ms completes.
func (f *fleet) bound(ms []*member) GroupResult {
	var g GroupResult
	g.Hosts = len(ms)
	if len(ms) == 0 {
		return g
	}
	size := float64(f.spec.Size)
	raise := func(seconds float64, name string) {
		if d := time.Duration(seconds * 1e9); d > g.Bound {
			g.Bound, g.BoundName = d, name
		}
	}
	seeds, all, fastest := f.uplinks()
	fresh := true // nobody has anything at the beginning
	for _, m := range ms {
		raise(m.spec.Arrive.Seconds()+size*(1-m.spec.Has)/rate(m.spec.Down), "downlink")
		fresh = fresh && m.spec.Has == 0
	}
	if !fresh {
		return g
	}
	first := ms[0].spec.Arrive
	for _, m := range ms {
		first = min(first, m.spec.Arrive)
	}
	// Kurose and Ross; Kumar and Ross for several seeds.
	raise(first.Seconds()+size/seeds, "seed")
	raise(first.Seconds()+float64(len(ms))*size/(seeds+all), "uplinks")
	if seeds == fastest {
		// Mundinger, Weber and Weiss: each round at most doubles the copies of
		// what the seed sends last: a piece, or with v2 a block.
		rounds := float64(bits.Len(uint(len(ms))) - 1)
		unit := f.spec.PieceLength
		if f.spec.V2 {
			unit = piece.BlockSize
		}
		raise(first.Seconds()+(size+rounds*float64(unit))/seeds, "pieces")
	}
	f.rackBounds(ms, size, raise)
	return g
}

// uplinks adds up what the seeds and the leechers can send, and finds the
// fastest uplink of all.
func (f *fleet) uplinks() (seeds, leechers, fastest float64) {
	for i := range f.spec.Hosts {
		h := &f.spec.Hosts[i]
		switch up := rate(h.Up); {
		case h.Role == Node || h.FreeRides || h.Lies:
		case h.Role == Seed:
			seeds += up
			fastest = max(fastest, up)
		default:
			leechers += up
			fastest = max(fastest, up)
		}
	}
	return seeds, leechers, fastest
}

// rackBounds: one copy at least comes into each rack that has no seed.
func (f *fleet) rackBounds(ms []*member, size float64, raise func(float64, string)) {
	for _, r := range f.spec.Racks {
		inside, seeded := false, false
		for _, m := range ms {
			inside = inside || m.spec.Rack == r.Name
		}
		for _, h := range f.spec.Hosts {
			seeded = seeded || h.Rack == r.Name && h.Role == Seed
		}
		if inside && !seeded {
			raise(size/rate(r.Down), "rack")
		}
	}
}
