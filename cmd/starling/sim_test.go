package main

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"starling/internal/units"
	"starling/p2p"
	"starling/sim/fleet"
)

// TestInOrder: results come in order, whatever order the work ends in, and an
// error of the taker ends it.
func TestInOrder(t *testing.T) {
	var got []int
	if err := inOrder(1000, func(i int) int { return i }, func(i, n int) error {
		if i != n {
			t.Errorf("result %d at turn %d", n, i)
		}
		got = append(got, n)
		return nil
	}); err != nil || len(got) != 1000 {
		t.Errorf("%d results, %v", len(got), err)
	}
	enough := errors.New("enough")
	var worked atomic.Int64
	err := inOrder(1_000_000, func(i int) int { worked.Add(1); return i }, func(i, _ int) error {
		if i == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || worked.Load() > 10_000 {
		t.Errorf("%v after %d", err, worked.Load())
	}
}

// TestGuarded: a panic in a run is a broken invariant of that run.
func TestGuarded(t *testing.T) {
	s := fleet.Default()
	s.Size, s.PieceLength = 1<<20, 64<<10
	s.Hosts = []fleet.HostSpec{
		{Name: "a", Role: fleet.Seed}, {Name: "b"}, {Name: "n", Role: fleet.Node, Protocol: "bad"},
	}
	s.Protocols = map[string]func(*p2p.Node){"bad": func(*p2p.Node) { panic("oh") }}
	r, err := guarded(t.Context(), &s)
	if err != nil || len(r.Violations) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if v := r.Violations[0]; v.Invariant != "panic" || violationText(&v) != "panic: oh" {
		t.Errorf("%+v", v)
	}
}

func TestCombine(t *testing.T) {
	got, err := combine([]string{"picker=rarest,random", "peers=30,50", "policy=cooperative"})
	var labels []string
	for _, v := range got {
		labels = append(labels, v.label)
		if len(v.choices) != 3 {
			t.Errorf("%+v", v)
		}
	}
	want := []string{
		"rarest peers=30 cooperative", "rarest peers=50 cooperative", "random peers=30 cooperative", "random peers=50 cooperative",
	}
	if err != nil || !slices.Equal(labels, want) {
		t.Errorf("%q, %v", labels, err)
	}
	if _, err := combine([]string{"a=1,2,3,4,5,6,7,8,9", "b=1,2,3,4,5,6,7,8"}); err == nil {
		t.Error("72 runs were accepted")
	}
}

// TestAdviceBound holds the bound to hand-made figures: what binds is the seed,
// a downlink, all uplinks, or whole pieces.
func TestAdviceBound(t *testing.T) {
	for _, c := range []struct {
		ask  simAsk
		want time.Duration
	}{
		{simAsk{size: 1000, hosts: 10, up: 100, down: 1000, seedUp: 50}, 20 * time.Second},
		{simAsk{size: 1000, hosts: 10, up: 100, down: 10, seedUp: 100}, 100 * time.Second},
		{simAsk{size: 1000, hosts: 10, up: 10, down: 1000, seedUp: 100}, 50 * time.Second},
		{simAsk{size: 1000, hosts: 8, up: 100, down: 1000}, 13 * time.Second}, // 3 rounds of 100 more
	} {
		if got := c.ask.bound(100); got.Round(time.Millisecond) != c.want {
			t.Errorf("%+v: %v, want %v", c.ask, got, c.want)
		}
	}
}

// TestAdvicePieces: sizes between too few pieces and too many, and at least one.
func TestAdvicePieces(t *testing.T) {
	for _, c := range []struct {
		size         int64
		largest, all int64
		count        int
	}{
		{40 << 30, 64 << 20, 640, 3},
		{1 << 30, 16 << 20, 64, 7},
		{1 << 20, 16 << 10, 64, 1},
		{100, 16 << 10, 1, 1},
		{1 << 50, 64 << 20, 1 << 24, 1},
	} {
		k := simAsk{size: units.Bytes(c.size)}
		got := k.pieces()
		if len(got) != c.count || got[0] != c.largest || (c.size-1)/got[0]+1 != c.all {
			t.Errorf("%d bytes: %v", c.size, got)
		}
	}
}

// TestAdviceSpec: a run that is smaller than the whole keeps its times.
func TestAdviceSpec(t *testing.T) {
	k := simAsk{size: 40 << 30, hosts: 3000, up: 1_250_000_000, down: 1_250_000_000}
	s := k.spec(trial{piece: 16 << 20, count: mostPieces, leechers: 24, peers: 30, policy: "cooperative"}, 7)
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if s.PieceLength != simPiece || s.Size != 40<<30/64 || len(s.Hosts) != 25 || s.Hosts[1].Up != 1_250_000_000/64 || s.RNGSeed != 7 {
		t.Errorf("%+v", s)
	}
	small := k.spec(trial{piece: 64 << 10, count: 100, leechers: 4, peers: 30, policy: "cooperative"}, 7)
	if small.PieceLength != 64<<10 || small.Size != 100*64<<10 || small.Hosts[0].Up != 1_250_000_000 {
		t.Errorf("%+v", small)
	}
}
