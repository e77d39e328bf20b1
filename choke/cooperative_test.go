package choke

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// deciders ask as many cooperative policies as there are peers in a swarm, each
// with chances of its own, whom of rs they would serve; it returns how often each
// was chosen.
func deciders(n int, rs []Remote) map[ID]int {
	chosen := map[ID]int{}
	for seed := range uint64(n) {
		for _, id := range NewCooperative(Default()).Rechoke(at(0), rs, newRand(seed)).Unchoked {
			chosen[id]++
		}
	}
	return chosen
}

// TestCooperativeNoHerd: where all have as much, fifty deciders spread over them,
// as if they had drawn. With 4 of 50 each, one that is overlooked by all has a
// probability of 1.5 %, and one that 13 serve of 0.02 %.
func TestCooperativeNoHerd(t *testing.T) {
	var rs []Remote
	for k := range 50 {
		rs = append(rs, Remote{ID: ID(k), Joined: epoch, Interested: true, Left: 1, Progress: 0.5})
	}
	chosen := deciders(50, rs)
	most, total := 0, 0
	for _, n := range chosen {
		most, total = max(most, n), total+n
	}
	t.Logf("%d of 50 are served, one by %d", len(chosen), most)
	if len(chosen) < 45 || most > 13 || total != 200 {
		t.Errorf("%d slots go to %d of 50, to one of them %d", total, len(chosen), most)
	}
}

// TestCooperativeFavoursThePoor: of 20 that have more and more, the poorest is
// served by nearly all, and who is richer by more than chance makes up for by
// nobody.
func TestCooperativeFavoursThePoor(t *testing.T) {
	var rs []Remote
	for k := range 20 {
		rs = append(rs, Remote{ID: ID(k), Joined: epoch, Interested: true, Left: 1, Progress: float64(k) / 20})
	}
	const n = 1000
	chosen := deciders(n, rs)
	line := ""
	for k := range ID(20) {
		line += fmt.Sprintf(" %.2f", float64(chosen[k])/n)
		// Each step is 0.05 of the torrent: from the eighth on, four are
		// poorer by more than the spread.
		if k >= 8 && chosen[k] > 0 {
			t.Errorf("%d is chosen %d times, and four are far poorer", k, chosen[k])
		}
		if k > 0 && chosen[k] > chosen[k-1]+n/20 {
			t.Errorf("%d is richer than %d and chosen more often", k, k-1)
		}
	}
	t.Logf("shares:%s", line)
	if chosen[0] < n*9/10 || chosen[3] > n*9/10 || chosen[4] < n/10 {
		t.Errorf("chance has too much of a say, or none:%s", line)
	}
}

// TestCooperativeChancesAreNew: a decider's chances are not the same each time, or
// some would be its own for ever and others nobody's.
func TestCooperativeChancesAreNew(t *testing.T) {
	p, rng := NewCooperative(Default()), newRand(5)
	served := map[ID]bool{}
	var rs []Remote
	for k := range 40 {
		rs = append(rs, Remote{ID: ID(k), Joined: epoch, Interested: true, Left: 1})
	}
	for tick := range 60 {
		for _, id := range p.Rechoke(at(float64(10*tick)), rs, rng).Unchoked {
			served[id] = true
		}
	}
	if len(served) != 40 {
		t.Errorf("of 40 equals %d ever were chosen in 60 decisions", len(served))
	}
}

// TestCooperativeKeepsHolders: whatever chance says, a slot does not change hands
// for less than the margin.
func TestCooperativeKeepsHolders(t *testing.T) {
	rs := remotes(t, "1:iu,has=.5,up=1 2:iu,has=.5,up=1 3:iu,has=.5,up=1 4:iu,has=.5,up=1")
	for k := range 40 {
		rs = append(rs, Remote{ID: ID(10 + k), Joined: epoch, Interested: true, Left: 1, Progress: 0.46})
	}
	if chosen := deciders(100, rs); len(chosen) != 4 {
		t.Errorf("%d remotes take turns in four slots", len(chosen))
	}
	for i := range rs[4:] {
		rs[4+i].Progress = 0.44 // and it does for more
	}
	if chosen := deciders(100, rs); len(chosen) < 20 {
		t.Errorf("%d remotes are served", len(chosen))
	}
}

// TestChance: it is from 0 to 1, and even.
func TestChance(t *testing.T) {
	const n, buckets = 100_000, 10
	var counts [buckets]int
	p := cooperative{salt: 12345}
	for id := range ID(n) {
		x := p.chance(id)
		if x < 0 || x >= 1 {
			t.Fatalf("chance of %d is %v", id, x)
		}
		counts[int(x*buckets)]++
	}
	for i, c := range counts {
		// The standard deviation is 95.
		if c < n/buckets-500 || c > n/buckets+500 {
			t.Errorf("%d of %d in part %d of %d", c, n, i, buckets)
		}
	}
}

// TestCooperativeYields: between two rechokes the richest that is served gives
// way to one that is far behind, once it has had a turn, and to nobody else.
func TestCooperativeYields(t *testing.T) {
	rich := func(id ID, has float64) Remote {
		return Remote{ID: id, Joined: epoch, Interested: true, Left: 1, Unchoked: true, UnchokedAt: epoch, UpRate: 1, Progress: has}
	}
	for _, tt := range []struct {
		name   string
		after  time.Duration
		waits  float64
		yields bool
	}{
		{"far behind", shortTurn, 0.2, true},
		{"too soon", shortTurn - 1, 0.2, false},
		{"a little behind", shortTurn, 0.5, false},
	} {
		rs := []Remote{rich(1, 0.5), rich(2, 0.55), rich(3, 0.58), rich(4, 0.54),
			{ID: 5, Joined: epoch, Interested: true, Left: 1, Progress: tt.waits}}
		want := []ID{1, 2, 3, 4}
		if tt.yields {
			want = []ID{1, 2, 4, 5}
		}
		d := NewCooperative(Default()).Fill(epoch.Add(tt.after), rs, newRand(1))
		if !slices.Equal(d.Unchoked, want) {
			t.Errorf("%s: %v are served, want %v", tt.name, d.Unchoked, want)
		}
	}
}
