package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	boards "starling/deploy/monitoring"
	"starling/peer"
	"starling/tracker"
)

const metricsDoc = "../../docs/metrics.md"

const metricsIntro = `# Metrics

Made from the registry by ~go test ./cmd/starling -run TestMetricsDoc -update~; the test compares.

A tracker serves them at ~/metrics~ of ~--admin-listen~, a peer of ~--metrics-listen~ (off unless it is
given), in the Prometheus text format and in OpenMetrics. Units are seconds and bytes. Every series
exists from the start, at 0. No label holds an infohash, a peer, an address or a file: what a label
can be is closed and listed here. A process's torrents are added up.

With ~--metrics-by-torrent~ there are series for single torrents as well, with the label ~infohash~, for 50
torrents at most: of a tracker, those that it serves, the first by name; of a peer, those that it began
with.

The registry also has the runtime's and the process's own metrics (~go_*~, ~process_*~), as
client_golang makes them. The tracker lists the peers' endpoints for Prometheus at
~/api/v1/sd/prometheus~ of both its listeners; with ~--public~ or ~--view off~ of ~--admin-listen~ only, since hosts'
names and addresses are not for strangers. A process is listed for as long as it announces one of its torrents, as the
~seeder~ of them if it has all of each. The tracker inside ~share~ has no admin listener and is not measured.

Histograms have the buckets listed here, which the dashboards read, and are native histograms too for a
Prometheus that asks for those. It then drops the buckets, unless both jobs have
~always_scrape_classic_histograms: true~ (of Prometheus 3; the PodMonitors here have it as ~scrapeClassicHistograms~). An
announce that took 5 ms or more leaves an exemplar with its event and result, which Prometheus keeps if it is started
with ~--enable-feature=exemplar-storage~.
`

// metricsUse is how the metrics become pictures and alerts.
const metricsUse = `
## Dashboards and alerts

~deploy/prometheus~ has the scrape configuration and the rules, ~deploy/grafana~ dashboards and their provisioning.
All are made from the names above by ~go run ./deploy/monitoring/generate~. Elsewhere than in compose, change the
tracker's two addresses in ~prometheus.yml~:

~~~
sed 's|tracker:69|10.0.0.5:69|' deploy/prometheus/prometheus.yml >prometheus.yml
cp -r deploy/prometheus/rules .
promtool check config prometheus.yml
~~~

The tracker's admin listener must be within Prometheus' reach: ~--admin-listen 10.0.0.5:6970~. Every peer that was
started with ~--metrics-listen~ is found through the tracker; it has the labels ~node~, which is what it calls itself, and
~label_K~ for each ~--node-label K=V~. An alert about a host has these too, so that it can be routed by rack; StarlingPeersCannotAnnounce,
StarlingPeersNotScraped and StarlingLowPeerShare are about all peers of a job together, and have the label ~job~ only.

Whom an alert wakes is for Alertmanager to say: add it under ~alerting:~, and route by the label ~severity~, which is
~critical~ (somebody waits) or ~warning~ (look today). An alert's ~runbook_url~ is a path in this project. Where its
pages have an address, put that in front:

~~~
sed -i 's|runbook_url: |&https://git.example.com/starling/blob/main/|' rules/starling.yml
~~~

On Kubernetes the rules are a PrometheusRule and the dashboards ConfigMaps: [deploy.md](deploy.md#watching-it).

Tried with Prometheus 2.42.0 (Debian 12) and 3.5.0: a live swarm, every query of every panel and rule, the rules'
unit tests, and each alert made to fire; with 3.5.0 also native histograms with the buckets kept. Grafana itself was not to
be had: the dashboards are held to its own types (~@grafana/schema~ 12.0.0), to the rules of its dashboard linter, and their
variables and filters were run through the code of its Prometheus data source (~@grafana/prometheus~ 13.1.4).
`

// metricsText puts backquotes for tildes, since a raw string cannot hold them.
func metricsText(s string) string { return strings.ReplaceAll(s, "~", "`") }

