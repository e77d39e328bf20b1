package choke

import (
	"math/rand/v2"
	"time"
)

// seeding is the policy of a seed: turns in the order of waiting.
//
// A seed gets nothing back, so rates say little: ranking by upload rate, as
// BEP 3 has it, feeds the fastest downloaders, free-riders among them, and
// starves the rest. The seed choke of Legout, Urvoy-Keller and Michiardi (IMC
// 2006) rotates the slots by time instead, and libtorrent's round robin gives
// each slot for a quota and then to who waited longest. This is the latter
// with a quota of time: it has a bound on the wait that a random rotation has
// not, and newcomers queue up behind those who wait, so that a flood of them
// starves nobody. Among n remotes that want something each is served within
// ceil(n/slots) turns.
type seeding struct {
	cfg Config
	t   table
}

// NewSeeding returns the policy of a torrent that lacks nothing. It uses no
// randomness; its rng may be nil. It panics if cfg is not valid.
func NewSeeding(cfg Config) Policy {
	return &seeding{cfg: cfg.mustBeValid()}
}

// Slots is how many remotes are unchoked at most.
func (p *seeding) Slots() int { return p.cfg.total() }

// Rechoke implements Policy.
func (p *seeding) Rechoke(now time.Time, rs []Remote, _ *rand.Rand) Decision {
	p.t.load(rs, p.cfg.total(), wants)
	p.t.give(p.cfg.total(), regular, func(r *Remote) bool {
		return r.Unchoked && !p.cfg.over(r.UnchokedAt, p.cfg.Turn, now)
	}, p.waitedLonger)
	p.t.give(p.cfg.total(), regular, choked, p.waitedLonger)
	// Nobody waits for these slots, so those whose turn is over go on; if
	// some must yield, it is those who have had most.
	p.t.give(p.cfg.total(), regular, unchoked, p.waitedLess)
	return p.t.decide()
}

// Fill implements Policy.
func (p *seeding) Fill(_ time.Time, rs []Remote, _ *rand.Rand) Decision {
	p.t.load(rs, p.cfg.total(), wants)
	p.t.give(p.cfg.total(), regular, unchoked, p.waitedLess)
	p.t.give(p.cfg.total(), regular, choked, p.waitedLonger)
	return p.t.decide()
}

// since is a remote's place in the queue: when its last turn was due to end, or
// when it came if it has had none.
func (p *seeding) since(r *Remote) time.Time {
	if r.UnchokedAt.IsZero() {
		return r.Joined
	}
	return r.UnchokedAt.Add(p.cfg.Turn)
}

// waitedLonger orders the queue; those who came together go by what they lack.
func (p *seeding) waitedLonger(a, b *Remote) bool {
	if sa, sb := p.since(a), p.since(b); !sa.Equal(sb) {
		return sa.Before(sb)
	}
	return a.Progress < b.Progress
}

func (p *seeding) waitedLess(a, b *Remote) bool { return p.waitedLonger(b, a) }
