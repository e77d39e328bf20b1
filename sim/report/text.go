package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"starling/sim/fleet"
)

// What a terminal shows of lists that may be long; the files have all.
const (
	textGroups     = 12
	textViolations = 10
	textNotes      = 10
)

const defaultWidth, minWidth = 80, 60

// Text writes r for a terminal of the given width in columns (0: 80): the
// answer first. The error is w's.
func Text(w io.Writer, r *fleet.Result, width int) error {
	if width == 0 {
		width = defaultWidth
	}
	width = max(width, minWidth)
	b := bufio.NewWriter(w)
	wrap(b, width, "", headline(r))
	violations(b, r, width)
	fmt.Fprintln(b)
	if r.All.Hosts > 0 {
		rows := groupRows(r, textGroups)
		table(b, width, rows)
		if n := len(shownGroups(r)) + 2 - len(rows); n > 0 {
			fmt.Fprintf(b, "and %s more\n", plural(n, "group"))
		}
		if staggered(r) {
			wrap(b, width, "", "percentiles count from each host's arrival, last and bound from the beginning")
		}
		fmt.Fprintln(b)
		facts(b, r, width)
	}
	for i, n := range r.Notes {
		if i == textNotes {
			fmt.Fprintf(b, "note: %d more, see --out\n", len(r.Notes)-i)
			break
		}
		wrap(b, width, "note: ", clean(n))
	}
	wrap(b, width, "", fmt.Sprintf("simulated %s of %s in %s%s: %s events", span(r.Virtual),
		plural(len(r.Hosts), "host"), span(r.Wall), speed(r), count(r.Events)))
	wrap(b, width, "", fmt.Sprintf("rng seed %d, trace %s", r.RNGSeed, clean(r.TraceHash)))
	return b.Flush()
}

// facts are the lines of what it cost and what held it up.
func facts(w io.Writer, r *fleet.Result, width int) {
	if r.All.Bound > 0 {
		wrap(w, width, "bound     ", span(r.All.Bound)+": "+boundText(r.All.BoundName))
	}
	wrap(w, width, "uplinks   ", percent(r.Utilisation)+" of their capacity carried payload")
	wrap(w, width, "seed      ", fmt.Sprintf("%.2f copies of the content%s", r.SeedCopies, seedShare(r)))
	limit := limitText(r.LimitedBy)
	if r.Why != "" {
		limit += ": " + clean(r.Why)
	}
	wrap(w, width, "limit     ", limit)
	wrap(w, width, "setting   ", settings(r))
}

func violations(w io.Writer, r *fleet.Result, width int) {
	if len(r.Violations) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s BROKEN, this is a fault of the code:\n", strings.ToUpper(plural(len(r.Violations), "invariant")))
	for i, v := range r.Violations {
		if i == textViolations {
			fmt.Fprintf(w, "  and %s more\n", count(len(r.Violations)-i))
			return
		}
		wrap(w, width, "  ", clean(violationText(&v)))
	}
}

// shownGroups are the groups that say more than All does.
func shownGroups(r *fleet.Result) []fleet.GroupResult {
	if len(r.Groups) < 2 {
		return nil
	}
	return r.Groups
}

// groupRows are a table of All and at most limit groups, the heads first.
func groupRows(r *fleet.Result, limit int) [][]string {
	rows := [][]string{{"", "done", "p50", "p90", "p99", "p99.9", "last", "bound", "ratio"}, groupRow(&r.All, "all")}
	groups := shownGroups(r)
	for i := range groups[:min(limit, len(groups))] {
		rows = append(rows, groupRow(&groups[i], clean(groups[i].Name)))
	}
	return rows
}

func groupRow(g *fleet.GroupResult, name string) []string {
	row := []string{name, fmt.Sprintf("%d/%d", g.Completed, g.Hosts)}
	if g.Completed == 0 {
		row = append(row, "-", "-", "-", "-")
	} else {
		row = append(row, span(g.P50), span(g.P90), span(g.P99), span(g.P999))
	}
	bound := "-"
	if g.Bound > 0 {
		bound = span(g.Bound)
	}
	last := span(g.Last)
	if g.Hosts == 0 {
		last = "-"
	}
	return append(row, last, bound, ratioText(g.Ratio))
}

// table writes rows in columns, the first to the left and the others to the
// right. The first is cut where a line would be wider than width.
func table(w io.Writer, width int, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	wide := make([]int, len(rows[0]))
	total := 0
	for c := range wide {
		for _, row := range rows {
			wide[c] = max(wide[c], utf8.RuneCountInString(row[c]))
		}
		total += wide[c] + 2
	}
	if over := total - 2 - width; over > 0 {
		wide[0] = max(wide[0]-over, 4)
	}
	for _, row := range rows {
		fmt.Fprintf(w, "%-*s", wide[0], shorten(row[0], wide[0]))
		for c := 1; c < len(row); c++ {
			fmt.Fprintf(w, "  %*s", wide[c], row[c])
		}
		fmt.Fprintln(w)
	}
}

// wrap writes text after a head, in lines of at most width columns; those
// after the first are indented by the head's width.
func wrap(w io.Writer, width int, head, text string) {
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	line, begun := head, false
	for _, word := range strings.Fields(text) {
		if begun && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			fmt.Fprintln(w, line)
			line, begun = indent, false
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
	}
	fmt.Fprintln(w, line)
}
