package report

import (
	"fmt"
	"math"
	"time"

	"starling/sim/fleet"
)

const (
	ridgeGroups = 10
	ridgeBins   = 48
	ridgeHeight = 50  // of a row, in pixels
	ridgeTotal  = 250 // at least, of all rows
)

// distribution is how long the hosts of each group took, a histogram a group.
func distribution(r *fleet.Result) figure {
	f := figure{ID: "distribution", Title: "Time needed, by group"}
	groups := r.Groups
	if len(groups) == 0 {
		groups = []fleet.GroupResult{r.All}
	}
	total := len(groups)
	groups = groups[:min(total, ridgeGroups)]
	times, low, high := tookTimes(r, groups)
	if low > high {
		f.Says = "No host has completed."
		return f
	}
	// Room on both sides, or about a single time.
	room := math.Max((high-low)*0.04, high*0.005)
	low, high = math.Max(low-room, 0), high+room
	row := math.Max(ridgeHeight, ridgeTotal/float64(len(groups)))
	height := int(row)*len(groups) + 60
	f.both(func(w, h int) drawing {
		left := 128.0
		if w < wideWidth {
			left = 92
		}
		x := timeAxis(low, high, (w-int(left))/55)
		x.name = "time since the host's arrival"
		c := newFrame(w, h, left, 12, 18, 42, x, axis{high: 1})
		for i := range groups {
			c.ridge(&groups[i], times[i], 18+float64(i+1)*math.Floor(row)-8, row-14, int(left))
		}
		return c.drawing
	}, height, height)
	f.Keys = []key{{Class: "bar", Text: "hosts"}, {Class: "half", Text: "p50"}, {Class: "late", Text: "p99"}}
	f.Says = "The axis begins where the first host was complete; each group's highest bar is its most frequent time."
	if len(groups) < total {
		f.Says = join(f.Says, fmt.Sprintf("The first %d of %d groups.", len(groups), total))
	}
	return f
}

// tookTimes are the times of each group's hosts, in seconds, and their ends:
// low is above high if there are none.
func tookTimes(r *fleet.Result, groups []fleet.GroupResult) (times [][]float64, low, high float64) {
	index := map[string]int{}
	for i := range groups {
		index[groups[i].Name] = i
	}
	times = make([][]float64, len(groups))
	low, high = math.Inf(1), math.Inf(-1)
	for i := range r.Hosts {
		h := &r.Hosts[i]
		g, known := index[groupName(r, h)]
		if !known || h.Role != fleet.Leecher || !h.Expected || h.Took() < 0 {
			continue
		}
		t := seconds(h.Took())
		times[g] = append(times[g], t)
		low, high = math.Min(low, t), math.Max(high, t)
	}
	return times, low, high
}

// groupName is the group that a host is reported in.
func groupName(r *fleet.Result, h *fleet.HostResult) string {
	if len(r.Groups) == 0 {
		return r.All.Name
	}
	if h.Group == "" {
		return "all"
	}
	return h.Group
}

// ridge draws one group's histogram above a foot, so tall at its highest.
func (f *frame) ridge(g *fleet.GroupResult, times []float64, foot, most float64, left int) {
	f.line("grid", f.left, foot, f.right, foot)
	f.text("label", float64(left)-8, foot-16, "end", shorten(clean(g.Name), left/9))
	f.text("tick", float64(left)-8, foot-2, "end", fmt.Sprintf("%d/%d", g.Completed, g.Hosts))
	if len(times) == 0 {
		f.text("tick", f.left+8, foot-6, "start", "none completed")
		return
	}
	bins, full := make([]int, ridgeBins), 0
	for _, t := range times {
		b := min(int(f.x.share(t)*ridgeBins), ridgeBins-1)
		bins[b]++
		full = max(full, bins[b])
	}
	wide := (f.right - f.left) / ridgeBins
	for b, n := range bins {
		if n == 0 {
			continue
		}
		tall := math.Max(float64(n)/float64(full)*most, 1)
		from := f.x.low + (f.x.high-f.x.low)*float64(b)/ridgeBins
		until := f.x.low + (f.x.high-f.x.low)*float64(b+1)/ridgeBins
		f.rect("bar", f.left+float64(b)*wide+0.5, foot-tall, math.Max(wide-1, 1), tall,
			fmt.Sprintf("%s: %s from %s to %s", clean(g.Name), plural(n, "host"), shortSpan(from), shortSpan(until)))
	}
	for _, m := range []struct {
		class string
		at    time.Duration
	}{{"half", g.P50}, {"late", g.P99}} {
		if m.at >= 0 {
			x := f.px(seconds(m.at))
			f.line(m.class, x, foot-most, x, foot+3)
		}
	}
}

// shortSpan is span of seconds.
func shortSpan(s float64) string { return span(time.Duration(s * float64(time.Second))) }
