package report

import (
	"image"
	"path/filepath"
	"strings"
	"testing"

	"starling/choke"
	"starling/sim/fleet"
	"starling/sim/scenario"
)

// simulated runs a preset.
func simulated(t *testing.T, preset, policy string) *fleet.Result {
	t.Helper()
	src, err := scenario.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Load(preset, src, scenario.Options{
		RNGSeed: 3, Set: map[string]string{"hosts": "18", "size": "16MiB", "policy": policy},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := fleet.Run(t.Context(), &s.Spec, fleet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// needs are the marks that each plot must show, by class: how many there must
// be and how much of the drawing the widest takes.
var needs = map[string][]struct {
	class string
	count int
	width float64
}{
	"completions":  {{"curve s1", 1, 0.7}, {"curve s2", 1, 0.5}, {"bound", 1, 0}, {"last", 1, 0}, {"grid", 5, 0.7}},
	"throughput":   {{"curve s1", 1, 0.5}, {"curve s3", 1, 0.5}, {"bound", 1, 0.7}, {"grid", 3, 0.7}},
	"availability": {{"heat", 1, 0.7}, {"axis", 3, 0.7}},
	"distribution": {{"bar", 3, 0}, {"half", 3, 0}, {"late", 3, 0}, {"grid", 3, 0.5}},
	"unchokes":     {{"heat", 1, 0.4}, {"axis", 1, 0.4}},
	"served":       {{"heat", 1, 0.4}, {"axis", 1, 0.4}},
}

// paints are colours that each plot must show, and in how many pixels.
var paints = map[string]map[string]int{
	"completions":  {"s1": 300, "s2": 100, "soft": 20},
	"throughput":   {"s1": 100, "s3": 100},
	"availability": {"q0": 300, "q9": 5000, "q4": 100},
	"distribution": {"s1": 500},
	"unchokes":     {"q0": 2000, "q1": 300, "q9": 50},
	"served":       {"q0": 2000, "q1": 300, "q9": 50},
}

// TestReportInBrowser opens the report of a real run in headless Chromium: all
// plots have visible marks at a desk's width and a phone's, in light and dark,
// no words overlap or are cut off, nothing overflows, and nothing is loaded.
func TestReportInBrowser(t *testing.T) {
	dir := t.TempDir()
	b := newBrowser(t, dir)
	if err := WriteDir(dir, simulated(t, "heterogeneous", choke.Cooperative)); err != nil {
		t.Fatal(err)
	}
	pages := b.measure("1280,800,400", "/report.html")
	if len(pages) != 3 {
		t.Fatalf("%d widths", len(pages))
	}
	for i := range pages {
		checkLayout(t, &pages[i])
		if len(pages[i].Plots) != len(needs) {
			t.Errorf("%d plots", len(pages[i].Plots))
		}
		for k := range pages[i].Plots {
			checkMarks(t, &pages[i].Plots[k])
		}
	}
	for _, dark := range []bool{false, true} {
		name, scheme := "light", "1"
		if dark {
			name, scheme = "dark", "0"
		}
		for _, p := range pages {
			if p.Width == 1280 {
				img := b.screenshot("/report.html", name, p.Height, "--blink-settings=preferredColorScheme="+scheme)
				checkPaint(t, name, img, p.Plots, dark)
			}
		}
	}
}

func TestComparisonInBrowser(t *testing.T) {
	dir := t.TempDir()
	b := newBrowser(t, dir)
	var runs []Labelled
	for _, policy := range []string{choke.Cooperative, choke.TitForTat} {
		runs = append(runs, Labelled{"policy=" + policy + strings.Repeat(", and so on", 4), simulated(t, "flash-crowd", policy)})
	}
	if err := WriteCompareDir(dir, runs); err != nil {
		t.Fatal(err)
	}
	for _, p := range b.measure("1280,400", "/compare.html") {
		checkLayout(t, &p)
		if len(p.Plots) != 2 {
			t.Fatalf("%d plots", len(p.Plots))
		}
		counts := map[string]int{}
		for _, plot := range p.Plots {
			for _, m := range plot.Marks {
				if m.Box[2] > 0.2*plot.Box[2] {
					counts[m.Class]++
				}
			}
		}
		if counts["curve s1"] != 1 || counts["curve s2"] != 1 || counts["bar"] != 2 {
			t.Errorf("at %d: marks %v", p.Width, counts)
		}
	}
}

// checkLayout wants everything inside the page, and the words of each drawing
// inside it, legible, and clear of one another.
func checkLayout(t *testing.T, p *measured) {
	t.Helper()
	if p.ScrollWidth > p.Width || len(p.Outside) > 0 {
		t.Errorf("%s at %d: the page is %d wide; beyond its edge: %v", p.Page, p.Width, p.ScrollWidth, p.Outside)
	}
	for _, plot := range p.Plots {
		if plot.Drawings != 1 || plot.Box[2] < 250 || plot.Box[3] < 120 {
			t.Errorf("at %d: %s: %d drawings, %v", p.Width, plot.ID, plot.Drawings, plot.Box)
			continue
		}
		for i, a := range plot.Texts {
			if a.Box[0] < -1 || a.Box[1] < -1 || a.Box[0]+a.Box[2] > plot.Box[2]+1 || a.Box[1]+a.Box[3] > plot.Box[3]+1 {
				t.Errorf("at %d: %s: %q is cut off: %v in %v", p.Width, plot.ID, a.Text, a.Box, plot.Box)
			}
			if min(a.Box[2], a.Box[3]) < 5 || max(a.Box[2], a.Box[3]) < 10 {
				t.Errorf("at %d: %s: %q is too small: %v", p.Width, plot.ID, a.Text, a.Box)
			}
			for _, b := range plot.Texts[:i] {
				if overlap(a.Box, b.Box) {
					t.Errorf("at %d: %s: %q lies over %q: %v %v", p.Width, plot.ID, a.Text, b.Text, a.Box, b.Box)
				}
			}
		}
	}
}

// overlap says whether two boxes have more in common than the empty space
// around letters.
func overlap(a, b [4]float64) bool {
	const air = 3
	return a[0]+air < b[0]+b[2] && b[0]+air < a[0]+a[2] && a[1]+air < b[1]+b[3] && b[1]+air < a[1]+a[3]
}

func checkMarks(t *testing.T, plot *measuredPlot) {
	t.Helper()
	for _, need := range needs[plot.ID] {
		count, widest := 0, 0.0
		for _, m := range plot.Marks {
			if m.Class == need.class && m.Box[2]+m.Box[3] > 2 {
				count++
				widest = max(widest, m.Box[2]/plot.Box[2])
			}
		}
		if count < need.count || widest < need.width {
			t.Errorf("%s %v: %d marks of class %q, the widest %.2f of the drawing; want %d and %.2f",
				plot.ID, plot.Box, count, need.class, widest, need.count, need.width)
		}
	}
	if len(plot.Texts) < 5 {
		t.Errorf("%s: only %d words", plot.ID, len(plot.Texts))
	}
}

// checkPaint wants each plot's colours where the plot is, and the page's
// background around it.
func checkPaint(t *testing.T, name string, img image.Image, plots []measuredPlot, dark bool) {
	t.Helper()
	colours := palette(dark)
	if n := pixels(img, [4]float64{0, 0, 1280, 20}, colours["page"]); n != 1280*20 {
		t.Errorf("%s: %d pixels of background along the top", name, n)
	}
	for _, plot := range plots {
		for colour, least := range paints[plot.ID] {
			if n := pixels(img, plot.Box, colours[colour]); n < least {
				t.Errorf("%s: %s shows %d pixels of %s, not %d", name, plot.ID, n, colour, least)
			}
		}
		if n := pixels(img, plot.Box, colours["card"]); n < int(plot.Box[2]*plot.Box[3]/5) {
			t.Errorf("%s: %s: only %d pixels of background", name, plot.ID, n)
		}
	}
}

// Runs of other shapes lie as well: faults, hours, many groups, long names.
func TestUnlikeRunsInBrowser(t *testing.T) {
	long := mixed().result()
	long.Name = strings.Repeat("averyveryverylongname", 9)
	for i := range long.Hosts {
		h := &long.Hosts[i]
		h.Name = "host-with-a-long-name.rack-17.example." + h.Name
		if h.Done >= 0 {
			h.Arrived, h.Done = 1000*h.Arrived, 1000*h.Done
		}
	}
	for i := range long.Samples {
		long.Samples[i].At *= 1000
	}
	scale := func(g *fleet.GroupResult) {
		g.P50, g.P90, g.P99, g.P999, g.Last, g.Bound = 1000*g.P50, 1000*g.P90, 1000*g.P99, 1000*g.P999, 1000*g.Last, 1000*g.Bound
	}
	scale(&long.All)
	for i := range long.Groups {
		scale(&long.Groups[i])
	}
	long.Virtual *= 1000
	for range 20 {
		g := long.Groups[0]
		g.Name = strings.Repeat("group", 9)
		long.Groups = append(long.Groups, g)
	}
	dir := t.TempDir()
	b := newBrowser(t, dir)
	for name, r := range map[string]*fleet.Result{"broken": broken().result(), "long": long, "empty": {Name: "empty"}} {
		if err := WriteDir(filepath.Join(dir, name), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range b.measure("1280,360", "/broken/report.html", "/long/report.html", "/empty/report.html") {
		checkLayout(t, &p)
		plots := len(needs)
		if p.Page == "/empty/report.html" {
			plots = 0
		}
		if len(p.Plots) != plots {
			t.Errorf("%s at %d: %d plots with drawings", p.Page, p.Width, len(p.Plots))
		}
	}
}
