package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// File is a file of the deployment; Path is below the folder deploy.
type File struct {
	Path string
	Data []byte
}

// Dashboards returns all boards, in the order of their menus.
func Dashboards() []*Dashboard {
	boards := []*board{fleetBoard(), rolloutBoard(), peerBoard(), trackerBoard()}
	var list []*Dashboard
	for _, b := range boards {
		list = append(list, &b.Dashboard)
	}
	return list
}

// Files makes everything that is made.
func Files() ([]File, error) {
	var list []File
	for _, d := range Dashboards() {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(d); err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
		}
		list = append(list, File{"grafana/dashboards/" + d.UID + ".json", b.Bytes()})
	}
	rules, err := MakeRules(DefaultTiming()).Marshal()
	if err != nil {
		return nil, err
	}
	object, err := ruleObject(MakeRules(DefaultTiming()))
	if err != nil {
		return nil, err
	}
	list = append(list,
		File{"grafana/kustomization.yaml", dashboardMaps(Dashboards())},
		File{"grafana/provisioning/dashboards/starling.yml", []byte(dashboardProvider)},
		File{"grafana/provisioning/datasources/prometheus.yml", []byte(datasourceProvider)},
		File{"kubernetes/components/monitoring/rules.yaml", object},
		File{"prometheus/prometheus.yml", []byte(scrapeConfig("tracker:6970", "http://tracker:6969"))},
		File{"prometheus/rules/starling.yml", rules},
	)
	return list, nil
}

// Marshal writes the file.
func (r Rules) Marshal() ([]byte, error) { return marshal(r) }

// dashboardProvider tells Grafana where the boards are mounted.
const dashboardProvider = made + `apiVersion: 1
providers:
  - name: starling
    folder: Starling
    type: file
    disableDeletion: true
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: /var/lib/grafana/dashboards
`

// datasourceProvider gives Grafana the Prometheus beside it.
const datasourceProvider = made + `apiVersion: 1
datasources:
  - name: Prometheus
    uid: starling-prometheus
    type: prometheus
    access: proxy
    url: http://prometheus:9090
    isDefault: true
    jsonData:
      httpMethod: POST
      timeInterval: 15s
`

// scrapeConfig is Prometheus' configuration for a tracker whose admin listener is
// at admin and which the peers reach at url.
func scrapeConfig(admin, url string) string {
	return fmt.Sprintf(`# Made by `+"`go run ./deploy/monitoring/generate`"+`; edit that, or the two lines
# with the tracker's addresses.
global:
  scrape_interval: 15s
  evaluation_interval: 15s
rule_files:
  - rules/*.yml
scrape_configs:
  - job_name: %s
    static_configs:
      - targets: ["%s"] # --admin-listen of the tracker
  - job_name: %s
    http_sd_configs:
      - url: %s/api/v1/sd/prometheus # --listen of the tracker; its --admin-listen has the same
        refresh_interval: 15s
    relabel_configs:
      # What the peer calls itself, and its --node-label K=V as label_K=V. The
      # role is left out: it changes, and would break a series in two.
      - source_labels: [__meta_starling_node]
        target_label: node
      - regex: __meta_starling_label_(.+)
        action: labelmap
        replacement: label_$1
`, TrackerJob, admin, PeerJob, url)
}
