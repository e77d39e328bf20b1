package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/sim/fleet"
)

// ran is a run of ten hosts that took so many seconds.
func ran(label string, last, copies float64) Labelled {
	d := time.Duration(last * float64(time.Second))
	return Labelled{label, &fleet.Result{
		Size: 1 << 30, PieceLength: 1 << 20, MaxRemotes: 50, Policy: "cooperative", SeedCopies: copies,
		All: fleet.GroupResult{Name: "all", Hosts: 10, Completed: 10, P50: d, P99: d, Last: d, Bound: 10 * time.Second, Ratio: last / 10},
	}}
}

func stuck(label string) Labelled {
	run := ran(label, 9, 1)
	run.Result.All.Completed, run.Result.All.Last, run.Result.All.Ratio = 9, -1, 0
	return run
}

func faulty(label string) Labelled {
	run := ran(label, 9, 1)
	run.Result.Violations = []fleet.Violation{{Invariant: "I1"}}
	return run
}

func sized(run Labelled, size int64) Labelled {
	run.Result.Size = size
	return run
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		runs []Labelled
		want string
	}{
		{[]Labelled{ran("a", 10, 1)}, ""},
		{[]Labelled{ran("a", 12, 1), ran("b", 10, 1)}, "b wins: the last host is complete in 10.0s, 17 % sooner than with a (12.0s)"},
		{[]Labelled{ran("a", 12, 1), ran("b", 10, 1.5), ran("c", 20, 1)},
			"b wins: the last host is complete in 10.0s, 17 % sooner than with a (12.0s); the slowest, c, takes 20.0s, so the winner is 50 % sooner; its seed sends 0.50 copies more than the next one's"},
		{[]Labelled{ran("a", 12, 2), ran("b", 10, 1)}, "b wins: the last host is complete in 10.0s, 17 % sooner than with a (12.0s); its seed sends 1.00 copies fewer than the next one's"},
		{[]Labelled{ran("a", 10.05, 1), ran("b", 10, 1)}, "b and a tie, with less than 1 % between them (10.0s)"},
		{[]Labelled{ran("a", 10.2, 1), ran("b", 10, 1)}, "b wins: the last host is complete in 10.0s, 2.0 % sooner than with a (10.2s)"},
		{[]Labelled{ran("a", 10.09, 1.5), ran("b", 10, 1), ran("c", 10.05, 1), ran("d", 20, 0.5)},
			"b, c and a tie, with less than 1 % between them (10.0s); the next, d, takes 20.0s, so they are 50 % sooner; of them the seed sends least with b: 1.00 copies"},
		{[]Labelled{stuck("a"), ran("b", 10, 1), faulty("c")}, "b wins with 10.0s: no other counts; a did not complete; c broke an invariant"},
		{[]Labelled{stuck("a"), faulty("c")}, "nothing wins; a did not complete; c broke an invariant"},
		{[]Labelled{ran("a", 12, 1), sized(ran("b", 11, 1), 1<<20)}, "the runs are of different size, so only ratios compare: b is closest to its bound (1.10)"},
	} {
		if got := strings.Join(verdict(c.runs), "; "); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestCompareTextGolden(t *testing.T) {
	var b bytes.Buffer
	runs := []Labelled{{"rarest", mixed().result()}, {"random, with a label that is far too long for the table that it is in", crowd().result()}, stuck("sequential")}
	if err := CompareText(&b, runs); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", b.Bytes())
}

func TestCompareDir(t *testing.T) {
	dir := t.TempDir()
	fast, slow, part := crowd(), crowd(), crowd()
	slow.ratio, part.missing = 1.5, 3
	runs := []Labelled{{"Tit for Tat", slow.result()}, {"../<b>&", fast.result()}, {"tit-for-tat", part.result()}}
	if err := WriteCompareDir(dir, runs); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tit-for-tat", "b", "tit-for-tat-3"} {
		if _, err := os.Stat(filepath.Join(dir, name, "report.html")); err != nil {
			t.Error(err)
		}
	}
	head, lines := readCSV(t, filepath.Join(dir, "compare.csv"))
	if !slices.Equal(head, compareColumns) || len(lines) != 3 || lines[1][0] != "../<b>&" || lines[1][1] != "b" || lines[2][14] != "" {
		t.Errorf("compare.csv: %v", lines)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "compare.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, want := range []string{`<tr class="win"><td><a href="b/report.html">../&lt;b&gt;&amp;</a></td>`, `href="tit-for-tat-3/report.html"`, `class="curve s3"`} {
		if !strings.Contains(page, want) {
			t.Errorf("compare.html has no %s", want)
		}
	}
	if strings.Count(page, `class="win"`) != 1 || strings.Contains(page, "<b>&") {
		t.Error("more than one winner, or a label that is not escaped")
	}
}

