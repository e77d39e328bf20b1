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

// The rollout of TestFleet.
const (
	fleetLeechers  = 19
	fleetThrottled = "n07"
)

// TestFleet looks at a live rollout to 20 hosts in three racks, one of which is
// throttled: status names it, in its rack, with the reason, and wait knows when the
// others are done.
func TestFleet(t *testing.T) {
	long(t)
	t.Parallel()
	racks := []string{"r1", "r2", "r3"}
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "model", "weights"), 48*mib, 5)
	s := newSwarm(t, dir, "model", "--node-name", "origin", "--node-label", "rack=r1", "--choke", "cooperative")
	var hosts []*proc
	for i := range fleetLeechers {
		name := fmt.Sprintf("n%02d", i+1)
		flags := []string{"--seed-forever", "--choke", "cooperative", "--node-name", name, "--node-label", "rack=" + racks[i%len(racks)]}
		if name == fleetThrottled {
			flags = append(flags, "--down-limit", "512KiB/s")
		}
		hosts = append(hosts, s.leech(name, flags...))
	}
	// All but the throttled one, which needs a minute and a half.
	done := asked(t, 0, "wait", s.torrent, "--hosts", "95%", "--timeout", "60s", "--interval", "200ms", "--expect", "20")
	if done.Type != "fleet" || done.Status.Hosts != fleetLeechers+1 || done.Status.Done != fleetLeechers {
		t.Fatalf("wait met its condition with %+v", done.Status)
	}
	s.throttledIsNamed(racks)
	s.tablesAreRight()
	s.conditionsAreNotMet()
	s.goodbyesCount(hosts)
	s.restartCounts(hosts)
}

// throttledIsNamed: the one that is throttled is the slowest of its rack, the only
// straggler, and it is known why.
func (s *swarm) throttledIsNamed(racks []string) {
	t := s.t
	t.Helper()
	var st *fleet.Status
	eventually(t, patience, func() error { // what it says is of its last 10 s, and it has just begun
		st = asked(t, 0, "status", s.torrent, "--by", "rack").Status
		if slow := st.Groups[0].Slowest; slow == nil || slow.Why != "limit" {
			return fmt.Errorf("the slowest is %+v", slow)
		}
		return nil
	})
	if st.Hosts != fleetLeechers+1 || st.Done != fleetLeechers || len(st.Groups) != len(racks) || st.Groups[0].Name != "r1" {
		t.Errorf("by rack: %+v", st)
	}
	slow := st.Groups[0].Slowest
	if slow.Node != fleetThrottled || slow.LeftS == nil || *slow.LeftS < 5 || *slow.LeftS > 1000 {
		t.Errorf("the slowest: %+v", slow)
	}
	if len(st.Stragglers) != 1 || st.Stragglers[0].Node != fleetThrottled || st.Stragglers[0].Labels["rack"] != "r1" || st.Stragglers[0].Why != "limit" {
		t.Errorf("stragglers: %+v", st.Stragglers)
	}
	for _, g := range st.Groups[1:] {
		if g.Done != g.Hosts || g.Mean != 1 || g.Slowest != nil {
			t.Errorf("rack %+v is not done", g)
		}
	}
}

