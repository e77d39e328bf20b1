//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// fewDescriptors is how many a process has under limited.
const fewDescriptors = 64

// limited starts a starling that may have few descriptors.
func limited(t *testing.T, name string, args []string) *proc {
	t.Helper()
	return command(t, name, append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, fewDescriptors), starlingBinary},
		append(args, "--progress", "json")...))
}

// TestFewDescriptors holds 500 connections at each of a tracker, a seed and a leecher
// that have 64 descriptors. The transfer under way goes on, their metrics can be read,
// they hardly compute, and soon after the attack they take who comes.
func TestFewDescriptors(t *testing.T) {
	long(t)
	t.Parallel()
	dir := t.TempDir()
	for i := range 100 {
		writeRandom(t, filepath.Join(dir, "d", strconv.Itoa(i)), choose[int64](mib/4, mib), byte(i))
	}
	s := newSwarm(t, dir, "d", "--up-limit", "2MiB/s")
	s.tracker.kill()
	s.seed.kill()
	s.tracker = limited(t, "tracker", s.trackerArgs)
	s.tracker.ready()
	s.seed = limited(t, "seed", s.seedArgs)
	s.seed.ready()
	if _, err := s.counts(); err != nil {
		t.Fatal(err)
	}
	leech := limited(t, "leech", []string{"leech", s.torrent, "-o", filepath.Join(dir, "out"), "--seed-forever",
		"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"})
	at := leech.ready()
	leech.event("first_byte", patience)

	peers, trackers := s.peerTarget(), s.trackerTarget()
	say := func(i int) attacker {
		hello := peers.wrap[0]()
		return attacker{words: hello[:[]int{0, 30, len(hello)}[i%3]]} // silent, begun, or one of the swarm
	}
	ask := func(i int) attacker { return attacker{words: trackers.prefix[:i%2*len(trackers.prefix)]} }
	const crowd = 500
	procs := []*proc{s.tracker, s.seed, leech}
	admins := []string{s.admin, s.seedMetrics, at["metrics"]}
	sieges := []*siege{besiege(t, s.trackerAddr, crowd, ask), besiege(t, s.seedAddr, crowd, say), besiege(t, at["peer"], crowd, say)}
	underSiege(t, procs, admins, at["metrics"])
	for _, one := range sieges {
		one.lift()
	}

	began := time.Now()
	const soon = 5 * time.Second
	eventually(t, soon, func() error { _, err := s.counts(); return err })
	t.Logf("the tracker answers %v after the attack", time.Since(began).Round(time.Millisecond))
	for i, addr := range []string{s.seedAddr, at["peer"]} {
		eventually(t, soon-time.Since(began), func() error { return greets(addr, peers.wrap[0]()) })
		t.Logf("the %s answers %v after the attack", procs[1+i].name, time.Since(began).Round(time.Millisecond))
	}
	leech.event("complete", time.Minute)
	s.arrived("out")
	leech.mu.Lock()
	defer leech.mu.Unlock()
	for _, d := range leech.docs {
		if d.Event == "failed" {
			t.Errorf("the leecher's disk failed: %s", d.Detail)
		}
	}
}

// underSiege watches processes for some seconds of an attack.
func underSiege(t *testing.T, procs []*proc, admins []string, leecher string) {
	t.Helper()
	before := mustScrape(t, leecher).value(t, doneBytes)
	// From when they are full.
	eventually(t, patience, func() error {
		for _, p := range procs {
			fds, err := os.ReadDir("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd")
			if err == nil && len(fds) < fewDescriptors*7/10 {
				err = fmt.Errorf("%s has %d descriptors", p.name, len(fds))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	var used []time.Duration
	for _, p := range procs {
		used = append(used, p.cpuTime())
	}
	began := time.Now()
	time.Sleep(choose(8*time.Second, 25*time.Second)) // the attack goes on
	for i, p := range procs {
		if _, err := scrape(admins[i]); err != nil {
			t.Errorf("%s cannot be watched: %v", p.name, err)
		}
		w, err := weigh(p, admins[i])
		share := float64(p.cpuTime()-used[i]) / float64(time.Since(began))
		t.Logf("%s: %.1f %% of a processor; %v (%v)", p.name, 100*share, w, err)
		if share > 0.2 {
			t.Errorf("%s takes %.0f %% of a processor", p.name, 100*share)
		}
	}
	if after := mustScrape(t, leecher).value(t, doneBytes); after <= before {
		t.Errorf("the transfer stands still at %.0f bytes", after)
	}
}
