package benc

// Limits bounds what Scan accepts. The size of the input is the caller's to
// bound before it reads it.
type Limits struct {
	// Depth is how many lists and dictionaries may be open at once; a list
	// of integers has depth 1. Above 100 it counts as 100, the room that
	// Scan keeps on its own stack.
	Depth int
	// Tokens is how many values there may be, counting every key and every
	// list and dictionary as one each.
	Tokens int
	// AnyKeyOrder accepts dictionaries whose keys are not sorted, as some
	// trackers send them. A key that comes twice is refused all the same.
	// Each key out of order costs a walk over the dictionary so far, so
	// the time is quadratic in Tokens: keep them to some thousands.
	AnyKeyOrder bool
}

// maxDepth is how many open containers Scan has room for.
const maxDepth = 100

// MetainfoLimits are the limits for a torrent file or its info dictionary:
// 200,000 files of a few path components each stay inside them.
func MetainfoLimits() Limits { return Limits{Depth: maxDepth, Tokens: 3_000_000} }

// WireLimits are the limits for a message between peers.
func WireLimits() Limits { return Limits{Depth: 16, Tokens: 2_000} }

// TrackerReplyLimits are the limits for a tracker's reply: a thousand peers in
// dictionary form, with the keys in any order.
func TrackerReplyLimits() Limits { return Limits{Depth: 16, Tokens: 8_000, AnyKeyOrder: true} }
