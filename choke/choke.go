package choke

import (
	"math/rand/v2"
	"time"
)

// ID names a remote among those of one torrent. Ties between remotes end on
// it, the smaller first.
type ID uint64

// Remote is what a policy knows of one remote. Rates are bytes a second.
type Remote struct {
	ID ID
	// Interested is what the remote last said (BEP 3 interested).
	Interested bool
	// Snubbed: no block came from it for Config.Snub though it owes us
	// some. The engine decides it.
	Snubbed bool
	// DownRate is from it to us, UpRate from us to it.
	DownRate, UpRate float64
	// Joined is when the connection was made.
	Joined time.Time
	// Unchoked: it holds a slot now.
	Unchoked bool
	// UnchokedAt is when it was last unchoked, the zero time if never. It
	// stays as it is when the remote is choked again: the policies tell by
	// it who has had a turn.
	UnchokedAt time.Time
	// Progress is the fraction of the torrent that it has, 0 to 1.
	Progress float64
	// Left counts the pieces that it lacks and we have. With 0 there is
	// nothing to serve. Only the cooperative policy reads it.
	Left int
	// Idle: it is unchoked and has had the time to ask for something, and
	// nothing of its asking waits with us. Only the cooperative policy reads
	// it.
	Idle bool
	// Seed: it has everything, so it can want nothing.
	Seed bool
}

// Decision is who is to be unchoked, ascending by ID. Everybody else is to be
// choked. The slices are the policy's own and valid until its next call.
type Decision struct {
	// Unchoked holds all of them, regular and optimistic.
	Unchoked []ID
	// Optimistic are those of Unchoked that did not earn their slot. It is
	// always empty but for tit-for-tat.
	Optimistic []ID
}

// Policy decides who gets the slots. It is for one torrent and one goroutine.
// rs holds each ID once, in any order, and is only read; now never goes back and
// is not the zero time.
type Policy interface {
	// Rechoke recomputes everything. It is called each Config.Interval; an
	// extra call does no harm.
	Rechoke(now time.Time, rs []Remote, rng *rand.Rand) Decision
	// Fill gives away free slots at once: when a remote becomes interested,
	// leaves or is choked. Tit-for-tat and seeding never choke a remote there
	// that is being served; the cooperative policy may, one at a time.
	Fill(now time.Time, rs []Remote, rng *rand.Rand) Decision
}

// wants says whether a remote may be given a slot. A seed that says it is
// interested is mistaken or lying.
func wants(r *Remote) bool { return r.Interested && !r.Seed }

// unchoked says whether a remote holds a slot now.
func unchoked(r *Remote) bool { return r.Unchoked }

// choked is the opposite of unchoked.
func choked(r *Remote) bool { return !r.Unchoked }
