package choke

import (
	"slices"
	"testing"
	"time"
)

// TestEveryNewcomerIsTried puts 26 silent newcomers beside four that earn the
// regular slots: the one optimistic slot reaches each in the first lap, and
// then again within two.
func TestEveryNewcomerIsTried(t *testing.T) {
	const newcomers = 26
	for seed := range uint64(20) {
		p, rng := NewTitForTat(Default()), newRand(seed)
		rs := remotes(t, "1:i,down=9 2:i,down=8 3:i,down=7 4:i,down=6")
		for k := range newcomers {
			rs = append(rs, Remote{ID: ID(5 + k), Joined: epoch, Interested: true})
		}
		tried := map[ID]int{} // the trial in which each was last tried
		var last ID
		for trial := range 6 * newcomers {
			for tick := range 3 {
				now := at(float64(30*trial + 10*tick))
				d := p.Rechoke(now, rs, rng)
				if len(d.Optimistic) != 1 || tick > 0 && d.Optimistic[0] != last {
					t.Fatalf("trial %d, tick %d: optimistic %v after %d", trial, tick, d.Optimistic, last)
				}
				if tick == 0 && d.Optimistic[0] == last {
					t.Fatalf("trial %d: %d again", trial, last)
				}
				last = d.Optimistic[0]
				apply(now, rs, d)
			}
			if gap := trial - tried[last]; gap > 2*newcomers {
				t.Errorf("rng seed %d: %d waited %d trials", seed, last, gap)
			}
			tried[last] = trial
			if trial == newcomers-1 && len(tried) != newcomers {
				t.Errorf("rng seed %d: %d of %d tried in the first lap", seed, len(tried), newcomers)
			}
		}
	}
}

// TestNewcomersThreeTimesAsLikely draws one optimistic unchoke out of ten
// remotes of which one was never unchoked: 3 of 12.
func TestNewcomersThreeTimesAsLikely(t *testing.T) {
	rng := newRand(1)
	rs := remotes(t, "1:i,since=1 2:i,since=1 3:i,since=1 4:i,since=1 5:i 6:i,since=1 7:i,since=1 8:i,since=1 9:i,since=1 10:i,since=1")
	cfg := Default()
	cfg.Slots = 1
	rs = append(rs, Remote{ID: 11, Interested: true, DownRate: 1})
	const runs = 6000
	hits := 0
	for range runs {
		if NewTitForTat(cfg).Rechoke(at(100), rs, rng).Optimistic[0] == 5 {
			hits++
		}
	}
	// A quarter; the standard deviation is 0.0056.
	if share := float64(hits) / runs; share < 0.225 || share > 0.275 {
		t.Errorf("the newcomer is drawn with %.3f, want 0.25", share)
	}
}

// TestSnubbedBySeveral leaves one remote that gives: the other slots all are
// optimistic, within the total, and turn over each 30 s.
func TestSnubbedBySeveral(t *testing.T) {
	p, rng := NewTitForTat(Default()), newRand(3)
	rs := remotes(t, "1:i,down=9 2:is,down=8 3:is,down=7 4:is,down=6 5:is 6:is 7:is 8:is 9:is")
	seen := map[ID]bool{}
	for tick := range 6 {
		now := at(float64(10 * tick))
		d := p.Rechoke(now, rs, rng)
		if len(d.Unchoked) != 5 || len(d.Optimistic) != 4 {
			t.Fatalf("tick %d: %q", tick, show(d))
		}
		for _, id := range d.Optimistic {
			seen[id] = true
		}
		apply(now, rs, d)
	}
	if len(seen) != 8 {
		t.Errorf("%d of 8 had a trial in two rounds of four", len(seen))
	}
}

