package check

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

// maxApplied is what kubectl keeps of an object beside it, in an annotation, and so what
// an object may have.
const maxApplied = 256 << 10

// demoWith renders the demo with a component, from an overlay of another folder.
func demoWith(t *testing.T, component string) []*object {
	t.Helper()
	// The shortest way between two folders leads over no symbolic link.
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	rel := func(path string) string {
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		if abs, err = filepath.EvalSymlinks(abs); err != nil {
			t.Fatal(err)
		}
		if abs, err = filepath.Rel(dir, abs); err != nil {
			t.Fatal(err)
		}
		return abs
	}
	text := "resources: [" + rel(demo) + "]\ncomponents: [" + rel("../kubernetes/components/"+component) + "]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return render(t, dir)
}

// TestPodMonitors: each target has the job that rules and boards ask for and its node's
// name, and keeps the buckets, also where Prometheus takes native histograms.
func TestPodMonitors(t *testing.T) {
	var jobs []string
	for _, o := range demoWith(t, "podmonitors") {
		if o.monitor == nil {
			continue
		}
		spec := &o.monitor.Spec
		if keep := spec.ScrapeClassicHistograms; keep == nil || !*keep {
			t.Errorf("%s: Prometheus may drop the buckets", o.meta.Name)
		}
		if spec.JobLabel != "" {
			t.Errorf("%s: the job is what the label %s says", o.meta.Name, spec.JobLabel)
		}
		for _, e := range spec.PodMetricsEndpoints {
			// A replacement that is not given is all of the source.
			set := map[string]string{}
			for _, r := range e.RelabelConfigs {
				switch {
				case r.Action != "" && r.Action != "replace" || r.Regex != "" || r.Separator != nil:
					t.Errorf("%s: nobody has said how to check %+v", o.meta.Name, r)
				case len(r.SourceLabels) == 0 && r.Replacement != nil:
					set[r.TargetLabel] = *r.Replacement
				case len(r.SourceLabels) == 1 && r.Replacement == nil:
					set[r.TargetLabel] = "of " + string(r.SourceLabels[0])
				default:
					t.Errorf("%s: nobody has said how to check %+v", o.meta.Name, r)
				}
			}
			if got, want := set["node"], "of __meta_kubernetes_pod_node_name"; got != want {
				t.Errorf("%s: the label node is %q, want %q", o.meta.Name, got, want)
			}
			jobs = append(jobs, set["job"])
		}
	}
	slices.Sort(jobs)
	file, err := os.ReadFile("../prometheus/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Scrape []struct {
			Job string `json:"job_name"`
		} `json:"scrape_configs"`
	}
	if err := yaml.Unmarshal(file, &config); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range config.Scrape {
		want = append(want, c.Job)
	}
	slices.Sort(want)
	if len(want) == 0 || !slices.Equal(jobs, want) {
		t.Errorf("jobs %q; Prometheus' own configuration has %q", jobs, want)
	}
}

// TestKubernetesMonitoring: the component adds the rules and the boards as they are, in
// the namespace that may read metrics, and leaves everything else alone.
func TestKubernetesMonitoring(t *testing.T) {
	before := map[string]bool{}
	id := func(o *object) string { return o.kind + " " + o.meta.Namespace + "/" + o.meta.Name }
	for _, o := range render(t, demo) {
		before[id(o)] = true
	}
	boards := map[string]string{}
	var rules *monitoringv1.PrometheusRule
	for _, o := range demoWith(t, "monitoring") {
		if before[id(o)] {
			delete(before, id(o))
			continue
		}
		if o.meta.Namespace != monitoringNamespace(t) {
			t.Errorf("%s is not where metrics are read", id(o))
		}
		switch {
		case o.rules != nil && rules == nil:
			rules = o.rules
		case o.config != nil && o.meta.Labels["grafana_dashboard"] == "1":
			for name, text := range o.config.Data {
				boards[name] = text
				if len(text) > maxApplied*3/4 { // the copy has its quotes escaped
					t.Errorf("%s: %d bytes", name, len(text))
				}
			}
		default:
			t.Errorf("%s: what is that for?", id(o))
		}
	}
	if len(before) > 0 {
		t.Errorf("the component took away %v", before)
	}
	checkRules(t, rules)
	files, err := filepath.Glob("../grafana/dashboards/*.json")
	if err != nil || len(files) == 0 || len(boards) != len(files) {
		t.Fatalf("%d boards of the files %v: %v", len(boards), files, err)
	}
	for _, path := range files {
		if want, err := os.ReadFile(path); err != nil || boards[filepath.Base(path)] != string(want) {
			t.Errorf("%s is not as it was made: %v", path, err)
		}
	}
}

// monitoringNamespace is the one that the tracker's NetworkPolicy lets in.
func monitoringNamespace(t *testing.T) string {
	t.Helper()
	for _, o := range render(t, "../kubernetes/base") {
		if o.policy == nil || o.meta.Name != "starling-tracker" {
			continue
		}
		for _, in := range o.policy.Spec.Ingress {
			for _, from := range in.From {
				return from.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"]
			}
		}
	}
	t.Fatal("nobody may read the tracker's metrics")
	return ""
}

// checkRules: what the operator is given is what Prometheus reads from the file, which
// promtool has checked.
func checkRules(t *testing.T, object *monitoringv1.PrometheusRule) {
	t.Helper()
	if object == nil {
		t.Fatal("no PrometheusRule")
	}
	file, err := os.ReadFile("../prometheus/rules/starling.yml")
	if err != nil {
		t.Fatal(err)
	}
	var want monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(file, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Groups) == 0 || !reflect.DeepEqual(object.Spec, want) {
		t.Error("the rules are not those of deploy/prometheus/rules/starling.yml")
	}
	alerts := 0
	for _, r := range object.Spec.Groups[0].Rules {
		if strings.HasPrefix(r.Alert, "Starling") {
			alerts++
		}
	}
	if alerts == 0 {
		t.Error("no alert")
	}
}