func TestFolders(t *testing.T) {
	runs := []Labelled{{Label: "..."}, {Label: "piece=256KiB, picker=rarest"}, {Label: ""}, {Label: "run-3"}, {Label: strings.Repeat("é a", 100)}, {Label: ".hidden"}}
	got := folders(runs)
	want := []string{"run", "piece=256kib-picker=rarest", "run-3", "run-3-4", "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", "hidden"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestManyRunsHaveLooksOfTheirOwn(t *testing.T) {
	var runs []Labelled
	for i := range 50 {
		runs = append(runs, Labelled{fmt.Sprint("run ", i), crowd().result()})
	}
	f := overlay(runs)
	seen := map[string]bool{}
	for _, k := range f.Keys {
		seen[k.Class] = true
	}
	if len(seen) != compareCurves || !strings.Contains(f.Says, "16 of 50") {
		t.Errorf("%d looks; %s", len(seen), f.Says)
	}
	if f := bars(runs); len(f.Wide.Marks) == 0 || !strings.Contains(f.Says, "40 of 50") {
		t.Error(f.Says)
	}
}

func trial(run Labelled, piece int64, usual bool) Trial {
	return Trial{PieceSize: piece, Default: usual, Result: run.Result}
}

func TestAdviceLine(t *testing.T) {
	ask := Ask{Size: 40 << 30, Hosts: 3000}
	scaled := trial(ran("", 10.5, 1.1), 16<<20, false)
	scaled.Bound, scaled.MaxPeers, scaled.Choke = 276*time.Second, 30, "tit-for-tat"
	for name, c := range map[string]struct {
		trials []Trial
		want   string
	}{
		"scaled": {[]Trial{scaled}, "use --piece-size 16MiB, --max-peers 30, --choke tit-for-tat: about 4m50s for 40 GiB to 3,000 hosts (1.05 of the bound), the seed sends 1.10 copies"},
		"soonest": {[]Trial{trial(ran("", 12, 1), 0, true), trial(ran("", 10.5, 1.2), 4<<20, false), trial(stuck(""), 0, false), trial(faulty(""), 0, false)},
			"use --piece-size 4MiB, --max-peers 50, --choke cooperative: about 10.5s for 40 GiB to 3,000 hosts (1.05 of the bound), the seed sends 1.20 copies; the defaults take 12.0s"},
		"a tie is the defaults'": {[]Trial{trial(ran("", 10.5, 1), 4<<20, false), trial(ran("", 10.55, 1), 1<<20, true)},
			"use --piece-size 1MiB, --max-peers 50, --choke cooperative: about 10.6s for 40 GiB to 3,000 hosts (1.06 of the bound), the seed sends 1.00 copies; these are the defaults"},
		"a tie is the frugal one's": {[]Trial{trial(ran("", 10.5, 1.3), 1<<20, true), trial(ran("", 10.55, 1), 4<<20, false)},
			"use --piece-size 4MiB, --max-peers 50, --choke cooperative: about 10.6s for 40 GiB to 3,000 hosts (1.06 of the bound), the seed sends 1.00 copies; the defaults are as fast and send 1.30"},
	} {
		if got, err := AdviceLine(ask, c.trials); got != c.want || err != nil {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, c.want)
		}
	}
	if got, err := AdviceLine(ask, []Trial{trial(stuck(""), 0, false), trial(faulty(""), 0, false)}); err == nil {
		t.Errorf("advice from runs that failed: %s", got)
	}
}
