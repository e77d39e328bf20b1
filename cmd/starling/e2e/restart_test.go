//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTrackerRestart stops and kills the tracker under a running swarm. It comes
// back with its swarms, peers that it knew before find each other, new ones find
// them, and everyone finishes.
func TestTrackerRestart(t *testing.T) {
	long(t)
	t.Parallel()
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), 64*mib, 6)
	s := newSwarm(t, dir, "d", "--up-limit", "8MiB/s")
	first := s.leech("first", "--seed-forever")
	first.event("first_byte", patience)
	listed := func(peers float64) {
		t.Helper()
		eventually(t, patience, func() error {
			m, err := scrape(s.admin)
			if err != nil {
				return err
			}
			if got := m[trackedSeeders] + m[trackedLeechers]; got < peers {
				return fmt.Errorf("the tracker lists %v peers, want %v", got, peers)
			}
			return nil
		})
	}
	listed(2)
	// An orderly stop writes the snapshot, which a crash leaves as it is.
	s.tracker.term()
	s.tracker = start(t, "tracker again", s.trackerArgs...)
	s.tracker.ready()
	restored(t, s)
	s.tracker.kill()

	// In the middle of the swarm's life without a tracker a new peer arrives.
	late := s.leech("late", "--seed-forever")
	late.event("tracker_failed", patience)
	s.tracker = start(t, "tracker after SIGKILL", s.trackerArgs...)
	s.tracker.ready()
	restored(t, s)
	began := time.Now()
	late.event("first_byte", patience)
	found := time.Since(began)
	first.event("complete", time.Minute)
	late.event("complete", time.Minute)
	listed(3)
	s.arrived("first")
	s.arrived("late")
	t.Logf("the late peer had its first byte %s after the tracker's return", found.Round(time.Millisecond))
}

// restored checks that the tracker's first answers have the swarm of its snapshot
// and the torrents of its folder.
func restored(t *testing.T, s *swarm) {
	t.Helper()
	counts, err := s.counts()
	if err != nil {
		t.Fatal(err)
	}
	if counts.complete+counts.incomplete < 2 {
		t.Errorf("the tracker came back with %+v, want both peers", counts)
	}
	want, err := os.ReadFile(s.torrent)
	if err != nil {
		t.Fatal(err)
	}
	served, err := get("http://" + s.trackerAddr + "/torrents/" + s.name + ".torrent")
	if err != nil || served != string(want) {
		t.Errorf("the tracker serves %d bytes of the torrent (%v), want %d", len(served), err, len(want))
	}
	list, err := get("http://" + s.trackerAddr + "/api/v1/torrents")
	if err != nil || !strings.Contains(list, `"`+s.name+`"`) {
		t.Errorf("the tracker lists %q (%v), want %s in it", list, err, s.name)
	}
}

// TestSeedKilledUnion kills the seed when a leecher lacks pieces that two others
// hold between them.
func TestSeedKilledUnion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, name := range []string{"a", "b"} {
		writeRandom(t, filepath.Join(dir, "d", name), 8*mib, byte(10+i))
	}
	s := newSwarm(t, dir, "d", "--up-limit", "8MiB/s")
	var halves []*proc
	for _, name := range []string{"a", "b"} {
		halves = append(halves, s.leech("half-"+name, "--include", name, "--seed-forever"))
	}
	for _, p := range halves {
		// 16 MiB at 8 MiB/s: nobody waits for pieces that it does not want.
		p.event("complete", 15*time.Second)
	}
	s.seed.kill()
	s.leech("whole", "--no-seed").wait(0, time.Minute)
	s.arrived("whole")
}

// TestSeedKilledHalfway kills the only seed at half. The leechers share what they
// have, say which pieces nobody has, and go on when the seed returns.
func TestSeedKilledHalfway(t *testing.T) {
	long(t)
	t.Parallel()
	const size = 48 * mib
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), size, 7)
	// The second half takes six seconds: a busy machine may look late.
	s := newSwarm(t, dir, "d", "--up-limit", "4MiB/s")
	leechers := []*proc{s.leech("one", "--seed-for", "30s"), s.leech("two", "--seed-for", "30s")}
	eventually(t, time.Minute, func() error {
		m, err := scrape(s.seedMetrics)
		if err == nil && m[sentPayload] < size/2 {
			err = errors.New("the seed has not sent half")
		}
		return err
	})
	s.seed.kill()
	var done []int64
	for _, p := range leechers {
		e := p.event("stalled", 2*time.Minute)
		if !strings.Contains(e.Detail, "no peer has") {
			t.Errorf("%s: stalled: %q, want which pieces nobody has", p.name, e.Detail)
		}
		st := p.find("a stalled reading", patience, func(d *doc) bool { return d.State == "stalled" })
		if !strings.Contains(st.Trouble, "no peer has") || !strings.Contains(st.Trouble, "piece") {
			t.Errorf("%s: trouble %q, want which pieces nobody has", p.name, st.Trouble)
		}
		done = append(done, st.Done)
		t.Logf("%s at %.1f MiB: %s", p.name, float64(st.Done)/mib, st.Trouble)
	}
	if done[0] != done[1] {
		t.Errorf("stalled with %d and %d bytes: what one has the other can have", done[0], done[1])
	}
	began := time.Now()
	marks := []int{leechers[0].said(), leechers[1].said()}
	s.seed = start(t, "seed again", s.seedArgs...)
	for i, p := range leechers {
		p.findFrom(marks[i], "event resumed", time.Minute, func(d *doc) bool { return d.Event == "resumed" })
	}
	t.Logf("went on %s after the seed's start", time.Since(began).Round(time.Millisecond))
	for i, p := range leechers {
		p.event("complete", time.Minute)
		s.arrived([]string{"one", "two"}[i])
	}
}