// TestFillTriesAtOnce: the optimistic slot of one that leaves goes to another
// in that moment, whose trial then has its full time.
func TestFillTriesAtOnce(t *testing.T) {
	p, rng := NewTitForTat(Default()), newRand(1)
	rs := remotes(t, "1:i,down=9 2:i,down=8 3:i,down=7 4:i,down=6 5:i")
	apply(at(0), rs, p.Rechoke(at(0), rs, rng))
	rs = append(rs[:4], remotes(t, "6:i 7:i")...) // 5 leaves
	d := p.Fill(at(14), rs, rng)
	if len(d.Optimistic) != 1 {
		t.Fatalf("after the leave: %q", show(d))
	}
	first := d.Optimistic[0]
	apply(at(14), rs, d)
	for _, tick := range []float64{20, 30} {
		d = p.Rechoke(at(tick), rs, rng)
		if !slices.Equal(d.Optimistic, []ID{first}) {
			t.Fatalf("at %v s: %q, want %d on trial", tick, show(d), first)
		}
		apply(at(tick), rs, d)
	}
	if d = p.Rechoke(at(40), rs, rng); d.Optimistic[0] == first {
		t.Errorf("at 40 s: %q, the trial of %d is over", show(d), first)
	}
}

// TestSeedStarvesNobody floods a seed with newcomers, one a second, that come
// and stay. Each is served within the turns of those that were there before it.
func TestSeedStarvesNobody(t *testing.T) {
	cfg := Default()
	p := NewSeeding(cfg)
	var rs []Remote
	turns := 0
	for s := range 1500 {
		now := at(float64(s))
		if s < 200 {
			rs = append(rs, Remote{ID: ID(s), Joined: now, Interested: true})
			apply(now, rs, p.Fill(now, rs, nil))
		}
		if s%10 == 0 {
			apply(now, rs, p.Rechoke(now, rs, nil))
		}
		for ahead, r := range rs {
			bound := time.Duration(ahead/cfg.total()+1)*cfg.Turn + cfg.Interval
			if r.UnchokedAt.IsZero() && now.Sub(r.Joined) > bound {
				t.Fatalf("%d has waited %v, with %d ahead of it; bound %v", r.ID, now.Sub(r.Joined), ahead, bound)
			}
			if r.UnchokedAt.Equal(now) {
				turns++
			}
		}
	}
	if turns < 1400/30*5 {
		t.Errorf("%d turns began, slots were idle", turns)
	}
}

// TestSeedGivesEqualTurns: over an hour 23 remotes get the same time, give or
// take a turn, however fast they take.
func TestSeedGivesEqualTurns(t *testing.T) {
	p := NewSeeding(Default())
	var rs []Remote
	for k := range 23 {
		rs = append(rs, Remote{ID: ID(k), Joined: epoch, Interested: true, UpRate: float64(k)})
	}
	ticks := map[ID]int{}
	for tick := range 360 {
		now := at(float64(10 * tick))
		d := p.Rechoke(now, rs, nil)
		apply(now, rs, d)
		for _, id := range d.Unchoked {
			ticks[id]++
			byID(rs, id).Progress += 0.001
		}
	}
	for k := range ID(23) {
		if n, want := ticks[k], 360*5/23; n < want-3 || n > want+3 {
			t.Errorf("%d had a slot for %d of 360 intervals, want about %d", k, n, want)
		}
	}
}

// TestCooperativePassesOverTheHung: four hung remotes have least and so would
// hold all slots for ever; the others get them after one interval, and the hung
// are asked again after Snub.
func TestCooperativePassesOverTheHung(t *testing.T) {
	p, rng := NewCooperative(Default()), newRand(1)
	rs := remotes(t, "1:i 2:i 3:i 4:i 11:i,has=.5 12:i,has=.5 13:i,has=.5 14:i,has=.5")
	steps := []struct {
		at   float64
		want string
	}{
		{0, "1 2 3 4"}, {10, "11 12 13 14"}, {20, "11 12 13 14"}, {60, "11 12 13 14"}, {70, "1 2 3 4"}, {80, "11 12 13 14"},
	}
	for _, s := range steps {
		d := p.Rechoke(at(s.at), rs, rng)
		if got := show(d); got != s.want {
			t.Errorf("at %v s: %q, want %q", s.at, got, s.want)
		}
		apply(at(s.at), rs, d)
		for i := range rs {
			rs[i].UpRate = 0
			if rs[i].Unchoked && rs[i].ID > 10 {
				rs[i].UpRate = 1000
			}
		}
	}
}
