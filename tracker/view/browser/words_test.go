package browser

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/tracker/fleet"
)

// numbers is what a page says in its figures and tables.
const numbers = `JSON.stringify(["mean", "done", "left", "moving", "parts-text", "late", "host-count"].map((id) => document.getElementById(id).innerText.replace(/\s+/g, " ").trim())
	.concat(...[["#groups", 200], ["#hosts", 15]].map(([t, most]) => [...document.querySelectorAll(t + " tbody tr:not(.gap, [hidden])")].slice(0, most)
	.map((r) => r.innerText.replace(/\s+/g, " ").trim()))))`

// settled is whether a page with scripts has all hosts.
const settled = `document.getElementById("live").dataset.state === "on" && document.querySelector("#groups tbody tr")?.bar !== undefined && document.querySelectorAll("#hosts [aria-rowindex]").length > 2`

// said is what a page says, in parts.
func (tb *tab) said() (parts []string) {
	tb.t.Helper()
	if err := json.Unmarshal([]byte(eval[string](tb, numbers)), &parts); err != nil {
		tb.t.Fatal(err)
	}
	return parts
}

// TestWithAndWithoutScripts: the server and the page's scripts say the same of the same
// moment, in the same order, however odd the hosts are.
func TestWithAndWithoutScripts(t *testing.T) {
	s := newSite(t)
	s.at(t, 70)
	odd, r := newOdd(t)
	time.Sleep(1100 * time.Millisecond) // the trackers' views are then of this moment
	plain, live := newTab(t, look{width: 1440, height: 900, noScript: true}), newTab(t, desktop)
	for _, url := range []string{
		s.path(s.rollouts[0]), odd.path(r) + "?by=rack", odd.path(r) + "?by=zone&sort=down", odd.path(r) + "?by=host&label=zone&value=z3",
		s.path(s.rollouts[1]) + "?by=host&sort=node",
	} {
		plain.open(url)
		live.open(url)
		live.until(settled)
		want, got := plain.said(), live.said() // the tools' scripts run where the page's do not
		if !slices.Equal(got, want) {
			t.Errorf("%s\nwith scripts\n%s\nwithout\n%s", url, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if text := strings.Join(want, "\n"); len(want) < 10 || strings.Count(text, "%") < 12 {
			t.Errorf("without scripts the page says %s", text)
		}
	}
	for _, tb := range []*tab{plain, live} {
		tb.open(odd.path(r) + "?by=zone&sort=node")
		if tb == live {
			tb.until(settled)
		}
		if n := eval[int](tb, `document.querySelectorAll("img").length`); n != 0 {
			t.Error("what a host calls itself has become an element")
		}
		if !eval[bool](tb, `document.body.innerText.includes("<img src=x onerror=")`) {
			t.Error("the odd name is not shown")
		}
		tb.quiet()
	}
}

// TestPageAndStatus: of one state of the tracker, the page has the numbers that
// `starling status` prints.
func TestPageAndStatus(t *testing.T) {
	s, r := newOdd(t)
	time.Sleep(1100 * time.Millisecond)
	hash := fmt.Sprintf("%x", r.hash)
	var doc struct{ Status fleet.Status }
	if err := json.Unmarshal([]byte(once(t, "status", hash, "--tracker", s.url, "--by", "zone", "--json")), &doc); err != nil {
		t.Fatal(err)
	}
	st := doc.Status
	tb := newTab(t, desktop)
	tb.open(s.path(r) + "?by=zone")
	tb.until(settled)
	got := eval[string](tb, `JSON.stringify([...document.querySelectorAll("#groups tbody tr")].map((r) => [...r.cells].slice(0, 4).map((c) => c.innerText.trim())))`)
	var rows [][]string
	if err := json.Unmarshal([]byte(got), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(st.Groups) || len(rows) < 13 {
		t.Fatalf("%d groups on the page, %d in the status", len(rows), len(st.Groups))
	}
	means := map[string]string{} // as status prints them for people
	for _, line := range strings.Split(once(t, "status", hash, "--tracker", s.url, "--by", "zone"), "\n") {
		if m := regexp.MustCompile(`^(\S+)\s+\d+\s+\d+\s+([0-9.]+)%`).FindStringSubmatch(line); m != nil {
			means[m[1]] = strings.TrimSuffix(m[2]+" %", ".0 %")
		}
	}
	for _, row := range rows {
		i := slices.IndexFunc(st.Groups, func(g fleet.Group) bool { return g.Name == row[0] || g.Name == "" && row[0] == "no zone" })
		if i < 0 {
			t.Errorf("%q is no group of the status", row[0])
			continue
		}
		g := st.Groups[i]
		want := []string{row[0], tb.word("percent", g.Mean), fmt.Sprintf("%d of %d", g.Done, g.Hosts), tb.word("left", g.LeftS)}
		if !slices.Equal(row, want) {
			t.Errorf("the page says %q, status %q", row, want)
		}
		if mean := strings.TrimSuffix(row[1], ".0 %"); g.Name != "" && g.Name != evil && strings.TrimSuffix(mean, " %") != strings.TrimSuffix(means[g.Name], " %") {
			t.Errorf("%s: the page says %q, status %q", g.Name, row[1], means[g.Name])
		}
	}
	if got, want := tb.text("mean"), tb.word("percent", st.Mean); got != want {
		t.Errorf("the page says that %s arrived, status %s", got, want)
	}
	if got, want := tb.text("done"), fmt.Sprintf("%d of %d", st.Done, st.Hosts); got != want {
		t.Errorf("the page says that %s hosts are done, status %s", got, want)
	}
	var late []string
	for _, one := range st.Stragglers[:8] {
		late = append(late, one.Node+" "+tb.word("percent", one.Done)+" "+tb.word("late", one))
	}
	onPage := eval[[]string](tb, `[...document.querySelectorAll("#late li")].map((li) => [...li.children].map((c) => c.innerText).join(" "))`)
	if !reflect.DeepEqual(onPage, late) {
		t.Errorf("the page names\n%s\nstatus\n%s", strings.Join(onPage, "\n"), strings.Join(late, "\n"))
	}
}

// word is what a function of the page's words makes of a value.
func (tb *tab) word(fn string, v any) string {
	tb.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.t.Fatal(err)
	}
	return eval[string](tb, fmt.Sprintf(`import("/assets/words.js").then((m) => m[%q](%s))`, fn, b))
}

// TestWords: the words of the scripts are those of the server; package view has the same
// table.
func TestWords(t *testing.T) {
	s := newBareSite(t)
	tb := newTab(t, desktop)
	tb.open(s.url)
	type dict = map[string]any
	for _, c := range []struct {
		fn   string
		of   any
		want string
	}{
		{"bytes", -1, "0 B"}, {"bytes", 999, "999 B"}, {"bytes", 1000, "1.0 KiB"}, {"bytes", 131 << 30, "131 GiB"}, {"bytes", 9 << 18, "2.2 MiB"},
		{"bytes", 15 << 18, "3.8 MiB"}, {"bytes", 201 << 19, "100 MiB"}, {"bytes", 203 << 19, "102 MiB"}, {"rate", 512, "512 B/s"},
		{"percent", 0, "0 %"}, {"percent", 0.57, "57.0 %"}, {"percent", 0.99999, "99.9 %"}, {"percent", 1 - 1e-12, "99.9 %"}, {"percent", 1, "100 %"},
		{"left", nil, ""}, {"left", 99, "99 s"}, {"left", 100, "2 min"}, {"left", 7500, "2 h 05 min"}, {"left", 400000, "4 d"},
		{"count", 1234567, "1,234,567"}, {"copies", 3.29, "3.2"}, {"copies", 1570.1, "1,570"},
		{"rarest", []float64{1, 1}, "Every part is on 1 host."}, {"rarest", []float64{1, 3.5}, "The rarest part is on 1 host, the commonest on 3.5."},
		{"late", dict{"why": "disk", "state": "downloading", "left_s": 9, "seen_s": 89}, "its disk is slow, 9 s left"},
		{"late", dict{"why": "disk", "state": "downloading", "left_s": 9, "seen_s": 120}, "nothing was heard of it for 2 min"},
		{"late", dict{"why": "peers", "state": "stalled", "left_s": nil, "seen_s": 1}, "stalled: its peers send no more"},
		{"late", dict{"why": "none", "state": "stalled", "left_s": nil, "seen_s": 1}, "gets nothing at the moment"},
	} {
		if got := tb.word(c.fn, c.of); got != c.want {
			t.Errorf("%s of %v is %q, want %q", c.fn, c.of, got, c.want)
		}
	}
}
