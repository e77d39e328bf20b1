package choke

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// cooperative is the policy of a fleet under one owner, where everybody gives
// and nobody has to be made to: the remotes that have least come first, which
// keeps the last one to finish close behind the first. It serves leecher and
// seed alike.
//
// Who has least is taken with a pinch of chance. All peers see the same
// poorest: if each gave it a slot, its downlink would be full and their uplinks
// idle. In simulation (100 peers, equal uplinks, downlinks twice as fast) that
// cost 8 % of the makespan.
//
// A slot is never left idle: it goes only to a remote that we have something
// for, and passes on, at a Fill already, from one that asks for nothing to one
// that might, or from the richest to one that is far behind. A remote that took nothing in its slot for an interval goes to
// the end of the queue for the time of Config.Snub, or a hung remote, which is
// always the poorest, would get a slot again and again.
type cooperative struct {
	cfg    Config
	t      table
	salt   uint64 // of this decision's chances
	lagged []lag  // by time; at most a few slots' worth an interval
}

// lag is a remote that did not use its slot.
type lag struct {
	id    ID
	until time.Time
}

// NewCooperative returns the policy of a trusted fleet. It panics if cfg is not
// valid.
func NewCooperative(cfg Config) Policy {
	return &cooperative{cfg: cfg.mustBeValid()}
}

// Slots is how many remotes are unchoked at most.
func (p *cooperative) Slots() int { return p.cfg.Slots }

// Rechoke implements Policy.
func (p *cooperative) Rechoke(now time.Time, rs []Remote, rng *rand.Rand) Decision {
	p.load(now, rs, rng)
	p.noteLags(now)
	p.giveRest()
	return p.t.decide()
}

// Fill implements Policy.
func (p *cooperative) Fill(now time.Time, rs []Remote, rng *rand.Rand) Decision {
	p.load(now, rs, rng)
	richest, yields := p.yields(now)
	p.t.give(p.cfg.Slots, regular, func(r *Remote) bool {
		return r.Unchoked && !r.Idle && !(yields && r.ID == richest)
	}, p.poorer)
	p.giveRest()
	return p.t.decide()
}

const (
	// farBehind is how much less than a holder of a slot one that has none must
	// have to be given that slot before the interval is over.
	farBehind = 0.1
	// shortTurn is how long a holder keeps its slot even so.
	shortTurn = 2 * time.Second
)

// yields names the holder of a slot that has most, if somebody waits who has far
// less. Where the interval is as long as the whole download, who had bad luck in
// the first second would else be late by it.
func (p *cooperative) yields(now time.Time) (id ID, ok bool) {
	poorest, richest := math.Inf(1), math.Inf(-1)
	for _, i := range p.t.order {
		r := &p.t.rs[i]
		switch {
		case p.t.role[i] != waiting:
		case !r.Unchoked:
			poorest = min(poorest, r.Progress)
		case r.Progress > richest && now.Sub(r.UnchokedAt) >= shortTurn:
			richest, id = r.Progress, r.ID
		}
	}
	return id, richest-poorest > farBehind
}

func (p *cooperative) load(now time.Time, rs []Remote, rng *rand.Rand) {
	p.salt = rng.Uint64()
	p.t.load(rs, p.cfg.Slots, func(r *Remote) bool { return wants(r) && r.Left > 0 })
	p.lagged = slices.DeleteFunc(p.lagged, func(l lag) bool {
		i, here := p.t.find(l.id)
		return !here || !now.Before(l.until) || rs[i].UpRate > 0
	})
}

// noteLags finds the remotes that hold a slot and take nothing.
func (p *cooperative) noteLags(now time.Time) {
	for _, i := range p.t.order {
		r := &p.t.rs[i]
		if p.t.role[i] != waiting || !r.Unchoked || r.UpRate > 0 || !p.cfg.over(r.UnchokedAt, p.cfg.Interval, now) {
			continue
		}
		if !slices.ContainsFunc(p.lagged, func(l lag) bool { return l.id == r.ID }) {
			p.lagged = append(p.lagged, lag{r.ID, now.Add(p.cfg.Snub)})
		}
	}
}

// giveRest gives the free slots to the poorest, what then is left to those
// that are idle, and the last to those that lagged.
func (p *cooperative) giveRest() {
	p.relabel(waiting, lagging)
	p.t.give(p.cfg.Slots, regular, func(r *Remote) bool { return !r.Idle }, p.poorer)
	p.t.give(p.cfg.Slots, regular, anyone, p.poorer)
	p.relabel(lagging, waiting)
	p.t.give(p.cfg.Slots, regular, anyone, p.poorer)
}

// relabel changes the role of those that lagged.
func (p *cooperative) relabel(from, to role) {
	for _, l := range p.lagged {
		if i, ok := p.t.find(l.id); ok && p.t.role[i] == from {
			p.t.role[i] = to
		}
	}
}

func anyone(*Remote) bool { return true }

const (
	// keepMargin is by how much a holder of a slot may be ahead of one that
	// has none and still keep it. In a swarm that goes well everybody has
	// about as much; slots that changed hands for a piece more or less would
	// only throw requests away.
	keepMargin = 0.05
	// spread is the range of chance, as a share of the torrent: two that
	// wait and are nearer to each other than that may change places.
	spread = 0.2
)

// poorer orders by what they lack, a holder's margin and chance counted.
func (p *cooperative) poorer(a, b *Remote) bool { return p.standing(a) < p.standing(b) }

func (p *cooperative) standing(r *Remote) float64 {
	if r.Unchoked {
		return r.Progress - keepMargin
	}
	return r.Progress + spread*p.chance(r.ID)
}

// chance is a number from 0 to 1 that is the remote's for this decision. It is
// a mixture of its ID and the salt, not a draw, so that the order in which a
// snapshot lists the remotes does not matter.
func (p *cooperative) chance(id ID) float64 {
	x := (uint64(id) + p.salt) * 0x9e3779b97f4a7c15
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	return float64((x^x>>32)>>11) / (1 << 53)
}
