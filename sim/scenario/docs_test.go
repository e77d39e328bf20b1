package scenario

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocs holds docs/scenarios.md to the code: it describes every function,
// every field of a result and every preset, and its examples run.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	mentioned := func(name string) bool {
		return regexp.MustCompile("`[^`\n]*\\b" + regexp.QuoteMeta(name) + "\\b[^`\n]*`").MatchString(page)
	}
	for _, name := range Builtins() {
		if !mentioned(name) {
			t.Errorf("%s is not described", name)
		}
	}
	var seen reading
	r := viewResult(sample(), &seen)
	fields := r.AttrNames()
	for _, v := range []*view{
		viewGroup(&sample().All, "", &seen), viewHost(&sample().Hosts[0], "", &seen), viewReply(&sample().Replies[0]),
		viewViolation(&sample().Violations[0]), viewSample(&sample().Samples[0]),
	} {
		fields = append(fields, v.AttrNames()...)
	}
	for _, name := range fields {
		if !mentioned(name) {
			t.Errorf("field %s is not described", name)
		}
	}
	for _, p := range Presets() {
		if !mentioned(p.Name) {
			t.Errorf("preset %s is not listed", p.Name)
		}
	}
	// What the page writes as a call of ours exists.
	for _, m := range regexp.MustCompile("(?m)^- `(\\w+)\\(").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(" "+strings.Join(Builtins(), " ")+" ", " "+m[1]+" ") {
			t.Errorf("there is no function %s", m[1])
		}
	}
	examples := regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(examples) < 3 {
		t.Errorf("%d examples", len(examples))
	}
	for _, m := range examples {
		runMet(t, m[1], nil)
	}
}

// TestParametersOfBuiltins: the page names every argument that a function takes.
func TestParametersOfBuiltins(t *testing.T) {
	b, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"(\w+)\?{0,2}", &`)
	found := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		src, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range names.FindAllStringSubmatch(string(src), -1) {
			found++
			if !regexp.MustCompile("`[^`\n]*\\b" + m[1] + "\\b[^`\n]*`").Match(b) {
				t.Errorf("%s: argument %s is not described", f.Name(), m[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("found only %d arguments", found)
	}
}
