package monitoring

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.yaml.in/yaml/v3"

	"starling/peer"
	"starling/tracker"
)

// need finds a program of Debian's package prometheus.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatalf("%v: install the package prometheus", err)
	default:
		t.Skipf("%v: install the package prometheus", err)
	}
	return ""
}

func promtool(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(need(t, "promtool"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPromtoolConfig(t *testing.T) {
	promtool(t, "", "check", "config", "../prometheus/prometheus.yml")
	out := promtool(t, "", "check", "rules", "../prometheus/rules/starling.yml")
	n := 0
	for _, g := range MakeRules(DefaultTiming()).Groups {
		n += len(g.Rules)
	}
	if !strings.Contains(out, fmt.Sprintf("%d rules found", n)) {
		t.Errorf("not the %d rules that are made:\n%s", n, out)
	}
}

// TestPromtoolPanels: what the panels ask is PromQL, as rules of as many queries.
func TestPromtoolPanels(t *testing.T) {
	var g Group
	g.Name = "panels"
	for i, q := range queries(DefaultTiming()) {
		g.Rules = append(g.Rules, Rule{Record: fmt.Sprintf("panel:q%d", i), Expr: expand(q.expr, "1m")})
	}
	b, err := Rules{Groups: []Group{g}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", path)
}

// TestPromtoolRules runs the unit tests of the rules, of which each alert and
// each recorded name must have some.
func TestPromtoolRules(t *testing.T) {
	files, err := filepath.Glob("../prometheus/tests/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no unit tests: %v", err)
	}
	promtool(t, "", append([]string{"test", "rules"}, files...)...)
	fires, asked := map[string]bool{}, ""
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Tests []struct {
				PromQL []struct {
					Expr    string `yaml:"expr"`
					Samples []any  `yaml:"exp_samples"`
				} `yaml:"promql_expr_test"`
			} `yaml:"tests"`
		}
		if err := yaml.Unmarshal(b, &doc); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, test := range doc.Tests {
			for _, q := range test.PromQL {
				asked += q.Expr + "\n"
				if len(q.Samples) > 0 {
					fires[q.Expr] = true
				}
			}
		}
	}
	for _, g := range MakeRules(DefaultTiming()).Groups {
		for _, r := range g.Rules {
			if r.Alert != "" && !fires[`ALERTS{alertname="`+r.Alert+`", alertstate="firing"}`] {
				t.Errorf("%s fires in no unit test", r.Alert)
			}
			// The rates are the input of what is asked for.
			if r.Record != "" && r.Record != recReceived && r.Record != recSent && !strings.Contains(asked, r.Record) {
				t.Errorf("%s is asked for in no unit test", r.Record)
			}
		}
	}
}

// TestPromtoolMetrics: the linter of Prometheus finds nothing in the exposition.
func TestPromtoolMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	tracker.NewMetrics(reg)
	peer.NewMetrics(reg)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if out := promtool(t, w.Body.String(), "check", "metrics"); strings.TrimSpace(out) != "" {
		t.Errorf("promtool check metrics: %s", out)
	}
}
