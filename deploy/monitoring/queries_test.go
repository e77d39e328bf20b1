package monitoring

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"starling/peer"
	"starling/tracker"
)

func ms2duration(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }

// query is one that a panel or a rule asks, and where.
type query struct {
	where, expr string
	rule        bool // of a rule: the board's variables are not in it
}

// queries are all that panels and rules ask. Of an alert they are what it compares.
func queries(t Timing) (list []query) {
	for _, d := range Dashboards() {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				list = append(list, query{where: d.UID + ": " + p.Title + " " + target.RefID, expr: target.Expr})
			}
		}
	}
	for _, g := range MakeRules(t).Groups {
		for _, r := range g.Rules {
			for _, m := range r.Measured {
				list = append(list, query{where: "rule " + r.Alert + r.Record, expr: m, rule: true})
			}
		}
	}
	return list
}

// expand puts values for the boards' variables, as Grafana does.
func expand(expr, rateInterval string) string {
	return strings.NewReplacer("$__rate_interval", rateInterval, "$job", ".+", "$instance", ".+").Replace(expr)
}

// selector is a metric in a query, with its matchers as they are written.
type selector struct{ name, matchers string }

var (
	selectorForm = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}`)
	nameForm     = regexp.MustCompile(`\b(?:[a-z_]+:)?starling_[a-z0-9_]+(?::[a-z0-9_]+)?`)
	matcherForm  = regexp.MustCompile(`^([a-z_]+)(=~|!~|!=|=)"([^"]*)"$`)
)

// selectors are those of a query that have matchers.
func selectors(expr string) (list []selector) {
	for _, m := range selectorForm.FindAllStringSubmatch(expr, -1) {
		list = append(list, selector{m[1], m[2]})
	}
	return list
}

// families are the metrics that processes of ours have, by name, and their
// labels' values.
func families(t *testing.T) map[string]map[string][]string {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	tracker.NewMetrics(reg)
	peer.NewMetrics(reg)
	gathered, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string][]string{
		metricUp:         {},
		metricScrapeTime: {},
		metricAlerts:     {"alertname": {"Starling.+"}, "alertstate": {"firing", "pending"}},
		metricBuildInfo:  {}, // of package main, whose tests and TestLiveSwarm see it
	}
	for _, f := range gathered {
		labels := map[string][]string{}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
			}
		}
		if f.GetType() == dto.MetricType_HISTOGRAM {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				out[f.GetName()+suffix] = labels
			}
			continue
		}
		out[f.GetName()] = labels
	}
	return out
}

// TestNamesExist: what a panel or a rule asks for is in the registries or
// recorded, and so are the labels and values that it selects.
func TestNamesExist(t *testing.T) {
	known := families(t)
	for _, g := range MakeRules(DefaultTiming()).Groups {
		for _, r := range g.Rules {
			if r.Record != "" {
				known[r.Record] = map[string][]string{"op": known[peer.MetricDiskDuration+"_sum"]["op"]}
			}
		}
	}
	for _, q := range queries(DefaultTiming()) {
		for _, name := range nameForm.FindAllString(q.expr, -1) {
			if known[name] == nil {
				t.Errorf("%s asks for %s, which nobody has", q.where, name)
			}
		}
		for _, s := range selectors(q.expr) {
			if known[s.name] == nil {
				t.Errorf("%s asks for %s, which nobody has", q.where, s.name)
			}
			checkMatchers(t, q.where, s, known[s.name])
		}
	}
}

func checkMatchers(t *testing.T, where string, s selector, labels map[string][]string) {
	t.Helper()
	for part := range strings.SplitSeq(s.matchers, ", ") {
		m := matcherForm.FindStringSubmatch(part)
		if m == nil {
			t.Errorf("%s: matcher %q of %s", where, part, s.name)
			continue
		}
		if m[1] == "job" || m[1] == "instance" {
			continue
		}
		values := strings.Split(m[3], "|")
		if !strings.HasSuffix(m[2], "~") {
			values = []string{m[3]}
		}
		for _, v := range values {
			if !slices.Contains(labels[m[1]], v) {
				t.Errorf("%s: %s has no %s=%q", where, s.name, m[1], v)
			}
		}
	}
}

// TestAllMetricsShown: what is measured is on some board or in some rule.
func TestAllMetricsShown(t *testing.T) {
	base := func(name string) string {
		return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
	}
	shown := map[string]bool{}
	for _, q := range queries(DefaultTiming()) {
		for _, name := range nameForm.FindAllString(q.expr, -1) {
			shown[base(name)] = true
		}
	}
	for name := range families(t) {
		if strings.HasPrefix(name, "starling_") && !shown[base(name)] {
			t.Errorf("nobody looks at %s", name)
		}
	}
}

// sharedForm finds metrics that others than our processes have too.
var sharedForm = regexp.MustCompile(`\b(process|go)_[a-z_]+\{`)

// TestOnlyOurs: where all jobs are chosen, a board shows our processes and not
// everything that Prometheus scrapes.
func TestOnlyOurs(t *testing.T) {
	for _, q := range queries(DefaultTiming()) {
		if sharedForm.MatchString(q.expr) && !strings.Contains(q.expr, " and on (job, instance) starling_") {
			t.Errorf("%s takes in processes that are not ours: %s", q.where, q.expr)
		}
		for _, s := range selectors(q.expr) {
			if s.name == metricUp && !strings.Contains(s.matchers, TrackerJob) && !strings.Contains(s.matchers, PeerJob) {
				t.Errorf("%s takes in targets that are not ours: %s", q.where, q.expr)
			}
		}
	}
}
