package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"starling/sim/fleet"
)

//go:embed page.tmpl
var pageSource string

//go:embed style.css
var style string

// What a page shows of lists that may be long.
const (
	pageGroups     = 100
	pageViolations = 100
	pageNotes      = 50
)

// sheet is one drawing of a figure, for the template.
type sheet struct {
	Figure  figure
	Drawing drawing
	Screen  string
}

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"sheet": func(f figure, d drawing, screen string) sheet { return sheet{f, d, screen} },
}).Parse(pageSource))

// tile is a number that is worth large letters.
type tile struct{ Name, Value, Note string }

// grid is a table.
type grid struct {
	Head []string
	Rows []gridRow
}

type gridRow struct {
	Cells []string
	Link  string // of the first cell
	Wins  bool
}

// runPage is what the template run shows.
type runPage struct {
	Title, Name, Answer, Setting string
	Style                        template.CSS
	Broken                       string
	Violations                   []string
	Tiles                        []tile
	Limit, Why                   string
	Figures                      []figure
	Groups                       grid
	GroupsNote                   string
	Notes, Foot                  []string
}

// page writes report.html.
func page(w io.Writer, r *fleet.Result) error {
	p := runPage{
		Title: "starling sim: " + clean(r.Name), Name: "Simulation: " + clean(r.Name),
		Answer: headline(r), Setting: settings(r), Style: template.CSS(style),
		Tiles: tiles(r), Figures: figures(r), Foot: foot(r),
	}
	if n := len(r.Violations); n > 0 {
		p.Broken = plural(n, "invariant") + " broken: a fault of the code"
		for i, v := range r.Violations {
			if i == pageViolations {
				p.Violations = append(p.Violations, fmt.Sprintf("and %s more, in result.json", count(n-i)))
				break
			}
			p.Violations = append(p.Violations, violationText(&v))
		}
	}
	if r.LimitedBy != "" {
		p.Limit, p.Why = "Limited by "+limitText(r.LimitedBy), r.Why
		if p.Why != "" {
			p.Limit += ":"
		}
	}
	p.Notes = r.Notes[:min(len(r.Notes), pageNotes)]
	if r.All.Hosts > 0 {
		rows := groupRows(r, pageGroups)
		p.Groups.Head = rows[0]
		for _, row := range rows[1:] {
			p.Groups.Rows = append(p.Groups.Rows, gridRow{Cells: row})
		}
		if staggered(r) {
			p.GroupsNote = "Percentiles count from each host's arrival, last and bound from the beginning."
		}
	}
	return pages.ExecuteTemplate(w, "run", p)
}

// tiles are the figures at the head of the page.
func tiles(r *fleet.Result) []tile {
	all := &r.All
	last := tile{"Last host complete", span(all.Last), fmt.Sprintf("%s of %s", count(all.Completed), plural(all.Hosts, "host"))}
	if all.Hosts == 0 {
		last = tile{"Run", span(r.Virtual), "without leechers"}
	}
	bound := tile{"Against the bound", ratioText(all.Ratio), "no bound"}
	if all.Bound > 0 {
		bound.Note = "of " + span(all.Bound) + " (" + all.BoundName + ")"
	}
	half, late := tile{"Half of the hosts", "-", "p50"}, tile{"99 of 100", "-", "p99"}
	if all.Completed > 0 {
		half.Value, late.Value = span(all.P50), span(all.P99)
		half.Note += ", since its arrival"
		late.Note += ", p99.9 " + span(all.P999)
	}
	return []tile{
		last, bound, half, late,
		{"Uplinks busy", percent(r.Utilisation), "of their capacity"},
		{"The seed sent", fmt.Sprintf("%.2f", r.SeedCopies), "copies of the content"},
	}
}

// foot says what makes the run again and what it took.
func foot(r *fleet.Result) []string {
	var parts []string
	for _, s := range []string{
		fmt.Sprintf("Simulated %s of %s in %s%s, %s events.", span(r.Virtual), plural(len(r.Hosts), "host"), span(r.Wall), speed(r), count(r.Events)),
		fmt.Sprintf("rng seed %d, trace %s", r.RNGSeed, r.TraceHash),
	} {
		parts = append(parts, strings.TrimSpace(s))
	}
	return parts
}
