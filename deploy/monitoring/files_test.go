package monitoring

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCommitted: the files of the deployment are those that this package makes.
func TestCommitted(t *testing.T) {
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, f := range files {
		made = append(made, f.Path)
		got, err := os.ReadFile(filepath.Join("..", f.Path))
		if err != nil {
			t.Errorf("%v: run go run ./deploy/monitoring/generate", err)
		} else if !bytes.Equal(got, f.Data) {
			t.Errorf("deploy/%s is not what is made: run go run ./deploy/monitoring/generate", f.Path)
		}
	}
	for _, pattern := range []string{"grafana/dashboards/*", "prometheus/rules/*", "grafana/*.yaml"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if rel, _ := filepath.Rel("..", path); !slices.Contains(made, filepath.ToSlash(rel)) {
				t.Errorf("deploy/%s is made by nothing", rel)
			}
		}
	}
}

// TestRunbooks: every alert has its page, with all its parts, and every page its
// alert.
func TestRunbooks(t *testing.T) {
	const root = "../.."
	pages := map[string]bool{}
	for _, a := range Alerts(DefaultTiming()) {
		pages[filepath.Base(a.Runbook())] = true
		page, err := os.ReadFile(filepath.Join(root, a.Runbook()))
		if err != nil {
			t.Errorf("%s: %v", a.Name, err)
			continue
		}
		if !bytes.HasPrefix(page, []byte("# "+a.Name+"\n")) {
			t.Errorf("%s does not begin with %s", a.Runbook(), a.Name)
		}
		for _, part := range []string{"**Meaning.**", "**Impact.**", "**Look at**", "**Mend.**"} {
			if !bytes.Contains(page, []byte("\n"+part)) {
				t.Errorf("%s has no %s", a.Runbook(), part)
			}
		}
		if a.Summary == "" || a.Text == "" || a.Severity != "critical" && a.Severity != "warning" {
			t.Errorf("%s: summary %q, text %q, severity %q", a.Name, a.Summary, a.Text, a.Severity)
		}
	}
	found, err := filepath.Glob(root + "/docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if !pages[filepath.Base(path)] {
			t.Errorf("%s is of no alert", path)
		}
	}
}

// TestRunbooksNamePanels: a panel or row that a page names in italics exists.
func TestRunbooksNamePanels(t *testing.T) {
	var known []string
	for _, d := range Dashboards() {
		for _, p := range d.Panels {
			known = append(known, p.Title)
		}
	}
	for _, a := range Alerts(DefaultTiming()) {
		known = append(known, a.Name)
	}
	for _, a := range Alerts(DefaultTiming()) {
		page, err := os.ReadFile(filepath.Join("../..", a.Runbook()))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(page), "**", "")
		for i, part := range strings.Split(text, "*") {
			if i%2 == 1 && !slices.Contains(known, strings.ReplaceAll(part, "\n", " ")) {
				t.Errorf("%s names the panel %q, which there is not", a.Runbook(), part)
			}
		}
	}
}

func TestPromDuration(t *testing.T) {
	for ms, want := range map[int]string{0: "0s", 500: "500ms", 1500: "1500ms", 30_000: "30s", 60_000: "1m", 600_000: "10m", 90_000: "90s"} {
		if got := promDuration(ms2duration(ms)); got != want {
			t.Errorf("%d ms: %s, want %s", ms, got, want)
		}
	}
}