// TestMetricsDoc compares docs/metrics.md with what the registries hold; -update
// writes it.
func TestMetricsDoc(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(metricsText(metricsIntro))
	for _, part := range []struct {
		title, prefix string
		register      func(prometheus.Registerer)
	}{
		{"Every process", "starling_build_", func(prometheus.Registerer) {}},
		{"Tracker", "starling_tracker_", func(r prometheus.Registerer) { tracker.NewMetrics(r) }},
		{"Peer", "starling_peer_", func(r prometheus.Registerer) { peer.NewMetrics(r) }},
	} {
		reg := newRegistry()
		part.register(reg)
		fmt.Fprintf(&b, "\n## %s\n\n| name | kind | labels | what |\n|---|---|---|---|\n", part.title)
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if strings.HasPrefix(f.GetName(), part.prefix) {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), labelsOf(f), whatOf(f))
			}
		}
	}
	writeTorrentMetrics(&b)
	writeMonitoring(&b)
	if *update {
		if err := os.WriteFile(metricsDoc, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	page, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, b.Bytes()) {
		t.Error("docs/metrics.md is not what the registry says: run go test ./cmd/starling -run TestMetricsDoc -update")
	}
}

// writeTorrentMetrics names what is registered on request only.
func writeTorrentMetrics(b *bytes.Buffer) {
	b.WriteString(metricsText("\n## Each torrent, with `--metrics-by-torrent`\n\n| name | kind | labels | what |\n|---|---|---|---|\n"))
	for _, c := range []prometheus.Collector{new(tracker.Server).TorrentMetrics(), peer.NewMetrics(prometheus.NewRegistry()).TorrentMetrics()} {
		ch := make(chan *prometheus.Desc, 16)
		c.Describe(ch)
		close(ch)
		var rows []string
		for d := range ch {
			m := descForm.FindStringSubmatch(d.String())
			kind := "gauge"
			if strings.HasSuffix(m[1], "_total") {
				kind = "counter"
			}
			labels := strings.ReplaceAll("~"+strings.ReplaceAll(m[3], ",", "~; ~")+"~", "~role~", "~role~: leecher, seeder")
			rows = append(rows, metricsText("| ~"+m[1]+"~ | "+kind+" | "+labels+" | "+m[2]+" |\n"))
		}
		slices.Sort(rows)
		b.WriteString(strings.Join(rows, ""))
	}
}

// descForm reads the text of a Desc, which tells its parts in no other way.
var descForm = regexp.MustCompile(`fqName: "([^"]+)", help: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// writeMonitoring lists the dashboards and alerts that are made of the metrics.
func writeMonitoring(b *bytes.Buffer) {
	b.WriteString(metricsText(metricsUse))
	b.WriteString("\n| dashboard | what |\n|---|---|\n")
	for _, d := range boards.Dashboards() {
		fmt.Fprintf(b, "| %s | %s |\n", d.Title, d.Description)
	}
	b.WriteString("\n| alert | severity | what it means |\n|---|---|---|\n")
	for _, a := range boards.Alerts(boards.DefaultTiming()) {
		fmt.Fprintf(b, "| [%s](%s) | %s | %s |\n", a.Name, strings.TrimPrefix(a.Runbook(), "docs/"), a.Severity, a.Text)
	}
}

// labelsOf lists a family's labels and their values; those of build_info are the
// build's own.
func labelsOf(f *dto.MetricFamily) string {
	values := map[string][]string{}
	var names []string
	for _, m := range f.Metric {
		for _, l := range m.Label {
			if !slices.Contains(names, l.GetName()) {
				names = append(names, l.GetName())
			}
			if v := l.GetValue(); !slices.Contains(values[l.GetName()], v) {
				values[l.GetName()] = append(values[l.GetName()], v)
			}
		}
	}
	for i, name := range names {
		names[i] = "`" + name + "`"
		if f.GetName() != "starling_build_info" {
			slices.Sort(values[name])
			names[i] += ": " + strings.Join(values[name], ", ")
		}
	}
	return strings.Join(names, "; ")
}

// whatOf is a family's help, with the buckets of a histogram.
func whatOf(f *dto.MetricFamily) string {
	text := strings.ReplaceAll(f.GetHelp(), "|", "\\|")
	h := f.Metric[0].GetHistogram()
	if h == nil {
		return text
	}
	var bounds []string
	for _, b := range h.Bucket {
		bounds = append(bounds, fmt.Sprintf("%g", b.GetUpperBound()))
	}
	return text + " Buckets: " + strings.Join(bounds, ", ") + "."
}
