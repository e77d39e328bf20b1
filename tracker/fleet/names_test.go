package fleet

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// namesInOrder are names in the order of CompareNames; the page's tests have the same.
var namesInOrder = []string{
	"", "0", "00", "01", "1", "1a", "2", "02x", "2x", "9", "10", "10.0.0.9:1", "10.0.0.10:1", "18446744073709551616", "100000000000000000000",
	"N1", "a", "a0", "a00", "a00x", "a01", "a1", "a1b2", "a1b10", "a2", "a010", "gpu-r1-9", "gpu-r1-10", "gpu-r2-1", "n9", "n10", "n10-1", "n10a", "é1", "\U0001f600",
}

func TestCompareNames(t *testing.T) {
	for i, a := range namesInOrder {
		for j, b := range namesInOrder {
			if got := CompareNames(a, b); got != cmp.Compare(i, j) {
				t.Errorf("%q and %q: %d, want %d", a, b, got, cmp.Compare(i, j))
			}
		}
	}
}

// TestCompareNamesIsAnOrder: of random names, all of whose beginnings and numbers look alike,
// any three are in one order, and only equal ones are equal.
func TestCompareNamesIsAnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		var b strings.Builder
		for range rng.IntN(7) {
			b.WriteByte("001ab"[rng.IntN(5)])
		}
		return b.String()
	}
	for range 200_000 {
		three := []string{name(), name(), name()}
		slices.SortFunc(three, CompareNames)
		for i, a := range three {
			for j, b := range three {
				c := CompareNames(a, b)
				if c != -CompareNames(b, a) || (c == 0) != (a == b) || i < j && c > 0 {
					t.Fatalf("%q: %q and %q: %d", three, a, b, c)
				}
			}
		}
	}
}

// TestNaturalOrder: whatever is in the order of names has n9 before n10.
func TestNaturalOrder(t *testing.T) {
	for _, done := range []int64{50, 1000} {
		var all []member
		for _, n := range []int{10, 9, 100, 1} {
			all = append(all, member{n, "r" + strconv.Itoa(n), done, 7, WhyPeers})
		}
		natural(t, viewOf(t, all...))
	}
}

func natural(t *testing.T, v *View) {
	t.Helper()
	want := []string{"n1", "n9", "n10", "n100"}
	for _, by := range Sorts {
		var hosts []string
		for _, h := range v.Hosts(Query{Sort: by, Limit: 9}).Hosts {
			hosts = append(hosts, h.Node)
		}
		if !slices.Equal(hosts, want) {
			t.Errorf("hosts by %s: %q", by, hosts)
		}
	}
	for _, by := range []string{"rack", ByHost} {
		var groups []string
		for _, g := range v.Status(by, nil).Groups {
			groups = append(groups, strings.Replace(g.Name, "r", "n", 1))
		}
		if !slices.Equal(groups, want) {
			t.Errorf("groups by %s: %q", by, groups)
		}
	}
}
