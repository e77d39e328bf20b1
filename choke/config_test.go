package choke

import (
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Fatal(err)
	}
	bad := map[string]func(*Config){
		"no slot":                     func(c *Config) { c.Slots = 0 },
		"too many slots":              func(c *Config) { c.Slots = MaxSlots + 1 },
		"negative optimistic":         func(c *Config) { c.Optimistic = -1 },
		"too many optimistic":         func(c *Config) { c.Optimistic = MaxSlots + 1 },
		"no interval":                 func(c *Config) { c.Interval = 0 },
		"optimistic not a multiple":   func(c *Config) { c.OptimisticInterval = 25 * time.Second },
		"optimistic below interval":   func(c *Config) { c.OptimisticInterval = 0 },
		"turn shorter than interval":  func(c *Config) { c.Turn = time.Second },
		"snub shorter than interval":  func(c *Config) { c.Snub = time.Second },
		"negative interval, all else": func(c *Config) { c.Interval = -time.Second },
	}
	for name, spoil := range bad {
		c := Default()
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := New(TitForTat, c); err == nil {
			t.Errorf("%s: New accepted it", name)
		}
	}
	for _, name := range []string{TitForTat, Cooperative} {
		if _, err := New(name, Default()); err != nil {
			t.Error(err)
		}
	}
	if _, err := New("fastest", Default()); err == nil {
		t.Error("New made a policy of an unknown name")
	}
}

// TestSwitchingKeepsSlots completes a torrent while five are served: they stay
// unchoked, and the rules of a seed hold from then on.
func TestSwitchingKeepsSlots(t *testing.T) {
	s, err := New(TitForTat, Default())
	if err != nil {
		t.Fatal(err)
	}
	rng := newRand(1)
	rs := remotes(t, "1:i,down=9 2:i,down=8 3:i,down=7 4:i,down=6 5:i 6:i,joined=5 7:i,joined=5")
	apply(at(10), rs, s.Rechoke(at(10), rs[:5], rng))
	s.SetSeeding(true)
	if got := show(s.Fill(at(15), rs, rng)); got != "1 2 3 4 5" {
		t.Errorf("just complete: %q", got)
	}
	if got := show(s.Rechoke(at(20), rs, rng)); got != "1 2 3 4 5" {
		t.Errorf("within the turn: %q", got)
	}
	if got := show(s.Rechoke(at(40), rs, rng)); got != "3 4 5 6 7" && got != "1 2 3 6 7" {
		t.Errorf("after the turn: %q", got)
	}
	s.SetSeeding(false)
	if got := show(s.Rechoke(at(50), rs[:4], rng)); got != "1 2 3 4" {
		t.Errorf("leeching again: %q", got)
	}
}

// TestSwitchingSlots: the bound is that of the policy with more slots, and none
// is told where one of the two is not ours.
func TestSwitchingSlots(t *testing.T) {
	few, many := Default(), Default()
	few.Slots, many.Slots = 2, 7
	for _, tt := range []struct {
		s    *Switching
		want int
	}{
		{NewSwitching(NewTitForTat(few), NewSeeding(many)), 8},
		{NewSwitching(NewCooperative(many), NewSeeding(few)), 7}, // it tries nobody
		{NewSwitching(struct{ Policy }{NewTitForTat(few)}, NewSeeding(few)), 0},
	} {
		if got := tt.s.Slots(); got != tt.want {
			t.Errorf("%d slots, want %d", got, tt.want)
		}
	}
}
