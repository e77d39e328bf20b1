//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"starling/tracker/fleet"
)

// fleetDoc is what status and wait say with --json.
type fleetDoc struct {
	Type   string            `json:"type"`
	Status *fleet.Status     `json:"status"`
	Hosts  []fleet.HostInfo  `json:"hosts"`
	Swarms []fleet.SwarmInfo `json:"swarms"`
}

// asked runs a command that ends with a document.
func asked(t *testing.T, code int, args ...string) (d fleetDoc) {
	t.Helper()
	out := once(t, code, append(args, "-q", "--json")...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &d); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return d
}

// TestFleet looks at a live rollout to 20 hosts in three racks, one of which is
// throttled: status names it, in its rack, with the reason, and wait knows when the
// others are done.
func TestFleet(t *testing.T) {
	long(t)
	t.Parallel()
	const leechers, throttled = 19, "n07"
	racks := []string{"r1", "r2", "r3"}
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "model", "weights"), 48*mib, 5)
	s := newSwarm(t, dir, "model", "--node-name", "origin", "--node-label", "rack=r1", "--choke", "cooperative")
	at := "http://" + s.trackerAddr

	var hosts []*proc
	for i := range leechers {
		name := fmt.Sprintf("n%02d", i+1)
		flags := []string{"--seed-forever", "--choke", "cooperative", "--node-name", name, "--node-label", "rack=" + racks[i%len(racks)]}
		if name == throttled {
			flags = append(flags, "--down-limit", "512KiB/s")
		}
		hosts = append(hosts, s.leech(name, flags...))
	}
	// All but the throttled one, which needs a minute and a half.
	done := asked(t, 0, "wait", s.torrent, "--hosts", "95%", "--timeout", "60s", "--interval", "200ms", "--expect", "20")
	if done.Type != "fleet" || done.Status.Hosts != leechers+1 || done.Status.Done != leechers {
		t.Fatalf("wait met its condition with %+v", done.Status)
	}
	st := asked(t, 0, "status", s.torrent, "--by", "rack").Status
	if st.Hosts != leechers+1 || st.Done != leechers || len(st.Groups) != len(racks) || st.Groups[0].Name != "r1" {
		t.Errorf("by rack: %+v", st)
	}
	slow := st.Groups[0].Slowest
	if slow == nil || slow.Node != throttled || slow.Why != "limit" || slow.LeftS == nil || *slow.LeftS < 5 || *slow.LeftS > 120 {
		t.Errorf("the slowest: %+v", slow)
	}
	if len(st.Stragglers) != 1 || st.Stragglers[0].Node != throttled || st.Stragglers[0].Labels["rack"] != "r1" || st.Stragglers[0].Why != "limit" {
		t.Errorf("stragglers: %+v", st.Stragglers)
	}
	for _, g := range st.Groups[1:] {
		if g.Done != g.Hosts || g.Mean != 1 || g.Slowest != nil {
			t.Errorf("rack %+v is not done", g)
		}
	}
	text := once(t, 0, "status", "model", "--tracker", at, "--by", "rack")
	for _, want := range []string{"RACK  HOSTS  DONE", "r2        6     6  100.0%", "STRAGGLER", throttled, "its own rate limit"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	t.Logf("\n%s", text)
	every := asked(t, 0, "status", s.torrent, "--by", "host", "--label", "rack=r2")
	if len(every.Hosts) != 6 || every.Hosts[0].State != "seeding" {
		t.Errorf("the hosts of one rack: %+v", every.Hosts)
	}
	if list := asked(t, 0, "status", "--tracker", at).Swarms; len(list) != 1 || list[0].Name != "model" || list[0].Seeders != leechers {
		t.Errorf("the list: %+v", list)
	}

	// The conditions that are not met, and the trackers that cannot be asked.
	p := launch(t, "wait", []string{"wait", s.torrent, "--timeout", "1s", "--interval", "200ms"})
	p.wait(10, patience)
	if said := p.tail(); !strings.Contains(said, "19 of 20 hosts done (95.0%), wanted 100%") || !strings.Contains(said, "straggler "+throttled) {
		t.Errorf("wait says\n%s", said)
	}
	once(t, 10, "wait", strings.Repeat("00", 20), "--tracker", at, "--timeout", "1s")
	once(t, 3, "status", strings.Repeat("00", 20), "--tracker", at)
	once(t, 6, "status", s.torrent, "--tracker", "http://127.0.0.1:1")
	once(t, 6, "wait", s.torrent, "--tracker", "http://127.0.0.1:1")

	// Who completed and left counts; who left early does not.
	for _, p := range hosts[:3] {
		p.term()
	}
	hosts[6].term()
	eventually(t, patience, func() error {
		st := asked(t, 0, "status", s.torrent).Status
		if st.Hosts != leechers || st.Done != leechers {
			return fmt.Errorf("after goodbyes %d of %d", st.Done, st.Hosts)
		}
		return nil
	})
	once(t, 0, "wait", s.torrent, "--timeout", "10s")
	m := mustScrape(t, s.admin)
	if hosts, done := m.value(t, "starling_tracker_fleet_hosts"), m.value(t, "starling_tracker_fleet_hosts_done"); hosts != leechers || done != leechers {
		t.Errorf("metrics: %v of %v", done, hosts)
	}
	if age := m.value(t, "starling_tracker_report_age_seconds"); age > 30 {
		t.Errorf("the oldest report is %v s old", age)
	}
}

// TestTrackerOfWait: a tracker that restarts does not end a wait, one that stays away
// does.
func TestTrackerOfWait(t *testing.T) {
	long(t)
	t.Parallel()
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), mib, 6)
	s := newSwarm(t, dir, "d")
	w := launch(t, "wait", []string{"wait", s.torrent, "--hosts", "2", "--interval", "100ms", "--json"})
	eventually(t, patience, func() error {
		if !strings.Contains(w.tail(), "1 of 1 host done") {
			return fmt.Errorf("wait says %q", w.tail())
		}
		return nil
	})
	s.tracker.kill()
	eventually(t, patience, func() error {
		if !strings.Contains(w.tail(), "the tracker does not answer") {
			return fmt.Errorf("wait says %q", w.tail())
		}
		return nil
	})
	s.tracker = start(t, "tracker again", s.trackerArgs...)
	s.tracker.ready()
	s.leech("l", "--seed-forever").event("complete", patience)
	w.wait(0, time.Minute)
}
