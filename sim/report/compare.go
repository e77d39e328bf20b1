package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"starling/sim/fleet"
)

// Labelled is a run and what distinguishes it from the others of a comparison,
// such as "rarest, 256 KiB".
type Labelled struct {
	Label  string
	Result *fleet.Result
}

const (
	// tie is the difference, as a share of the time, that decides nothing.
	tie = 0.01
	// fewCopies is a difference in what the seed sends that is worth a word.
	fewCopies = 0.05
)

// CompareText writes runs side by side, and which one wins by how much. The
// error is w's.
func CompareText(w io.Writer, runs []Labelled) error {
	b := bufio.NewWriter(w)
	table(b, defaultWidth, compareRows(runs))
	if v := verdict(runs); len(v) > 0 {
		fmt.Fprintln(b)
		wrap(b, defaultWidth, "", strings.Join(v, "; "))
	}
	return b.Flush()
}

// compareRows are a table with a row for each run, the heads first.
func compareRows(runs []Labelled) [][]string {
	rows := [][]string{{"", "done", "p50", "p99", "last", "ratio", "uplinks", "copies"}}
	for _, run := range runs {
		r := run.Result
		row := []string{clean(run.Label), fmt.Sprintf("%d/%d", r.All.Completed, r.All.Hosts), "-", "-"}
		if r.All.Completed > 0 {
			row[2], row[3] = span(r.All.P50), span(r.All.P99)
		}
		rows = append(rows, append(row, span(r.All.Last), ratioText(r.All.Ratio),
			percent(r.Utilisation), fmt.Sprintf("%.2f", r.SeedCopies)))
	}
	return rows
}

// ranking is runs by when the last host was complete, without those that
// cannot win.
type ranking struct {
	runs []Labelled // the soonest first; equals as they were given
	ties int        // how many at the head are within a tie of the first
	lost []string   // why each of the others cannot win
}

func rank(runs []Labelled) ranking {
	var k ranking
	for _, run := range runs {
		switch r := run.Result; {
		case len(r.Violations) > 0:
			k.lost = append(k.lost, clean(run.Label)+" broke an invariant")
		case r.All.Completed < r.All.Hosts || r.All.Hosts == 0 || r.All.Last <= 0:
			k.lost = append(k.lost, clean(run.Label)+" did not complete")
		default:
			k.runs = append(k.runs, run)
		}
	}
	slices.SortStableFunc(k.runs, func(a, b Labelled) int { return int(a.Result.All.Last - b.Result.All.Last) })
	for _, run := range k.runs {
		if sooner(k.runs[0], run) < tie {
			k.ties++
		}
	}
	return k
}

// sooner is by what share of b's time a is sooner than b.
func sooner(a, b Labelled) float64 {
	return 1 - seconds(a.Result.All.Last)/seconds(b.Result.All.Last)
}

// verdict says which run wins by how much, and then what else is to say of it;
// nothing if there is only one run.
func verdict(runs []Labelled) []string {
	if len(runs) < 2 {
		return nil
	}
	k := rank(runs)
	var clauses []string
	switch {
	case len(k.runs) == 0:
		clauses = []string{"nothing wins"}
	case unlike(runs):
		clauses = []string{closest(k.runs)}
	case len(k.runs) == 1:
		clauses = []string{fmt.Sprintf("%s wins with %s: no other counts", clean(k.runs[0].Label), span(k.runs[0].Result.All.Last))}
	case k.ties > 1:
		clauses = tied(k)
	default:
		clauses = won(k.runs)
	}
	return append(clauses, k.lost...)
}

// won is about a clear winner.
func won(runs []Labelled) []string {
	first, second, last := runs[0], runs[1], runs[len(runs)-1]
	clauses := []string{fmt.Sprintf("%s wins: the last host is complete in %s, %s sooner than with %s (%s)", clean(first.Label),
		span(first.Result.All.Last), percent(sooner(first, second)), clean(second.Label), span(second.Result.All.Last))}
	if len(runs) > 2 {
		clauses = append(clauses, fmt.Sprintf("the slowest, %s, takes %s, so the winner is %s sooner", clean(last.Label),
			span(last.Result.All.Last), percent(sooner(first, last))))
	}
	switch more := first.Result.SeedCopies - second.Result.SeedCopies; {
	case more >= fewCopies:
		clauses = append(clauses, fmt.Sprintf("its seed sends %.2f copies more than the next one's", more))
	case more <= -fewCopies:
		clauses = append(clauses, fmt.Sprintf("its seed sends %.2f copies fewer than the next one's", -more))
	}
	return clauses
}

// tied is about runs between which there is no difference to speak of.
func tied(k ranking) []string {
	var names []string
	least, most := k.runs[0], k.runs[0]
	for _, run := range k.runs[:k.ties] {
		names = append(names, clean(run.Label))
		if run.Result.SeedCopies < least.Result.SeedCopies {
			least = run
		}
		if run.Result.SeedCopies > most.Result.SeedCopies {
			most = run
		}
	}
	clauses := []string{fmt.Sprintf("%s tie, with less than 1 %% between them (%s)", list(names), span(k.runs[0].Result.All.Last))}
	if k.ties < len(k.runs) {
		next := k.runs[k.ties]
		clauses = append(clauses, fmt.Sprintf("the next, %s, takes %s, so they are %s sooner", clean(next.Label),
			span(next.Result.All.Last), percent(sooner(k.runs[0], next))))
	}
	if most.Result.SeedCopies-least.Result.SeedCopies >= fewCopies {
		clauses = append(clauses, fmt.Sprintf("of them the seed sends least with %s: %.2f copies", clean(least.Label), least.Result.SeedCopies))
	}
	return clauses
}

// unlike says whether the runs had different things to do, so that their times
// do not compare.
func unlike(runs []Labelled) bool {
	for _, run := range runs {
		if run.Result.Size != runs[0].Result.Size || run.Result.All.Hosts != runs[0].Result.All.Hosts {
			return true
		}
	}
	return false
}

// closest is about runs of different size: they compare by ratio.
func closest(runs []Labelled) string {
	best := runs[0]
	for _, run := range runs {
		if run.Result.All.Ratio <= 0 {
			return "the runs are of different size and not all have a bound: nothing wins"
		}
		if run.Result.All.Ratio < best.Result.All.Ratio {
			best = run
		}
	}
	return fmt.Sprintf("the runs are of different size, so only ratios compare: %s is closest to its bound (%s)",
		clean(best.Label), ratioText(best.Result.All.Ratio))
}

// list is "a", "a and b", "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	n := len(names) - 1
	return strings.Join(names[:n], ", ") + " and " + names[n]
}
