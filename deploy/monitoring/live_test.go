//go:build linux

package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestLiveSwarm: Prometheus finds a swarm of a seed and four leechers through the
// tracker, and every query of every panel and rule returns series.
func TestLiveSwarm(t *testing.T) {
	if testing.Short() {
		t.Skip("takes too long for -short")
	}
	need(t, "prometheus")
	t.Parallel()
	const size = 16 << 20
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	writeFile(t, config, "log-level: warn\n")
	tracker, at := run(t, "tracker", "--config", config, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--interval", "2s",
		"--torrents", dir, "--metrics-by-torrent")
	torrent := create(t, dir, "content", size, "http://"+at["tracker"]+"/announce")
	member := []string{"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--metrics-by-torrent", "--node-label"}
	run(t, append([]string{"seed", torrent, "--data", dir}, append(member, "rack=r0")...)...)
	var metrics string
	for i := 1; i <= 4; i++ {
		n := strconv.Itoa(i)
		_, here := run(t, append([]string{"leech", torrent, "-o", filepath.Join(dir, n), "--seed-forever"}, append(member, "rack=r"+n)...)...)
		metrics = here["metrics"]
	}
	timing := Timing{Window: 10 * time.Second, Scale: 1}
	prom := startPrometheus(t, at, timing)

	prom.is(t, `count(up{job="`+PeerJob+`", node!="", label_rack=~"r[0-4]"} == 1)`, "5")
	prom.is(t, "sum("+metricUp+")", "6")
	prom.is(t, `sum(starling_peer_torrents{state="seeding"})`, "5")
	prom.is(t, `starling_tracker_peers{role="seeder"}`, "5")
	prom.is(t, `sum(starling_peer_torrent_done_bytes)`, strconv.Itoa(5*size))
	// What came in the part of a piece that its sender did not finish comes again.
	prom.is(t, `sum(starling_peer_received_bytes_total{kind="payload"}) >= bool `+strconv.Itoa(4*size), "1")

	prom.is(t, `count(starling_peer_by_torrent_done_bytes == `+strconv.Itoa(size)+`)`, "5")
	prom.is(t, `starling_tracker_by_torrent_peers{role="seeder"}`, "5") // the folder is read every 10 s
	checkDiscovery(t, at["tracker"])
	eventually(t, "no alert in a swarm that is well", patience, func() error {
		all, err := prom.alerts()
		if err == nil && len(all) > 0 {
			err = fmt.Errorf("%v", all)
		}
		return err
	})
	// The table of alerts has something to show.
	writeFile(t, config, "log-level: loud\n")
	tracker.signal(t, syscall.SIGHUP)
	asked := 0
	for _, q := range queries(timing) {
		eventually(t, q.where+": "+q.expr, patience, func() error {
			got, err := prom.query(expand(q.expr, "10s"))
			if err == nil && len(got) == 0 {
				err = fmt.Errorf("no series")
			}
			return err
		})
		asked++
	}
	t.Logf("%d queries, each with series", asked)
	checkRuleHealth(t, prom)

	body, err := get("http://" + metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(body, []byte("\n"+metricBuildInfo+"{")) {
		t.Errorf("no %s", metricBuildInfo)
	}
	promtool(t, string(body), "check", "metrics")
}

// checkDiscovery: the tracker's answer has the form of Prometheus' HTTP service
// discovery, and what a peer said of itself.
func checkDiscovery(t *testing.T, tracker string) {
	t.Helper()
	resp, err := client.Get("http://" + tracker + "/api/v1/sd/prometheus")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var groups []struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&groups); err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s, %s: %v", resp.Status, resp.Header.Get("Content-Type"), err)
	}
	racks := map[string]bool{}
	for _, g := range groups {
		if len(g.Targets) != 1 || g.Labels["__meta_starling_node"] == "" || g.Labels["__meta_starling_role"] != "seeder" {
			t.Errorf("target %+v", g)
		}
		racks[g.Labels["__meta_starling_label_rack"]] = true
	}
	if len(groups) != 5 || len(racks) != 5 {
		t.Errorf("%d targets in the racks %v", len(groups), racks)
	}
}

// checkRuleHealth: Prometheus has evaluated all rules without an error.
func checkRuleHealth(t *testing.T, prom *server) {
	t.Helper()
	eventually(t, "all rules are evaluated", patience, func() error {
		var data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
		if err := prom.ask("rules", &data); err != nil {
			return err
		}
		n := 0
		for _, g := range data.Groups {
			for _, r := range g.Rules {
				if r.Health != "ok" {
					return fmt.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
				}
				n++
			}
		}
		if n == 0 {
			return fmt.Errorf("no rules")
		}
		return nil
	})
}
