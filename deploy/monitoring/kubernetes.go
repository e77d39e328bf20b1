package monitoring

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// monitoringNamespace is where Prometheus Operator and Grafana run: the manifests'
// NetworkPolicies let it read metrics.
const monitoringNamespace = "monitoring"

// made says so in files that are written for people to read.
const made = "# Made by `go run ./deploy/monitoring/generate`; edit that.\n"

// prometheusRule is Prometheus Operator's object around a file of rules.
type prometheusRule struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string            `yaml:"name"`
		Namespace string            `yaml:"namespace"`
		Labels    map[string]string `yaml:"labels"`
	} `yaml:"metadata"`
	Spec Rules `yaml:"spec"`
}

func ruleObject(r Rules) ([]byte, error) {
	o := prometheusRule{APIVersion: "monitoring.coreos.com/v1", Kind: "PrometheusRule", Spec: r}
	o.Metadata.Name, o.Metadata.Namespace = "starling", monitoringNamespace
	o.Metadata.Labels = map[string]string{"app.kubernetes.io/part-of": "starling"}
	return marshal(o)
}

// marshal writes a document under the line that says who made it.
func marshal(v any) ([]byte, error) {
	b := bytes.NewBufferString(made)
	e := yaml.NewEncoder(b)
	e.SetIndent(2)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write yaml: %w", err)
	}
	return b.Bytes(), nil
}

// dashboardMaps makes of each board a ConfigMap, as Grafana's sidecar looks for them.
// It lies beside the boards: kustomize reads no file above its folder. A board is one
// map, because kubectl keeps a copy of each object in an annotation of 256 KiB.
func dashboardMaps(boards []*Dashboard) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `%s# For clusters: deploy/kubernetes/components/monitoring takes it.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: %s
generatorOptions:
  disableNameSuffixHash: true
  labels:
    app.kubernetes.io/part-of: starling
    grafana_dashboard: "1" # what the sidecar looks for
  annotations:
    grafana_folder: Starling
configMapGenerator:
`, made, monitoringNamespace)
	for _, d := range boards {
		fmt.Fprintf(&b, "  - name: %[1]s-dashboard\n    files: [dashboards/%[1]s.json]\n", d.UID)
	}
	return []byte(b.String())
}
