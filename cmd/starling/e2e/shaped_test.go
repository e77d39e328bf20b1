//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/choke"
	"starling/sim/fleet"
	"starling/sim/scenario"
)

// The links and the content of the shaped swarm; the preset bars/shaped-12 has
// the same as payload.
const (
	shapedUplink   = "tbf rate 20mbit burst 32k latency 100ms"
	shapedDownlink = "tbf rate 40mbit burst 32k latency 100ms"
	shapedSize     = 64 * mib
	shapedPiece    = "256KiB"
	shapedLeechers = 12
	// shapedShare is how far a simulated time may be from the real one.
	shapedShare = 0.10
)

// TestShapedSwarm holds the simulator against reality: one seed and 12 leechers,
// each a process behind a shaped link in a network namespace of its own, and the
// same in virtual time.
func TestShapedSwarm(t *testing.T) {
	if !full {
		t.Skip("only with STARLING_TRIALS=full: it takes minutes and needs root")
	}
	needsNamespaces(t)
	table := []string{"policy         real p50    last   simulated p50    last     difference"}
	for _, policy := range []string{choke.TitForTat, choke.Cooperative} {
		t.Run(policy, func(t *testing.T) {
			swarm := shapedReal(t, policy)
			simulated := shapedSimulated(t, policy)
			p50, last := simulated.p50/swarm.p50-1, simulated.last/swarm.last-1
			table = append(table, fmt.Sprintf("%-12s %8.1f s %5.1f s %13.1f s %5.1f s %+6.1f %% %+5.1f %%", policy,
				swarm.p50, swarm.last, simulated.p50, simulated.last, 100*p50, 100*last))
			if math.Abs(p50) > shapedShare || math.Abs(last) > shapedShare {
				t.Errorf("simulated, half are complete after %.1f s and all after %.1f s; in truth after %.1f s and %.1f s",
					simulated.p50, simulated.last, swarm.p50, swarm.last)
			}
		})
	}
	t.Log("completion times, simulated over 5 rng seeds\n" + strings.Join(table, "\n"))
}

// finish is when half of the leechers and when all were complete, in seconds.
type finish struct{ p50, last float64 }

func finishOf(times []time.Duration) finish {
	slices.Sort(times)
	n := len(times)
	middle := (times[(n-1)/2] + times[n/2]) / 2
	return finish{middle.Seconds(), times[n-1].Seconds()}
}

// shapedReal runs the swarm with processes.
func shapedReal(t *testing.T, policy string) finish {
	t.Helper()
	s := newStar(t)
	const tracker = "10.98.0.1"
	trackerNS := s.node("tracker", tracker, false)
	seedNS := s.node("seed", "10.98.1.1", true)
	var leechNS []string
	for i := range shapedLeechers {
		leechNS = append(leechNS, s.node(fmt.Sprintf("leech%d", i+1), fmt.Sprintf("10.98.2.%d", i+1), true))
	}
	dir := t.TempDir()
	content, torrent := filepath.Join(dir, "d"), filepath.Join(dir, "d.torrent")
	writeRandom(t, filepath.Join(content, "file"), shapedSize, 12)
	once(t, 0, "-q", "create", content, "-o", torrent, "--piece-size", shapedPiece, "--tracker", "http://"+tracker+":6969/announce")

	startIn(t, trackerNS, "tracker", "tracker", "--listen", ":6969", "--admin-listen", "", "--state", filepath.Join(dir, "state")).ready()
	seed := startIn(t, seedNS, "seed", "seed", torrent, "--data", dir, "--choke", policy, "--listen", ":6881")
	seed.find("the tracker's answer", patience, func(d *doc) bool { return d.Fleet != nil })
	began := time.Now()
	var leechers []*proc
	for i, ns := range leechNS {
		name := fmt.Sprintf("leech%d", i+1)
		leechers = append(leechers, startIn(t, ns, name, "leech", torrent, "-o", filepath.Join(dir, name),
			"--choke", policy, "--listen", ":6881", "--seed-forever"))
	}
	started := time.Since(began)
	var times []time.Duration
	for _, p := range leechers {
		times = append(times, p.event("complete", 3*time.Minute).At.Sub(began))
	}
	for _, p := range leechers {
		sameTree(t, content, filepath.Join(dir, p.name, "d"))
	}
	f := finishOf(times)
	t.Logf("%s: %d processes started within %.2f s; complete after %.1f to %.1f s", policy, len(leechers), started.Seconds(),
		times[0].Seconds(), f.last)
	return f
}

