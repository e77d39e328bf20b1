package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"starling/peer"
	"starling/tracker"
)

const metricsDoc = "../../docs/metrics.md"

const metricsIntro = `# Metrics

Made from the registry by ` + "`go test ./cmd/starling -run TestMetricsDoc -update`" + `; the test compares.

A tracker serves them at ` + "`/metrics`" + ` of ` + "`--admin-listen`" + `, a peer of ` + "`--metrics-listen`" + ` (off unless it is
given), in the Prometheus text format and in OpenMetrics. Units are seconds and bytes. Every series
exists from the start, at 0. No label holds an infohash, a peer, an address or a file: what a label
can be is closed and listed here. A process's torrents are added up.

The registry also has the runtime's and the process's own metrics (` + "`go_*`" + `, ` + "`process_*`" + `), as
client_golang makes them. The tracker lists the peers' endpoints for Prometheus at
` + "`/api/v1/sd/prometheus`" + `. The tracker inside ` + "`share`" + ` has no admin listener and is not measured.
`

// TestMetricsDoc compares docs/metrics.md with what the registries hold; -update
// writes it.
func TestMetricsDoc(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(metricsIntro)
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
