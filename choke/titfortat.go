package choke

import (
	"math/rand/v2"
	"slices"
	"time"
)

// newcomerWeight is how much likelier a remote that was never unchoked is to
// be the optimistic unchoke than one that was: it has nothing to trade yet
// (BEP 3).
const newcomerWeight = 3

// holder is a remote in an optimistic slot.
type holder struct {
	id    ID
	since time.Time
}

// titForTat is the policy of a leecher (BEP 3; Cohen 2003).
//
// Slots go by DownRate to interested remotes that do give us something and are
// not snubbed. Each slot that is left (the optimistic ones, and those that
// nobody has earned, as at the start of a swarm or when many snub us) is an
// optimistic unchoke. So one who never gives only ever gets trials, whatever
// its ID, and several optimistic unchokes run while we are snubbed.
//
// A trial lasts OptimisticInterval. Trials go in laps: within a lap a remote
// is tried once, in random order, newcomers first by weight. The lap bounds
// the wait: among n interested remotes each is tried within 2n trials.
type titForTat struct {
	cfg     Config
	t       table
	holders []holder  // in the order in which their trials began
	lap     time.Time // who was unchoked at or after it has been tried
}

// NewTitForTat returns the policy of BEP 3 for a torrent that lacks pieces.
// It needs the random source. It panics if cfg is not valid.
func NewTitForTat(cfg Config) Policy {
	return &titForTat{cfg: cfg.mustBeValid()}
}

// Slots is how many remotes are unchoked at most.
func (p *titForTat) Slots() int { return p.cfg.total() }

// Rechoke implements Policy.
func (p *titForTat) Rechoke(now time.Time, rs []Remote, rng *rand.Rand) Decision {
	p.t.load(rs, p.cfg.total(), wants)
	p.t.give(p.cfg.Slots, regular, earns, faster)
	p.keepHolders(func(h holder) bool { return p.cfg.over(h.since, p.cfg.OptimisticInterval, now) })
	p.try(now, rng)
	return p.t.decide()
}

// Fill implements Policy.
func (p *titForTat) Fill(now time.Time, rs []Remote, rng *rand.Rand) Decision {
	p.t.load(rs, p.cfg.total(), wants)
	p.keepHolders(func(holder) bool { return false })
	merit := p.cfg.Slots
	p.t.give(p.cfg.total(), regular, unchoked, faster)
	merit -= len(p.t.top)
	p.t.give(merit, regular, earns, faster)
	p.try(now, rng)
	return p.t.decide()
}

// earns says whether a remote may have a slot by merit.
func earns(r *Remote) bool { return r.DownRate > 0 && !r.Snubbed }

// faster orders by what they give us. Between equals the one that has a slot
// keeps it.
func faster(a, b *Remote) bool {
	if a.DownRate != b.DownRate {
		return a.DownRate > b.DownRate
	}
	return a.Unchoked && !b.Unchoked
}

// keepHolders gives a slot to each holder whose trial is not over and forgets
// the others. One that lost interest stays in the list as long as it is
// unchoked: it may come back within its time. Where slots are short the oldest
// trials go on.
func (p *titForTat) keepHolders(over func(holder) bool) {
	p.holders = slices.DeleteFunc(p.holders, func(h holder) bool {
		i, ok := p.t.find(h.id)
		if !ok || !p.t.rs[i].Unchoked || over(h) {
			return true
		}
		if p.t.role[i] == waiting && p.t.free > 0 {
			p.t.assign(i, optimistic)
			return false
		}
		return p.t.role[i] != idle
	})
}

// try starts a trial in each slot that is free: with those not tried in this
// lap, then with a new lap, and last with those that hold a slot already and
// that nobody else can use.
func (p *titForTat) try(now time.Time, rng *rand.Rand) {
	fresh := func(r *Remote) bool { return !r.Unchoked && r.UnchokedAt.Before(p.lap) }
	for p.t.free > 0 {
		i, ok := p.draw(rng, fresh)
		if !ok {
			p.lap = now
			i, ok = p.draw(rng, fresh)
		}
		if !ok {
			i, ok = p.draw(rng, unchoked)
		}
		if !ok {
			return
		}
		p.t.assign(i, optimistic)
		p.holders = append(p.holders, holder{p.t.rs[i].ID, now})
	}
}

// draw picks one of the waiting remotes that ok accepts, by weight.
func (p *titForTat) draw(rng *rand.Rand, ok func(*Remote) bool) (int, bool) {
	sum := 0
	for i := range p.t.rs {
		if p.t.role[i] == waiting && ok(&p.t.rs[i]) {
			sum += weight(&p.t.rs[i])
		}
	}
	if sum == 0 {
		return 0, false
	}
	n := rng.IntN(sum)
	for _, i := range p.t.order {
		if p.t.role[i] != waiting || !ok(&p.t.rs[i]) {
			continue
		}
		if n -= weight(&p.t.rs[i]); n < 0 {
			return i, true
		}
	}
	panic("choke: weights changed during a draw")
}

func weight(r *Remote) int {
	if r.UnchokedAt.IsZero() {
		return newcomerWeight
	}
	return 1
}
