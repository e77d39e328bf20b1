package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func rendered(t *testing.T, m made) string {
	t.Helper()
	var b bytes.Buffer
	if err := page(&b, m.result()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageHasItsPlots(t *testing.T) {
	page := rendered(t, mixed())
	for _, id := range []string{"completions", "throughput", "availability", "distribution", "unchokes", "served"} {
		_, section, ok := strings.Cut(page, `<section class="card" id="`+id+`">`)
		section, _, _ = strings.Cut(section, "</section>")
		if !ok || strings.Count(section, `<svg class="plot wide" `) != 1 || strings.Count(section, `<svg class="plot narrow" `) != 1 ||
			!strings.Contains(section, `role="img" aria-label="`) || !strings.Contains(section, "<figcaption>") {
			t.Errorf("plot %s: %.300s", id, section)
		}
	}
	for _, want := range []string{
		"<title>starling sim: rollout</title>", "bound 8.76s", "last 28.2s", "MiB/s", "capacity of the uplinks",
		"cafe wifi", "on all 88", "<b>Limited by the tail:</b>", "rng seed 7, trace 5b2c0f6a90d1e47c",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}

// No name gets out of its place, and nothing but the page is needed.
func TestPageIsSelfContained(t *testing.T) {
	r := broken().result()
	evil := `"><script>alert(1)</script><img src=//example.org/x>`
	r.Why, r.LimitedBy, r.Policy, r.TraceHash, r.All.BoundName = evil, evil, evil, evil, evil
	r.Notes, r.Violations[0].Host, r.Groups[0].Name = []string{evil}, evil, evil
	for i := range r.Hosts {
		r.Hosts[i].Name = evil
		if r.Hosts[i].Group == "cafe wifi" {
			r.Hosts[i].Group = evil
		}
	}
	var b bytes.Buffer
	if err := page(&b, r); err != nil {
		t.Fatal(err)
	}
	if err := comparePage(&b, []Labelled{{evil, r}, {evil + "2", r}}, []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if n := strings.Count(text, "&lt;script&gt;"); n < 8 {
		t.Errorf("the name is shown %d times", n)
	}
	for _, bad := range []string{"<script", "<img", "<iframe", "@import", "javascript:", "http://", "https://", "ZgotmplZ"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"|url\(([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if to := m[1] + m[2]; !strings.HasPrefix(to, "#heat-") && to != "data:," && to != "a/report.html" && to != "b/report.html" {
			t.Errorf("the page refers to %s", to)
		}
	}
}

func TestPageTellsOfFaults(t *testing.T) {
	page := rendered(t, broken())
	for _, want := range []string{
		"1 invariant broken: a fault of the code", "<li>choked at 3.00s, all-004: sent piece 17 to all-009 while it was choked</li>",
		"3 of 88 never completed.", "<td>85/88</td>", "85 of 88 hosts; 3 were not complete",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(page, `class="last"`) {
		t.Error("a mark for a completion that never came")
	}
}

// Each class that a mark or an element has is one that the style sheet knows.
func TestClassesHaveAStyle(t *testing.T) {
	var b bytes.Buffer
	var runs []Labelled
	for i := range 20 {
		runs = append(runs, Labelled{fmt.Sprint("run ", i), mixed().result()})
	}
	if err := comparePage(&b, runs, folders(runs)); err != nil {
		t.Fatal(err)
	}
	text := b.String() + rendered(t, broken())
	_, body, _ := strings.Cut(text, "</style>")
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`class="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		for class := range strings.FieldsSeq(m[1]) {
			if !seen[class] && !regexp.MustCompile(`\.`+class+`\b`).MatchString(style) {
				t.Errorf("class %s has no style", class)
			}
			seen[class] = true
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d classes", len(seen))
	}
	// Light and dark have the same colours.
	light, dark, _ := strings.Cut(style, "prefers-color-scheme: dark")
	dark, _, _ = strings.Cut(dark, "* {")
	for _, m := range regexp.MustCompile(`(--\w+):`).FindAllStringSubmatch(light, -1) {
		if !strings.Contains(dark, m[1]+":") {
			t.Errorf("%s has no dark value", m[1])
		}
	}
}
