package tracker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTiersExample is the example of BEP 12.
func TestTiersExample(t *testing.T) {
	tiers := &Tiers{tiers: [][]string{{"t1", "t2", "t3"}, {"backup"}}}
	for _, c := range []struct{ answers, want string }{
		{"t2", "t2 t1 t3 backup"}, // t1 is down
		{"t2", "t2 t1 t3 backup"},
		{"t3", "t3 t2 t1 backup"}, // only t3 is up
		{"backup", "t3 t2 t1 backup"},
		{"nobody", "t3 t2 t1 backup"},
	} {
		tiers.Succeeded(c.answers)
		if got := strings.Join(tiers.Order(), " "); got != c.want {
			t.Errorf("%s answered: %s, want %s", c.answers, got, c.want)
		}
	}
}

func TestNewTiers(t *testing.T) {
	in := [][]string{{"a", "b", "", "c", "a"}, {}, {"b", "d"}}
	firsts := map[string]int{}
	for seed := range uint64(300) {
		got := NewTiers(in, rand.New(rand.NewPCG(seed, 0))).Order()
		firsts[got[0]]++
		if slices.Sort(got[:3]); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
			t.Fatalf("%v", got)
		}
	}
	for _, u := range []string{"a", "b", "c"} {
		if firsts[u] < 70 || firsts[u] > 130 {
			t.Errorf("%s is first %d times of 300", u, firsts[u])
		}
	}
	if n := len(NewTiers([][]string{manyURLs(100)}, rand.New(rand.NewPCG(1, 1))).Order()); n != maxTrackers {
		t.Errorf("%d trackers kept", n)
	}
}

func manyURLs(n int) (u []string) {
	for i := range n {
		u = append(u, "http://t/"+strings.Repeat("x", i))
	}
	return u
}

func TestBackoff(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var b Backoff
	whole := 250 * time.Millisecond
	for i := range 100 {
		if d := b.Next(rng); d < whole/2 || d > whole {
			t.Fatalf("failure %d: %v is not in [%v, %v]", i, d, whole/2, whole)
		}
		whole = min(2*whole, time.Hour)
	}
	b.Reset()
	if d := b.Next(rng); d > 250*time.Millisecond {
		t.Fatalf("after a success: %v", d)
	}
	b = Backoff{Min: time.Second, Max: time.Second}
	for range 3 {
		if d := b.Next(rng); d > time.Second || d < time.Second/2 {
			t.Fatalf("%v", d)
		}
	}
}
