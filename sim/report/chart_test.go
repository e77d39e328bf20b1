package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/sim/fleet"
)

func TestThin(t *testing.T) {
	var points []point
	for i := range 10000 {
		points = append(points, point{float64(i), 1})
	}
	for _, n := range []int{2, 3, 400, 9999, 10000, 20000} {
		got := thin(points, n)
		if len(got) != min(n, 10000) || got[0] != points[0] || got[len(got)-1] != points[9999] {
			t.Errorf("%d: %d points from %v to %v", n, len(got), got[0], got[len(got)-1])
		}
		if !slices.IsSortedFunc(got, func(a, b point) int { return int(a.x - b.x) }) {
			t.Errorf("%d: out of order", n)
		}
	}
}

// Ticks are few, at round times, on the axis, and no two read the same.
func TestTimeAxis(t *testing.T) {
	for _, end := range []float64{1e-6, 0.0031, 0.9, 1, 1.8, 7, 59, 61, 200, 3599, 3601, 9000, 86000, 2e5, 4e7} {
		for _, low := range []float64{0, end * 0.9} {
			for _, n := range []int{3, 4, 7} {
				a := timeAxis(low, end, n)
				seen := map[string]bool{}
				for _, k := range a.ticks {
					if k.at < low || k.at > end*1.001 || seen[k.text] {
						t.Errorf("%v to %v: tick %v %q, of %v", low, end, k.at, k.text, a.ticks)
					}
					seen[k.text] = true
				}
				if len(a.ticks) > n+1 || low == 0 && len(a.ticks) < 2 {
					t.Errorf("%v to %v: %d ticks, wanted about %d", low, end, len(a.ticks), n)
				}
			}
		}
	}
}

func TestRateAxis(t *testing.T) {
	for _, top := range []float64{0, 1, 700, 1 << 10, 3.3e6, 11e9, 1e15} {
		a := rateAxis(top, 5)
		if len(a.ticks) < 1 || len(a.ticks) > 7 || a.high < top {
			t.Errorf("%v: up to %v, %d ticks", top, a.high, len(a.ticks))
		}
	}
	if a := rateAxis(11.7*(1<<30), 5); a.name != "GiB/s" || a.ticks[1].text != "5" || a.ticks[1].at != 5*(1<<30) {
		t.Errorf("%+v", a)
	}
}

func TestFrame(t *testing.T) {
	f := newFrame(300, 200, 40, 10, 20, 30, axis{low: 10, high: 20}, percentAxis(""))
	for _, c := range []struct{ got, want float64 }{
		{f.px(10), 40}, {f.px(20), 290}, {f.px(15), 165}, {f.px(99), 290}, {f.px(-5), 40},
		{f.py(0), 170}, {f.py(1), 20}, {f.py(math.NaN()), math.NaN()},
	} {
		if c.got != c.want && !math.IsNaN(c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	f.curve("s1", []point{{10, 0}, {12, 0}, {15, 1}, {15, 1}, {20, 1}}, true, "")
	if got := f.Marks[len(f.Marks)-1].D; got != "M40 170H90H165V20H290" {
		t.Errorf("steps: %s", got)
	}
	f.curve("s1", []point{{10, 0}, {15, 0.5}, {20, math.Inf(1)}}, false, "")
	if got := f.Marks[len(f.Marks)-1].D; got != "M40 170L165 95L290 20" {
		t.Errorf("lines: %s", got)
	}
}

func TestLevels(t *testing.T) {
	if level(0) != 0 || level(-1) != 0 || level(math.NaN()) != 0 || level(1e-9) != 1 || level(1) != heatLevels || level(7) != heatLevels {
		t.Error("the ends of the scale")
	}
	for i := range 1000 {
		if level(float64(i)/1000) > level(float64(i+1)/1000) {
			t.Errorf("more is less at %d", i)
		}
	}
}

// Every cell is painted once, in the colour of its level.
func TestHeatMarksPaintEachCell(t *testing.T) {
	const columns, rows = 17, 9
	share := func(x, y int) float64 { return float64((x/3*7+y*5)%11) / 10 }
	var painted [rows][columns]string
	for _, m := range heatMarks(columns, rows, share) {
		for cell := range strings.SplitSeq(strings.TrimSuffix(m.D, "z"), "z") {
			var x, y, w, back int
			if n, err := fmt.Sscanf(cell, "M%d %dh%dv1h-%d", &x, &y, &w, &back); n != 4 || w != back {
				t.Fatalf("%q: %v", cell, err)
			}
			for ; w > 0; w-- {
				if painted[y][x] != "" {
					t.Fatalf("%d %d painted twice", x, y)
				}
				painted[y][x], x = m.Class, x+1
			}
		}
	}
	for y := range rows {
		for x := range columns {
			if want := fmt.Sprintf("q%d", level(share(x, y))); painted[y][x] != want {
				t.Errorf("%d %d is %q, not %q", x, y, painted[y][x], want)
			}
		}
	}
}

func TestCompletedCurve(t *testing.T) {
	r := &fleet.Result{All: fleet.GroupResult{Hosts: 2, Completed: 2, Last: 2 * time.Second}, Hosts: []fleet.HostResult{
		{Role: fleet.Seed, Expected: true}, {Expected: true, Done: 2 * time.Second}, {Expected: true, Done: time.Second},
		{Done: time.Millisecond},
	}}
	want := []point{{0, 0}, {1, 0.5}, {2, 1}, {2.12, 1}}
	if got := completed(r); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: seeds and those not expected do not count", got, want)
	}
}

func TestMeanCapacity(t *testing.T) {
	r := &fleet.Result{Utilisation: 0.5, All: fleet.GroupResult{Last: 4 * time.Second}, Samples: []fleet.Sample{
		{At: 2 * time.Second, UpBytes: 700}, {At: 4 * time.Second, UpBytes: 1000}, {At: 9 * time.Second, UpBytes: 1100},
	}}
	if got := meanCapacity(r); got != 500 {
		t.Errorf("%v bytes a second, not 1000 bytes in 4 s at half of it", got)
	}
}

// A run of any size makes plots of a bounded size.
func TestFiguresAreBounded(t *testing.T) {
	r := mixed().result()
	for i := range 20000 {
		r.Hosts = append(r.Hosts, fleet.HostResult{Group: "fast", Expected: true, Done: time.Duration(i) * time.Millisecond})
	}
	sample := r.Samples[9]
	for i := range 5000 {
		sample.At = r.Virtual * time.Duration(i) / 5000
		sample.Copies = make([]float32, 128)
		for k := range sample.Copies {
			sample.Copies[k] = float32((i*131 + k*977) % 20000)
		}
		r.Samples = append(r.Samples, sample)
	}
	slices.SortStableFunc(r.Samples, func(a, b fleet.Sample) int { return int(a.At - b.At) })
	for i := range 500 {
		r.Groups = append(r.Groups, fleet.GroupResult{Name: fmt.Sprint("g", i)})
	}
	for _, f := range figures(r) {
		size := 0
		for _, marks := range [][]mark{f.Wide.Marks, f.Narrow.Marks} {
			if len(marks) > 1500 {
				t.Errorf("%s: %d marks", f.ID, len(marks))
			}
			for _, m := range marks {
				size += len(m.D)
			}
		}
		for _, g := range f.Defs {
			for _, m := range g.Marks {
				size += len(m.D)
			}
		}
		if size > 300_000 || len(f.Wide.Marks) == 0 {
			t.Errorf("%s: paths of %d characters, %d marks", f.ID, size, len(f.Wide.Marks))
		}
	}
}
