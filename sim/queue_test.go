package sim

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQueueOrder holds the heap against a list that is sorted by time and, within
// one time, by order of pushing.
func TestQueueOrder(t *testing.T) {
	type item struct {
		at time.Duration
		id int
	}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var (
			q    queue
			want []item
			got  int
			next int
		)
		pop := func() {
			e := q.pop()
			e.do.act()
			slices.SortStableFunc(want, func(a, b item) int { return int(a.at - b.at) })
			if e.at != want[0].at || got != want[0].id {
				t.Fatalf("seed %d: popped %d of %v, want %d of %v", seed, got, e.at, want[0].id, want[0].at)
			}
			want = want[1:]
		}
		for range 400 {
			if len(want) > 0 && rng.IntN(5) < 2 {
				pop()
				continue
			}
			it := item{time.Duration(rng.IntN(20)), next}
			next++
			want = append(want, it)
			q.push(it.at, actorFunc(func() { got = it.id }))
		}
		for len(want) > 0 {
			pop()
		}
		if len(q.heap) != 0 {
			t.Fatalf("seed %d: %d events left", seed, len(q.heap))
		}
	}
}

// TestRunStops: events up to a time happen and no later ones, those scheduled in
// the past happen now, and time goes on to where it was sent.
func TestRunStops(t *testing.T) {
	w := New(Config{})
	var order []int
	w.At(5, func() {
		order = append(order, 1)
		w.At(0, func() { order = append(order, 2) })
	})
	w.At(6, func() { order = append(order, 3) })
	w.Run(5)
	if !slices.Equal(order, []int{1, 2}) || w.Now() != 5 || w.Events() != 2 {
		t.Errorf("%v at %v, %d events", order, w.Now(), w.Events())
	}
	w.Run(100)
	if !slices.Equal(order, []int{1, 2, 3}) || w.Now() != 100 || w.Step(200) {
		t.Errorf("%v at %v", order, w.Now())
	}
}
