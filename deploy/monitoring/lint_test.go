package monitoring

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// units are those of Grafana's that the boards use.
var units = []string{"short", "percentunit", "s", "bytes", "binBps", "reqps", "cps", "iops", "pps", "bool_yes_no"}

// TestLint holds the boards to the rules of Grafana's dashboard linter, by their
// names there.
func TestLint(t *testing.T) {
	for _, d := range Dashboards() {
		t.Run(d.UID, func(t *testing.T) {
			if d.Editable {
				t.Error("template-uneditable-rule: it can be edited")
			}
			lintVariables(t, d)
			for _, p := range d.Panels {
				if p.Type != "row" {
					lintPanel(t, p)
				}
			}
		})
	}
}

func lintVariables(t *testing.T, d *Dashboard) {
	by := map[string]variable{}
	for _, v := range d.Templating.List {
		by[v.Name] = v
		if v.Type != "query" {
			continue
		}
		// label_values(METRIC{MATCHERS}, LABEL)
		if !regexp.MustCompile(`^label_values\([a-z_]+(\{[^}]+\})?, [a-z]+\)$`).MatchString(v.Definition) || v.Query.(variableQuery).Query != v.Definition {
			t.Errorf("template-label-promql-rule: %s asks %q", v.Name, v.Definition)
		}
		if v.Refresh != 2 {
			t.Errorf("template-on-time-change-reload-rule: %s is not asked again when the time range changes", v.Name)
		}
	}
	if s := by["datasource"]; s.Type != "datasource" || s.Query != "prometheus" || s.Label != "Data source" {
		t.Errorf("template-datasource-rule: %+v", s)
	}
	for name, label := range map[string]string{"job": "Job", "instance": "Instance"} {
		v := by[name]
		if v.Type != "query" || v.Label != label || !v.Multi || !v.IncludeAll || v.AllValue != ".+" || v.Datasource == nil || v.Datasource.UID != "${datasource}" {
			t.Errorf("template-%s-rule: %+v", name, v)
		}
	}
}

func lintPanel(t *testing.T, p *Panel) {
	if p.Title == "" || p.Description == "" {
		t.Errorf("panel-title-description-rule: panel %d %q: %q", p.ID, p.Title, p.Description)
	}
	if p.Datasource == nil || p.Datasource.UID != "${datasource}" || p.Datasource.Type != "prometheus" {
		t.Errorf("panel-datasource-rule: %q asks %+v", p.Title, p.Datasource)
	}
	if !slices.Contains(units, p.FieldConfig.Defaults.Unit) {
		t.Errorf("panel-units-rule: %q has the unit %q", p.Title, p.FieldConfig.Defaults.Unit)
	}
	if len(p.Targets) == 0 {
		t.Errorf("panel-no-targets-rule: %q asks nothing", p.Title)
	}
	for _, target := range p.Targets {
		lintTarget(t, p, target)
	}
}

var (
	rangeForm     = regexp.MustCompile(`(\w+)\(([a-z_:]+)\{[^}]*\}\[([^\]]*)\]\)`)
	quantileForm  = regexp.MustCompile(`histogram_quantile\([0-9.]+, sum by \(le(, \w+)?\) \(rate\(\w+_bucket\{`)
	aggregateForm = regexp.MustCompile(`(\w+) by \(le`)
)

func lintTarget(t *testing.T, p *Panel, target Target) {
	where := p.Title + " " + target.RefID
	if target.Datasource != *p.Datasource {
		t.Errorf("panel-datasource-rule: %s asks %+v", where, target.Datasource)
	}
	all := selectors(target.Expr)
	if len(all) == 0 {
		t.Errorf("target-promql-rule: %s selects nothing: %s", where, target.Expr)
	}
	for _, s := range all {
		matchers := strings.Split(s.matchers, ", ")
		if !slices.Contains(matchers, `job=~"$job"`) {
			t.Errorf("target-job-rule: %s: %s", where, target.Expr)
		}
		// Alerts of a whole job name no instance.
		want := `instance=~"$instance"`
		if s.name == metricAlerts {
			want = `instance=~"$instance|"`
		}
		if !slices.Contains(matchers, want) {
			t.Errorf("target-instance-rule: %s: %s", where, target.Expr)
		}
	}
	ranges := map[string]int{}
	for _, r := range rangeForm.FindAllStringSubmatch(target.Expr, -1) {
		ranges[r[2]]++
		if r[1] != "rate" || r[3] != "$__rate_interval" {
			t.Errorf("target-rate-interval-rule: %s: %s over %q", where, r[1], r[3])
		}
	}
	for _, s := range all {
		if counts := strings.HasSuffix(s.name, "_total") || strings.HasSuffix(s.name, "_bucket"); counts && ranges[s.name] == 0 {
			t.Errorf("target-counter-agg-rule: %s: %s without a rate", where, s.name)
		}
	}
	if strings.Count(target.Expr, "[") != len(rangeForm.FindAllString(target.Expr, -1)) {
		t.Errorf("target-rate-interval-rule: %s: a range that is not of a rate: %s", where, target.Expr)
	}
	if strings.Contains(target.Expr, "histogram_quantile") && !quantileForm.MatchString(target.Expr) {
		t.Errorf("target-histogram-rule: %s: %s", where, target.Expr)
	}
	for _, a := range aggregateForm.FindAllStringSubmatch(target.Expr, -1) {
		if a[1] != "sum" {
			t.Errorf("target-histogram-rule: %s: buckets by %s", where, a[1])
		}
	}
}