// tablesAreRight: people are told the same.
func (s *swarm) tablesAreRight() {
	t, at := s.t, "http://"+s.trackerAddr
	t.Helper()
	// The tracker knows the name once it has read its folder again.
	once(t, 0, "wait", "model", "--tracker", at, "--hosts", "1", "--timeout", "60s", "--interval", "200ms")
	text := once(t, 0, "status", "model", "--tracker", at, "--by", "rack")
	for _, want := range []string{"RACK  HOSTS  DONE", "r2        6     6  100.0%", "STRAGGLER", fleetThrottled, "its own rate limit"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	t.Logf("\n%s", text)
	every := asked(t, 0, "status", s.torrent, "--by", "host", "--label", "rack=r2")
	if len(every.Hosts) != 6 || every.Hosts[0].State != "seeding" {
		t.Errorf("the hosts of one rack: %+v", every.Hosts)
	}
	if list := asked(t, 0, "status", "--tracker", at).Swarms; len(list) != 1 || list[0].Name != "model" || list[0].Seeders != fleetLeechers {
		t.Errorf("the list: %+v", list)
	}
}

// conditionsAreNotMet: each way in which a wait fails has its exit code.
func (s *swarm) conditionsAreNotMet() {
	t, at := s.t, "http://"+s.trackerAddr
	t.Helper()
	p := launch(t, "wait", []string{"wait", s.torrent, "--timeout", "1s", "--interval", "200ms"})
	p.wait(10, patience)
	if said := p.tail(); !strings.Contains(said, "19 of 20 hosts done (95.0%), wanted 100%") || !strings.Contains(said, "straggler "+fleetThrottled) {
		t.Errorf("wait says\n%s", said)
	}
	once(t, 10, "wait", strings.Repeat("00", 20), "--tracker", at, "--timeout", "1s")
	once(t, 3, "status", strings.Repeat("00", 20), "--tracker", at)
	once(t, 6, "status", s.torrent, "--tracker", "http://127.0.0.1:1")
	once(t, 6, "wait", s.torrent, "--tracker", "http://127.0.0.1:1")
}

// goodbyesCount: who completed and left counts; who left early does not.
func (s *swarm) goodbyesCount(hosts []*proc) {
	t := s.t
	t.Helper()
	for _, p := range hosts[:3] {
		p.term()
	}
	hosts[6].term() // n07
	eventually(t, patience, func() error {
		st := asked(t, 0, "status", s.torrent).Status
		if st.Hosts != fleetLeechers || st.Done != fleetLeechers {
			return fmt.Errorf("after goodbyes %d of %d", st.Done, st.Hosts)
		}
		return nil
	})
	once(t, 0, "wait", s.torrent, "--timeout", "10s")
	var m metrics
	eventually(t, patience, func() error { // the gauges are set once a second
		m = mustScrape(t, s.admin)
		if hosts, done := m["starling_tracker_fleet_hosts"], m["starling_tracker_fleet_hosts_done"]; hosts != fleetLeechers || done != fleetLeechers {
			return fmt.Errorf("metrics: %v of %v", done, hosts)
		}
		return nil
	})
	if age := m.value(t, "starling_tracker_report_age_seconds"); age > 30 {
		t.Errorf("the oldest report is %v s old", age)
	}
}

// restartCounts: a tracker that comes back counts as many hosts as before, with those that
// left before and one that leaves while it is away.
func (s *swarm) restartCounts(hosts []*proc) {
	t := s.t
	t.Helper()
	s.tracker.term()
	hosts[3].term()
	s.tracker = start(t, "tracker again", s.trackerArgs...)
	s.tracker.ready()
	st := asked(t, 0, "status", s.torrent, "--by", "rack").Status
	if st.Hosts != fleetLeechers || st.Done != fleetLeechers || st.GroupsTotal != 3 {
		t.Errorf("after a restart %d of %d are done, in %d racks", st.Done, st.Hosts, st.GroupsTotal)
	}
	once(t, 0, "wait", s.torrent, "--hosts", "95%", "--expect", "20", "--timeout", "10s")
	left := 0
	for _, h := range asked(t, 0, "status", s.torrent, "--by", "host").Hosts {
		if h.State == "left" && h.SeenS < 600 && strings.HasPrefix(h.Node, "n0") {
			left++
		}
	}
	if left != 3 {
		t.Errorf("%d hosts have left, want those 3 that said so", left)
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

// TestFleetLink: a host behind a slow link, of several that have fast ones, is the
// straggler, and it is known that its link is why.
func TestFleetLink(t *testing.T) {
	if !full {
		t.Skip("only with STARLING_TRIALS=full: it needs root, for network namespaces")
	}
	needsNamespaces(t)
	s := newStar(t)
	const tracker = "10.98.0.1"
	trackerNS, seedNS := s.node("tracker", tracker, false), s.node("seed", "10.98.1.1", false)
	dir := t.TempDir()
	torrent := filepath.Join(dir, "d.torrent")
	writeRandom(t, filepath.Join(dir, "d", "file"), 256*mib, 12)
	once(t, 0, "-q", "create", filepath.Join(dir, "d"), "-o", torrent, "--tracker", "http://"+tracker+":6969/announce")
	startIn(t, trackerNS, "tracker", "tracker", "--listen", ":6969", "--admin-listen", "").ready()
	startIn(t, seedNS, "seed", "seed", torrent, "--data", dir, "--choke", "cooperative", "--listen", ":6881", "--node-name", "origin").ready()
	for i := range 5 {
		name := fmt.Sprintf("n%d", i+1)
		ns := s.node(name, fmt.Sprintf("10.98.2.%d", i+1), name == "n5")
		startIn(t, ns, name, "leech", torrent, "-o", filepath.Join(dir, name), "--choke", "cooperative", "--listen", ":6881", "--node-name", name, "--seed-forever")
	}
	look := func() *fleet.Status {
		p := command(t, "status", []string{"ip", "netns", "exec", trackerNS, starlingBinary, "status", torrent, "-q", "--json"})
		p.wait(0, patience)
		var d fleetDoc
		if err := json.Unmarshal([]byte(p.stdout.String()), &d); err != nil {
			t.Fatal(err)
		}
		return d.Status
	}
	seen := map[string]int{}
	eventually(t, time.Minute, func() error {
		st := look()
		if len(st.Stragglers) != 1 || st.Done != 5 {
			return fmt.Errorf("%d of %d are done, stragglers %+v", st.Done, st.Hosts, st.Stragglers)
		}
		slow := st.Stragglers[0]
		seen[slow.Why]++
		if slow.Node != "n5" || slow.Why != "link" {
			return fmt.Errorf("%s is slow because of %q", slow.Node, slow.Why)
		}
		return nil
	})
	t.Logf("reasons until it was known: %v", seen)
}
