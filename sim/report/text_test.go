package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"starling/sim/fleet"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// broken is a run in which much went wrong, and whose names are hostile.
func broken() made {
	m := mixed()
	m.name, m.missing, m.violation = "bad <script>alert(1)</script> \x1b[31m", 3, true
	return m
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update rewrites it); got\n%s", path, got)
	}
}

func TestTextGolden(t *testing.T) {
	for name, m := range map[string]made{"crowd.txt": crowd(), "mixed.txt": mixed(), "broken.txt": broken()} {
		var b bytes.Buffer
		if err := Text(&b, m.result(), 0); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

func TestTextFitsItsWidth(t *testing.T) {
	r := broken().result()
	for i := range r.Groups {
		r.Groups[i].Name = strings.Repeat("a long name ", 9)
	}
	r.Why = strings.Repeat("word ", 80)
	for _, width := range []int{60, 80, 81, 100, 200} {
		var b bytes.Buffer
		if err := Text(&b, r, width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			// The trace's hash is one word.
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > width && !strings.Contains(line, r.TraceHash) {
				t.Errorf("width %d: a line has %d columns: %s", width, n, line)
			}
		}
	}
}

func TestTextEscapesNames(t *testing.T) {
	r := broken().result()
	evil := "\x1b]0;owned\a\u202e\n"
	r.Notes = []string{evil + "note"}
	r.Violations[0].Host, r.Why, r.LimitedBy, r.Policy = evil, evil+"why", evil, evil
	r.Groups[0].Name, r.All.BoundName, r.TraceHash = evil, evil, evil
	var b bytes.Buffer
	if err := Text(&b, r, 80); err != nil {
		t.Fatal(err)
	}
	if err := CompareText(&b, []Labelled{{evil + "a", r}, {evil + "b", crowd().result()}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range b.String() {
		if c == 0x1b || c == '\a' || c == 0x202e {
			t.Fatalf("%q reached the terminal:\n%q", c, b.String())
		}
	}
	if !strings.Contains(b.String(), "?]0;owned??") {
		t.Errorf("the names are not shown:\n%s", b.String())
	}
}

func TestTextListsAreBounded(t *testing.T) {
	r := crowd().result()
	for i := range 1000 {
		r.Groups = append(r.Groups, fleet.GroupResult{Name: fmt.Sprint("g", i), Hosts: 1, Last: -1})
		r.Violations = append(r.Violations, fleet.Violation{Invariant: "I1"})
		r.Notes = append(r.Notes, "note")
	}
	var b bytes.Buffer
	if err := Text(&b, r, 80); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"and 989 groups more", "  and 990 more", "note: 991 more"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\n"); n > 60 {
		t.Errorf("%d lines", n)
	}
}

func TestHeadline(t *testing.T) {
	done := fleet.GroupResult{Hosts: 3000, Completed: 3000, Last: 312 * time.Second, Ratio: 1.04}
	for _, c := range []struct {
		all   fleet.GroupResult
		seeds int
		want  string
	}{
		{done, 1, "40 GiB reached 3,000 hosts in 5m12s, 1.04 of the lower bound; the seed sent 1.02 copies"},
		{done, 2, "40 GiB reached 3,000 hosts in 5m12s, 1.04 of the lower bound; the 2 seeds sent 1.02 copies"},
		{fleet.GroupResult{Hosts: 1, Completed: 1, Last: 1500 * time.Millisecond}, 1,
			"40 GiB reached 1 host in 1.50s; the seed sent 1.02 copies"},
		{fleet.GroupResult{Hosts: 4, Completed: 3, Last: -1}, 1,
			"40 GiB reached 3 of 4 hosts; 1 was not complete when the run ended after 1h00m; the seed sent 1.02 copies"},
		{fleet.GroupResult{}, 1, "no leecher was to complete; the run ended after 1h00m"},
	} {
		r := &fleet.Result{Size: 40 << 30, All: c.all, SeedCopies: 1.02, Virtual: time.Hour}
		for range c.seeds {
			r.Hosts = append(r.Hosts, fleet.HostResult{Role: fleet.Seed})
		}
		if got := headline(r); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{span(-1), "never"}, {span(0), "0s"}, {span(340 * time.Microsecond), "340us"}, {span(640 * time.Millisecond), "640ms"},
		{span(9994 * time.Millisecond), "9.99s"}, {span(9996 * time.Millisecond), "10.0s"}, {span(59960 * time.Millisecond), "1m00s"},
		{span(312400 * time.Millisecond), "5m12s"}, {span(3599 * time.Second), "59m59s"}, {span(3600 * time.Second), "1h00m"},
		{span(49*time.Hour + 5*time.Minute), "49h05m"},
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(int64(-1234567)), "-1,234,567"},
		{bytesText(0), "0 B"}, {bytesText(256 << 10), "256 KiB"}, {bytesText(12800 << 20), "12.5 GiB"}, {bytesText(10 << 30), "10 GiB"},
		{percent(0), "0 %"}, {percent(0.004), "0.4 %"}, {percent(0.0995), "10 %"}, {percent(0.936), "94 %"},
		{shorten("leecher", 7), "leecher"}, {shorten("leechers", 7), "leech.."},
		{squeeze("contributor-10", 12), "contr..or-10"}, {squeeze("seed", 12), "seed"},
		{shortTime(0), "0s"}, {shortTime(0.25), "250ms"}, {shortTime(1.5), "1.5s"}, {shortTime(120), "2m"}, {shortTime(90), "1m30s"}, {shortTime(7200), "2h"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
