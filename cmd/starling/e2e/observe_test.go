//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func get(url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", url, resp.Status, body)
	}
	return string(body), err
}

// metrics are the samples of one scrape, by name and labels as they are written:
// starling_peer_sent_bytes_total{kind="payload"}.
type metrics map[string]float64

func scrape(addr string) (metrics, error) {
	text, err := get("http://" + addr + "/metrics")
	if err != nil {
		return nil, err
	}
	m := metrics{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || name == "#" {
			continue
		}
		if m[name], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, fmt.Errorf("metric %q: %w", line, err)
		}
	}
	return m, nil
}

func mustScrape(t *testing.T, addr string) metrics {
	t.Helper()
	m, err := scrape(addr)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// value is a sample that must be there.
func (m metrics) value(t *testing.T, name string) float64 {
	t.Helper()
	v, ok := m[name]
	if !ok {
		t.Fatalf("no metric %s", name)
	}
	return v
}

const (
	sentPayload     = `starling_peer_sent_bytes_total{kind="payload"}`
	receivedPayload = `starling_peer_received_bytes_total{kind="payload"}`
	doneBytes       = "starling_peer_torrent_done_bytes"
	uploadRate      = "starling_peer_upload_rate_bytes_per_second"
	downloadRate    = "starling_peer_download_rate_bytes_per_second"
	trackedSeeders  = `starling_tracker_peers{role="seeder"}`
	trackedLeechers = `starling_tracker_peers{role="leecher"}`
)

// weight is what a process takes of the system.
type weight struct {
	rss                            int64 // bytes
	threads, goroutines, descripts int
}

func (w weight) String() string {
	return fmt.Sprintf("%.1f MiB, %d threads, %d goroutines, %d descriptors", float64(w.rss)/mib, w.threads, w.goroutines, w.descripts)
}

// peakRSS is the most memory that a running process has had, in bytes. (What the
// kernel tells of a dead child begins with the memory of who forked it.)
func (p *proc) peakRSS() int64 {
	p.t.Helper()
	w, err := p.status()
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return w["VmHWM"] << 10
}

// status are the numbers of /proc/PID/status; memory is in KiB there.
func (p *proc) status() (map[string]int64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return nil, err
	}
	m := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) > 0 {
			if n, err := strconv.ParseInt(f[0], 10, 64); err == nil {
				m[key] = n
			}
		}
	}
	return m, nil
}

// weigh reads /proc and the profile of goroutines at the process's admin listener.
func weigh(p *proc, admin string) (w weight, err error) {
	status, err := p.status()
	if err != nil {
		return w, err
	}
	w.rss, w.threads = status["VmRSS"]<<10, int(status["Threads"])
	profile, err := get("http://" + admin + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return w, err
	}
	if _, err := fmt.Sscanf(profile, "goroutine profile: total %d", &w.goroutines); err != nil {
		return w, err
	}
	fds, err := os.ReadDir("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd")
	w.descripts = len(fds)
	return w, err
}
