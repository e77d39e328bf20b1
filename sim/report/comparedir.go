package report

import (
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

var compareColumns = []string{
	"run", "folder", "rng_seed", "trace_hash", "choke", "picker", "piece_bytes", "max_peers", "hosts", "completed",
	"p50_s", "p90_s", "p99_s", "p999_s", "last_s", "bound_s", "bound", "ratio", "uplink_utilisation", "seed_copies", "violations",
}

// What a comparison draws: runs beyond these are only in the table.
const (
	compareColours = 8
	compareCurves  = 2 * compareColours
	compareBars    = 40
)

// WriteCompareDir writes each run as WriteDir does, into a folder of dir that
// is named after its label, and compare.csv and compare.html into dir itself.
func WriteCompareDir(dir string, runs []Labelled) error {
	names := folders(runs)
	for i, run := range runs {
		if err := WriteDir(filepath.Join(dir, names[i]), run.Result); err != nil {
			return err
		}
	}
	return writeFiles(dir, []file{
		{"compare.csv", func(w io.Writer) error { return compareCSV(w, runs, names) }},
		{"compare.html", func(w io.Writer) error { return comparePage(w, runs, names) }},
	})
}

// folders are names of folders, one a run, all different.
func folders(runs []Labelled) []string {
	const longest = 60
	used := map[string]bool{}
	var names []string
	for i, run := range runs {
		var b strings.Builder
		for _, r := range strings.ToLower(run.Label) {
			switch {
			case b.Len() >= longest:
			case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '=' || r == '_':
				b.WriteRune(r)
			case r == '.' && b.Len() > 0:
				b.WriteRune(r)
			case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
				b.WriteByte('-')
			}
		}
		name := strings.TrimRight(b.String(), "-.")
		if name == "" {
			name = "run"
		}
		if used[name] {
			name += "-" + strconv.Itoa(i+1)
		}
		for used[name] {
			name += "-again"
		}
		used[name] = true
		names = append(names, name)
	}
	return names
}

func compareCSV(w io.Writer, runs []Labelled, names []string) error {
	return rows(w, compareColumns, func(put func(...string)) {
		for i, run := range runs {
			r := run.Result
			g := newGroupDoc(&r.All)
			put(run.Label, names[i], number(r.RNGSeed), r.TraceHash, r.Policy, r.Strategy, number(r.PieceLength), number(r.MaxRemotes),
				number(g.Hosts), number(g.Completed), optional(g.P50), optional(g.P90), optional(g.P99), optional(g.P999),
				optional(g.Last), optional(g.Bound), g.BoundName, optional(g.Ratio),
				decimal(r.Utilisation), decimal(r.SeedCopies), number(len(r.Violations)))
		}
	})
}

func optional(v *float64) string {
	if v == nil {
		return ""
	}
	return decimal(*v)
}

// compareDoc is what the template compare shows.
type compareDoc struct {
	Title, Name, Answer string
	More                []string // what else is to say of the answer
	Style               template.CSS
	Runs                grid
	Figures             []figure
}

// comparePage writes compare.html.
func comparePage(w io.Writer, runs []Labelled, names []string) error {
	doc := compareDoc{
		Title: "starling sim: comparison", Name: "Simulation: " + plural(len(runs), "run") + " compared",
		Style: template.CSS(style),
	}
	if v := verdict(runs); len(v) > 0 {
		doc.Answer = sentence(v[0])
		for _, more := range v[1:] {
			doc.More = append(doc.More, sentence(more)+".")
		}
	}
	k := rank(runs)
	winners := map[string]bool{}
	for _, run := range k.runs[:k.ties] {
		winners[run.Label] = len(runs) > 1 && !unlike(runs)
	}
	all := compareRows(runs)
	doc.Runs.Head = all[0]
	for i, row := range all[1:] {
		doc.Runs.Rows = append(doc.Runs.Rows, gridRow{Cells: row, Link: names[i] + "/report.html", Wins: winners[runs[i].Label]})
	}
	doc.Figures = []figure{overlay(runs), bars(runs)}
	return pages.ExecuteTemplate(w, "compare", doc)
}

// sentence begins with a capital letter.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// curveClass is a look of its own for each of compareCurves curves.
func curveClass(i int) string {
	class := "s" + strconv.Itoa(i%compareColours+1)
	if i%compareCurves >= compareColours {
		class += " dashed"
	}
	return class
}

// overlay is the completions of all runs over one another.
func overlay(runs []Labelled) figure {
	f := figure{ID: "completions", Title: "Completions over time"}
	shown := runs[:min(len(runs), compareCurves)]
	end := 0.0
	var curves [][]point
	for _, run := range shown {
		curves = append(curves, completed(run.Result))
		end = max(end, horizon(run.Result))
	}
	f.both(func(w, h int) drawing {
		c := newFrame(w, h, 42, 10, 24, 42, timeAxis(0, end, w/80), percentAxis("share of leechers"))
		for i, points := range curves {
			if len(points) > 0 {
				// Where one run is over, the others may go on.
				points = append(points[:len(points):len(points)], point{end, points[len(points)-1].y})
				c.curve(curveClass(i), points, true, clean(shown[i].Label))
			}
		}
		return c.drawing
	}, 330, 280)
	for i, run := range shown {
		f.Keys = append(f.Keys, key{Class: curveClass(i), Text: clean(run.Label)})
	}
	f.Says = "Further to the left is sooner; steeper is fairer."
	if len(shown) < len(runs) {
		f.Says = join(f.Says, fmt.Sprintf("The first %d of %d runs.", len(shown), len(runs)))
	}
	return f
}

// bars are when the last host was complete, a bar a run, with the bound.
func bars(runs []Labelled) figure {
	f := figure{ID: "last", Title: "Last host complete"}
	shown := runs[:min(len(runs), compareBars)]
	end := 0.0
	for _, run := range shown {
		end = max(end, seconds(run.Result.All.Last), seconds(run.Result.All.Bound))
	}
	end = max(end, 1e-6)
	const row = 44
	height := len(shown)*row + 56
	f.both(func(w, h int) drawing {
		c := newFrame(w, h, 10, 64, 6, 42, timeAxis(0, end, w/90), axis{high: 1})
		for i, run := range shown {
			all := &run.Result.All
			foot := 6 + float64(i+1)*row - 8
			c.text("label", c.left, foot-20, "start", shorten(clean(run.Label), w/10))
			until := max(seconds(all.Last), 0)
			c.rect("bar", c.left, foot-14, c.px(until)-c.left, 14, clean(run.Label)+": "+span(all.Last))
			c.text("tick", c.px(until)+6, foot-3, "start", span(all.Last))
			if all.Bound > 0 {
				x := c.px(seconds(all.Bound))
				c.line("half", x, foot-15, x, foot+3)
			}
		}
		return c.drawing
	}, height, height)
	f.Keys = []key{{Class: "bar", Text: "last host complete"}, {Class: "half", Text: "lower bound"}}
	f.Says = "A run's lower bound depends on its piece size."
	if len(shown) < len(runs) {
		f.Says = join(f.Says, fmt.Sprintf("The first %d of %d runs.", len(shown), len(runs)))
	}
	return f
}
