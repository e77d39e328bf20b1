package fleet

import "net/netip"

const (
	// idleBy is how many times as much a source must have given at some time as it
	// gives now, so that it could give more.
	idleBy = 2
	// idleSources is how many of such a host's sources must be so.
	idleSources = 2
)

// blameLinks says of hosts what they cannot know: a host that waits for seeds or peers
// has a full link where most of what it gets is from sources that have everything and
// could give more, for they have given others more.
func (v *View) blameLinks() {
	var seeds map[netip.AddrPort]*viewed
	for _, h := range v.order {
		if h.done() || h.quiet || h.Why != WhySeed && h.Why != WhyPeers || h.nfrom < idleSources {
			continue
		}
		if seeds == nil {
			seeds = v.idle()
		}
		idle, n, all := int64(0), 0, int64(0)
		for _, src := range h.from[:h.nfrom] {
			all += src.BPS
			if seeds[src.Addr] != nil {
				idle += src.BPS
				n++
			}
		}
		if n >= idleSources && idle > 0 && idle/2 >= all-idle {
			h.Why = WhyLink
		}
	}
}

// idle are the hosts that have everything, are there, and have given much more than
// they give now.
func (v *View) idle() map[netip.AddrPort]*viewed {
	seeds := make(map[netip.AddrPort]*viewed)
	for _, h := range v.order {
		if h.quiet || h.State == Left || !h.complete() || !h.whole() || h.peak/idleBy < h.Up {
			continue
		}
		seeds[h.Addr] = h
		if h.also.IsValid() {
			seeds[h.also] = h
		}
	}
	return seeds
}
