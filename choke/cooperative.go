package choke

import (
	"math/rand/v2"
	"slices"
	"time"
)

// cooperative is the policy of a fleet under one owner, where everybody gives
// and nobody has to be made to: the remotes that have least come first, which
// keeps the last one to finish close behind the first. In a simulated mesh
// that is worth 3 to 8 % of the makespan over a random choice. It serves
// leecher and seed alike.
//
// A slot is never left idle: it goes only to a remote that we have something
// for, and passes on, at a Fill already, from one that asks for nothing to one
// that might. A remote that took nothing in its slot for an interval goes to
// the end of the queue for the time of Config.Snub, or a hung remote, which is
// always the poorest, would get a slot again and again.
type cooperative struct {
	cfg    Config
	t      table
	lagged []lag // by time; at most a few slots' worth an interval
}

// lag is a remote that did not use its slot.
type lag struct {
	id    ID
	until time.Time
}

// NewCooperative returns the policy of a trusted fleet. It uses no randomness;
// its rng may be nil. It panics if cfg is not valid.
func NewCooperative(cfg Config) Policy {
	return &cooperative{cfg: cfg.mustBeValid()}
}

// Rechoke implements Policy.
func (p *cooperative) Rechoke(now time.Time, rs []Remote, _ *rand.Rand) Decision {
	p.load(now, rs)
	p.noteLags(now)
	p.giveRest()
	return p.t.decide()
}

// Fill implements Policy.
func (p *cooperative) Fill(now time.Time, rs []Remote, _ *rand.Rand) Decision {
	p.load(now, rs)
	p.t.give(p.cfg.total(), regular, func(r *Remote) bool { return r.Unchoked && !r.Idle }, poorer)
	p.giveRest()
	return p.t.decide()
}

func (p *cooperative) load(now time.Time, rs []Remote) {
	p.t.load(rs, p.cfg.total(), func(r *Remote) bool { return wants(r) && r.Left > 0 })
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
	p.t.give(p.cfg.total(), regular, func(r *Remote) bool { return !r.Idle }, poorer)
	p.t.give(p.cfg.total(), regular, anyone, poorer)
	p.relabel(lagging, waiting)
	p.t.give(p.cfg.total(), regular, anyone, poorer)
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

// keepMargin is by how much a holder of a slot may be ahead of one that has
// none and still keep it. In a swarm that goes well everybody has about as
// much; slots that changed hands for a piece more or less would only throw
// requests away.
const keepMargin = 0.05

// poorer orders by what they lack, a holder's margin counted.
func poorer(a, b *Remote) bool { return standing(a) < standing(b) }

func standing(r *Remote) float64 {
	if r.Unchoked {
		return r.Progress - keepMargin
	}
	return r.Progress
}
