//go:build linux

package monitoring

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"starling/internal/testutil"
)

// trialTiming brings minutes down to seconds. The window must still hold a peer's
// announces and their pauses after an error.
var trialTiming = Timing{Window: 15 * time.Second, Scale: 0.01}

// trial is a tracker, a seed and leechers whose faults Prometheus is to see.
type trial struct {
	t       *testing.T
	dir     string
	tracker *proc
	at      map[string]string // the tracker's addresses
	prom    *server
}

// TestAlertsFire stages what the alerts are about, and sees each fire.
func TestAlertsFire(t *testing.T) {
	if testing.Short() {
		t.Skip("takes too long for -short")
	}
	need(t, "prometheus")
	t.Parallel()
	tr := &trial{t: t, dir: t.TempDir()}
	disk := filepath.Join(tr.dir, "disk")
	unmounted := testutil.Tmpfs(t, disk, "size=160m")
	if unmounted != nil {
		t.Logf("StarlingDownloadFailed is not staged: %v", unmounted)
	}
	slowed := mountSlow(t, filepath.Join(tr.dir, "slow"))
	config := filepath.Join(tr.dir, "config.yaml")
	writeFile(t, config, "log-level: warn\n")
	tr.tracker, tr.at = run(t, "tracker", "--config", config, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--interval", "1s")
	tr.prom = startPrometheus(t, tr.at, trialTiming)

	// A seed that will die. Its tracker notices when its time is over.
	lost := tr.swarm("lost", 64<<20, "512KiB/s")
	tr.leech("lost", "alone")
	// Seeds whose file is not what it was when it was checked. One does not look.
	tr.poison("poison", 4<<20, "--scrub", "0")
	tr.leech("poison", "victim")
	tr.poison("rot", 1<<20, "--scrub", "1s")
	if slowed {
		tr.swarm("large", 64<<20, "0")
		tr.leech("large", "slow")
	}
	// Four leechers that pass nothing on.
	tr.swarm("content", 128<<20, "8MiB/s")
	for _, name := range []string{"a", "b", "c", "disk"} {
		tr.leech("content", name, "--up-limit", "1KiB/s")
	}

	lost.kill()
	tr.fires("StarlingCorruptPieces", "victim")
	tr.fires("StarlingBadPieces", "seed-rot")
	tr.fires("StarlingLowPeerShare")
	if slowed {
		tr.fires("StarlingDiskSlow", "slow")
	}
	stop := tr.repeat(50*time.Millisecond, "announce?info_hash=nonsense")
	if unmounted == nil {
		testutil.Fill(t, filepath.Join(disk, "ballast"))
		tr.fires("StarlingDownloadFailed", "disk")
	}
	tr.fires("StarlingAnnounceErrors")
	stop()
	stop = tr.repeat(2*time.Second, tr.absent(8)...)
	tr.fires("StarlingPeersNotScraped")
	stop()
	writeFile(t, config, "log-level: loud\n")
	tr.tracker.signal(t, syscall.SIGHUP)
	tr.fires("StarlingConfigReloadFailed")
	tr.fires("StarlingDownloadStalled", "alone")
	tr.fires("StarlingSwarmWithoutSeeders")

	stop = tr.starve()
	tr.fires("StarlingAnnounceLatency")
	stop()
	tr.silent("StarlingTrackerDown")
	tr.tracker.kill()
	tr.fires("StarlingTrackerDown")
	tr.fires("StarlingPeersCannotAnnounce")
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// torrent is where the torrent of that name is, beside its content.
func (tr *trial) torrent(name string) string {
	return filepath.Join(tr.dir, "seed-"+name, name+".torrent")
}

// swarm makes content and a seed of it, which sends no faster than rate.
func (tr *trial) swarm(name string, size int, rate string) *proc {
	tr.t.Helper()
	dir := filepath.Dir(tr.torrent(name))
	if err := os.Mkdir(dir, 0o755); err != nil {
		tr.t.Fatal(err)
	}
	create(tr.t, dir, name, size, "http://"+tr.at["tracker"]+"/announce")
	return tr.serve(name, rate)
}

func (tr *trial) serve(name, rate string, flags ...string) *proc {
	tr.t.Helper()
	p, _ := run(tr.t, append([]string{"seed", tr.torrent(name), "--data", filepath.Dir(tr.torrent(name)),
		"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--up-limit", rate,
		"--node-name", "seed-" + name, "--node-label", "rack=of-seed-" + name}, flags...)...)
	return p
}

// poison makes a seed that was checked once, and whose disk has lost the content
// since without a trace in the file's size or time.
func (tr *trial) poison(name string, size int, flags ...string) {
	tr.t.Helper()
	seed := tr.swarm(name, size, "0")
	seed.signal(tr.t, syscall.SIGTERM)
	<-seed.ended
	path := filepath.Join(filepath.Dir(tr.torrent(name)), name)
	fi, err := os.Stat(path)
	if err == nil {
		err = os.WriteFile(path, make([]byte, size), 0o644)
	}
	if err == nil {
		err = os.Chtimes(path, fi.ModTime(), fi.ModTime())
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.serve(name, "0", flags...)
}

func (tr *trial) leech(name, into string, flags ...string) {
	tr.t.Helper()
	run(tr.t, append([]string{"leech", tr.torrent(name), "-o", filepath.Join(tr.dir, into), "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
		"--node-name", into, "--node-label", "rack=of-" + into}, flags...)...)
}

// fires waits until an alert fires on one of the hosts, if any are given, and checks
// what it says, and that it says where the host is.
func (tr *trial) fires(name string, hosts ...string) {
	tr.t.Helper()
	began := time.Now()
	eventually(tr.t, name+" fires", patience, func() error {
		all, err := tr.prom.alerts()
		if err != nil {
			return err
		}
		var states []string
		for _, a := range all {
			node := a.Labels["node"]
			states = append(states, a.Labels["alertname"]+" "+node+" "+a.State)
			if a.Labels["alertname"] != name || a.State != "firing" || len(hosts) > 0 && !slices.Contains(hosts, node) {
				continue
			}
			summary := a.Annotations["summary"]
			if summary == "" || strings.Contains(summary, "<no value>") || strings.Contains(summary, "error") || strings.Contains(summary, "{{") {
				tr.t.Errorf("%s says %q", name, summary)
			}
			if !strings.Contains(summary, node) {
				tr.t.Errorf("%s does not say that it is on %s: %q", name, node, summary)
			}
			if rack := a.Labels["label_rack"]; len(hosts) > 0 && rack != "of-"+node {
				tr.t.Errorf("%s is of the rack %q, want that of %s", name, rack, node)
			}
			if _, err := os.Stat(filepath.Join("../..", a.Annotations["runbook_url"])); err != nil {
				tr.t.Error(err)
			}
			tr.t.Logf("%s after %.1f s: %s", name, time.Since(began).Seconds(), summary)
			return nil
		}
		return fmt.Errorf("alerts: %s", strings.Join(states, ", "))
	})
}

// silent waits until an alert neither fires nor is about to.
func (tr *trial) silent(name string) {
	tr.t.Helper()
	eventually(tr.t, name+" is silent", patience, func() error {
		all, err := tr.prom.alerts()
		for _, a := range all {
			if a.Labels["alertname"] == name {
				err = fmt.Errorf("%s", a.State)
			}
		}
		return err
	})
}
