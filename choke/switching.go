package choke

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// The names that New knows.
const (
	TitForTat   = "tit-for-tat"
	Cooperative = "cooperative"
)

// Switching is a Policy that is one policy while the torrent lacks pieces and
// another once it is complete. Who holds a slot is in the snapshots, so nobody
// loses one by the change; the next Rechoke goes by the new rules.
type Switching struct {
	leeching, seeding Policy
	complete          bool
}

// NewSwitching returns a Switching that begins as leeching.
func NewSwitching(leeching, seeding Policy) *Switching {
	return &Switching{leeching: leeching, seeding: seeding}
}

// New returns the policy with a name: TitForTat, which becomes NewSeeding once
// complete, or Cooperative, which stays what it is. It refuses another name and
// an invalid configuration.
func New(name string, cfg Config) (*Switching, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	switch name {
	case TitForTat:
		return NewSwitching(NewTitForTat(cfg), NewSeeding(cfg)), nil
	case Cooperative:
		p := NewCooperative(cfg)
		return NewSwitching(p, p), nil
	}
	return nil, fmt.Errorf("choke: no policy %q, want %s or %s", name, TitForTat, Cooperative)
}

// SetSeeding says whether the torrent is complete.
func (s *Switching) SetSeeding(complete bool) { s.complete = complete }

// Slots is how many remotes are unchoked at most, whichever policy is in force;
// 0 if a policy of somebody else's does not say (by a method Slots).
func (s *Switching) Slots() int {
	most := 0
	for _, p := range [...]Policy{s.leeching, s.seeding} {
		l, ok := p.(interface{ Slots() int })
		if !ok {
			return 0
		}
		most = max(most, l.Slots())
	}
	return most
}

// Reclaims says whether a Fill takes slots from remotes that are Idle: whether
// it is worth a call when one becomes so.
func (s *Switching) Reclaims() bool {
	for _, p := range [...]Policy{s.leeching, s.seeding} {
		if _, ok := p.(*cooperative); ok {
			return true
		}
	}
	return false
}

// Rechoke implements Policy.
func (s *Switching) Rechoke(now time.Time, rs []Remote, rng *rand.Rand) Decision {
	return s.current().Rechoke(now, rs, rng)
}

// Fill implements Policy.
func (s *Switching) Fill(now time.Time, rs []Remote, rng *rand.Rand) Decision {
	return s.current().Fill(now, rs, rng)
}

func (s *Switching) current() Policy {
	if s.complete {
		return s.seeding
	}
	return s.leeching
}
