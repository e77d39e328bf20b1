package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"starling/internal/units"
	"starling/sim/fleet"
)

// linePoints bounds the points of one line.
const linePoints = 400

// figures are the plots of a run, in the order of the page.
func figures(r *fleet.Result) []figure {
	all := []figure{completions(r), throughput(r), availability(r), distribution(r)}
	if matrixSize(r) > 0 {
		all = append(all, unchokes(r), served(r))
	}
	for i := range all {
		// A figure without marks says why and takes no room.
		if len(all[i].Wide.Marks) == 0 && all[i].Says == "" {
			all[i].Says = "The run kept no samples."
		}
		// A line does not begin with the sign.
		all[i].Says = strings.ReplaceAll(all[i].Says, " %", "\u00a0%")
	}
	return all
}

// both makes a figure's drawing for each kind of screen.
func (f *figure) both(draw func(width, height int) drawing, wideHeight, narrowHeight int) {
	f.Wide, f.Narrow = draw(wideWidth, wideHeight), draw(narrowWidth, narrowHeight)
}

// horizon is when the plots end: somewhat after the last completion, or at the
// run's end where one is missing.
func horizon(r *fleet.Result) float64 {
	end := r.Virtual
	if r.All.Hosts > 0 && r.All.Completed == r.All.Hosts {
		end = max(r.All.Last, r.All.Bound) * 106 / 100
	}
	return max(seconds(end), 1e-6)
}

// completed is the share of leechers that had completed, at each completion.
func completed(r *fleet.Result) []point {
	var done []time.Duration
	expected := 0
	for i := range r.Hosts {
		h := &r.Hosts[i]
		if h.Role != fleet.Leecher || !h.Expected {
			continue
		}
		expected++
		if h.Done >= 0 {
			done = append(done, h.Done)
		}
	}
	if expected == 0 {
		return nil
	}
	slices.Sort(done)
	points := []point{{0, 0}}
	for i, t := range done {
		points = append(points, point{seconds(t), float64(i+1) / float64(expected)})
	}
	last := points[len(points)-1]
	return thin(append(points, point{max(horizon(r), last.x), last.y}), linePoints)
}

// thin keeps at most n points, the first and the last among them.
func thin(points []point, n int) []point {
	if len(points) <= n {
		return points
	}
	kept := make([]point, 0, n)
	for i := range n {
		kept = append(kept, points[i*(len(points)-1)/(n-1)])
	}
	return kept
}

// completions are how many hosts were complete at each time, how much of the
// content all had, and the bound.
func completions(r *fleet.Result) figure {
	f := figure{ID: "completions", Title: "Completions over time"}
	done := completed(r)
	if len(done) == 0 {
		return f
	}
	var held []point
	for i := range r.Samples {
		held = append(held, point{seconds(r.Samples[i].At), r.Samples[i].Progress})
	}
	held = thin(held, linePoints)
	f.both(func(w, h int) drawing {
		c := newFrame(w, h, 42, 10, 50, 42, timeAxis(0, horizon(r), w/80), percentAxis("share of leechers, of content"))
		if r.All.Bound > 0 {
			c.upright("bound", seconds(r.All.Bound), 1, "bound "+span(r.All.Bound))
		}
		if r.All.Last >= 0 {
			c.upright("last", seconds(r.All.Last), 0, "last "+span(r.All.Last))
		}
		c.curve("s2", upTo(held, horizon(r)), false, "mean share of the content that leechers held")
		c.curve("s1", done, true, "share of leechers that had completed")
		return c.drawing
	}, 310, 270)
	f.Keys = []key{{Class: "s1", Text: "hosts complete"}, {Class: "s2", Text: "content held, on average"}}
	all := &r.All
	if all.Completed > 0 {
		f.Says = fmt.Sprintf("Half of those that completed took at most %s.", span(all.P50))
	}
	switch {
	case all.Completed < all.Hosts:
		f.Says = join(f.Says, fmt.Sprintf("%s of %s never completed.", count(all.Hosts-all.Completed), count(all.Hosts)))
	default:
		f.Says = join(f.Says, fmt.Sprintf("The last was complete at %s.", span(all.Last)))
	}
	if all.Bound > 0 {
		f.Says = join(f.Says, fmt.Sprintf("No protocol gets there before %s: %s.", span(all.Bound), boundText(all.BoundName)))
	}
	return f
}

// upTo cuts points off at a time.
func upTo(points []point, end float64) []point {
	for i, p := range points {
		if p.x > end {
			return points[:i]
		}
	}
	return points
}

// throughput is the rate of payload sent, by all and by the seeds, in the time
// before each sample.
func throughput(r *fleet.Result) figure {
	f := figure{ID: "throughput", Title: "Throughput"}
	var total, seeds []point
	var peak float64
	step := max((len(r.Samples)+linePoints-1)/linePoints, 1)
	var before fleet.Sample
	for i := 0; i < len(r.Samples); i += step {
		s := &r.Samples[i]
		took := seconds(s.At - before.At)
		if took <= 0 {
			continue
		}
		at := seconds(before.At) + took/2
		up := point{at, float64(s.UpBytes-before.UpBytes) / took}
		total = append(total, up)
		seeds = append(seeds, point{at, float64(s.SeedBytes-before.SeedBytes) / took})
		peak = max(peak, up.y)
		before = *s
	}
	if len(total) < 2 {
		return f
	}
	capacity := meanCapacity(r)
	f.both(func(w, h int) drawing {
		top := max(peak, capacity)
		c := newFrame(w, h, 46, 10, 36, 42, timeAxis(0, horizon(r), w/80), rateAxis(top, 5))
		if capacity > 0 {
			y := c.py(capacity)
			c.line("bound", c.left, y, c.right, y)
		}
		c.curve("s1", upTo(total, horizon(r)), false, "payload a second, all hosts")
		c.curve("s3", upTo(seeds, horizon(r)), false, "payload a second, the seeds")
		return c.drawing
	}, 310, 270)
	f.Keys = []key{{Class: "s1", Text: "all hosts"}, {Class: "s3", Text: "the seeds"}}
	end := &r.Samples[len(r.Samples)-1]
	f.Says = fmt.Sprintf("At most %s at a time; %s in all, %s of it from the seeds.", units.FormatRate(peak),
		bytesText(end.UpBytes), percent(float64(end.SeedBytes)/max(float64(end.UpBytes), 1)))
	if capacity > 0 {
		f.Keys = append(f.Keys, key{Class: "bound", Text: "capacity of the uplinks, mean"})
		f.Says = join(f.Says, fmt.Sprintf("Until the last completion the uplinks could have carried %s; %s of that was used.",
			units.FormatRate(capacity), percent(r.Utilisation)))
	}
	return f
}

// meanCapacity is what all uplinks could send in a second, as the mean over
// the time until the last completion: what they did send, by the share of their
// capacity that it was. 0 if that cannot be told.
func meanCapacity(r *fleet.Result) float64 {
	last := r.All.Last
	if last < 0 {
		last = r.Virtual
	}
	if r.Utilisation <= 0 || last <= 0 || len(r.Samples) == 0 {
		return 0
	}
	at := &r.Samples[len(r.Samples)-1]
	for i := range r.Samples {
		if r.Samples[i].At >= last {
			at = &r.Samples[i]
			break
		}
	}
	return float64(at.UpBytes) / seconds(last) / r.Utilisation
}

// join puts a sentence behind others.
func join(text, sentence string) string {
	if text == "" {
		return sentence
	}
	return text + " " + sentence
}
