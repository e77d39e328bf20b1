package report

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented are the names in the first columns of the tables of a section of
// docs/simulation-output.md, by the table's first head.
func documented(t *testing.T, section, head string) []string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/simulation-output.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(raw), "\n## "+section+"\n")
	if !ok {
		t.Fatalf("no section %s", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	_, text, ok = strings.Cut(text, "\n| "+head+" |")
	if !ok {
		t.Fatalf("%s: no table of each %s", section, head)
	}
	text, _, _ = strings.Cut(text, "\n\n")
	var names []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// fields are the names that a type has in JSON.
func fields(v any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// TestOutputDoc holds docs/simulation-output.md to what is written, in the
// same order.
func TestOutputDoc(t *testing.T) {
	for _, c := range []struct {
		section, head string
		want          []string
	}{
		{"hosts.csv", "column", hostColumns},
		{"samples.csv", "column", sampleColumns},
		{"availability.csv", "column", availabilityColumns},
		{"unchokes.csv", "column", unchokeColumns},
		{"compare.csv", "column", compareColumns},
		{"result.json", "field", fields(fullDocument{})},
		{"result.json", "field of a group", fields(groupDoc{})},
		{"result.json", "field of a reply", fields(replyDoc{})},
		{"result.json", "field of a violation", fields(violationDoc{})},
	} {
		if got := documented(t, c.section, c.head); !slices.Equal(got, c.want) {
			t.Errorf("%s, each %s: the page has %v, the code %v", c.section, c.head, got, c.want)
		}
	}
	// Hosts and samples in JSON are said to be as the tables are.
	if got := fields(hostDoc{}); got[0] != "name" || !slices.Equal(got[1:], hostColumns[1:]) {
		t.Errorf("a host in JSON has %v, the table %v", got, hostColumns)
	}
	if got := fields(sampleDoc{}); !slices.Equal(got, sampleColumns) {
		t.Errorf("a sample in JSON has %v, the table %v", got, sampleColumns)
	}
}