// shapedSimulated is the mean over some rng seeds of the same in virtual time.
func shapedSimulated(t *testing.T, policy string) (mean finish) {
	t.Helper()
	const preset, runs = "bars/shaped-12", 5
	src, err := scenario.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(1); seed <= runs; seed++ {
		s, err := scenario.Load(preset, src, scenario.Options{RNGSeed: seed, Set: map[string]string{
			"policy": policy, "size": fmt.Sprint(shapedSize>>20, "MiB"), "piece": shapedPiece,
		}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := fleet.Run(t.Context(), &s.Spec, fleet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Violations) > 0 || r.All.Completed != shapedLeechers {
			t.Fatalf("rng seed %d: %d leechers complete, want %d; violations %v", seed, r.All.Completed, shapedLeechers, r.Violations)
		}
		var times []time.Duration
		for i := range r.Hosts {
			if h := &r.Hosts[i]; h.Expected {
				times = append(times, h.Took())
			}
		}
		f := finishOf(times)
		mean.p50 += f.p50 / runs
		mean.last += f.last / runs
	}
	return mean
}

// startIn is start within a network namespace.
func startIn(t *testing.T, ns, name string, args ...string) *proc {
	t.Helper()
	argv := append([]string{"ip", "netns", "exec", ns, starlingBinary}, args...)
	return command(t, name, append(argv, "--progress", "json"))
}

// needsNamespaces skips where no network can be shaped. A CI that asks for the
// trial is to have it.
func needsNamespaces(t *testing.T) {
	t.Helper()
	var missing error
	if os.Geteuid() != 0 {
		missing = errors.New("not root")
	}
	for _, name := range []string{"ip", "tc"} {
		if _, err := exec.LookPath(name); err != nil {
			missing = errors.Join(missing, fmt.Errorf("no command %s: Debian's package iproute2", name))
		}
	}
	switch {
	case missing == nil:
	case os.Getenv("CI") != "":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// star is a set of network namespaces that reach each other through a bridge in
// one more of them, and nothing else. The trial's end removes them.
type star struct {
	t     *testing.T
	hub   string
	nodes int
}

func newStar(t *testing.T) *star {
	t.Helper()
	s := &star{t: t}
	s.hub = s.namespace("hub")
	s.ip("-n", s.hub, "link", "add", "br0", "type", "bridge")
	s.ip("-n", s.hub, "link", "set", "br0", "up")
	return s
}

func (s *star) namespace(name string) string {
	s.t.Helper()
	ns := fmt.Sprintf("starling-%d-%s", os.Getpid(), name)
	s.ip("netns", "add", ns)
	s.t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", ns).CombinedOutput(); err != nil {
			s.t.Errorf("ip netns del %s: %v: %s", ns, err, out)
		}
	})
	s.ip("-n", ns, "link", "set", "lo", "up")
	return ns
}

// node adds a host with an address and returns its namespace.
func (s *star) node(name, addr string, shaped bool) string {
	s.t.Helper()
	ns, port := s.namespace(name), fmt.Sprintf("p%d", s.nodes)
	s.nodes++
	s.ip("-n", s.hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns)
	s.ip("-n", s.hub, "link", "set", port, "master", "br0", "mtu", "1500", "up")
	s.ip("-n", ns, "link", "set", "eth0", "mtu", "1500", "up")
	s.ip("-n", ns, "addr", "add", addr+"/16", "dev", "eth0")
	if shaped {
		s.shape(ns, "eth0", shapedUplink)
		s.shape(s.hub, port, shapedDownlink)
	}
	return ns
}

func (s *star) shape(ns, dev, spec string) {
	s.t.Helper()
	s.run("tc", append([]string{"-n", ns, "qdisc", "add", "dev", dev, "root"}, strings.Fields(spec)...))
}

func (s *star) ip(args ...string) {
	s.t.Helper()
	s.run("ip", args)
}

func (s *star) run(name string, args []string) {
	s.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}
