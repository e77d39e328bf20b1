package tracker

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/tracker/fleet"
)

func newServer(t testing.TB, cfg Config, log io.Writer) *Server {
	t.Helper()
	s, err := New(cfg, slog.New(slog.NewTextHandler(log, nil)), NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshotSurvivesRestart(t *testing.T) {
	cfg := DefaultConfig()
	cfg.StatePath = filepath.Join(t.TempDir(), "tracker.state")
	s := start(t, cfg, nil)
	for i := range 20 {
		event := []string{"", "&event=completed"}[i%2]
		get(t, s.addr, announcePath(hash1, 100+i, fmt.Sprintf("&left=%d%s", 1-i%2, event)))
	}
	before := s.shards.totals()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(cfg.StatePath); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("state file: %v %v", info, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(cfg.StatePath)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	s = start(t, cfg, nil)
	if got := s.shards.totals(); got != before || s.shards.peers.Load() != 20 {
		t.Errorf("totals %+v, before the restart %+v", got, before)
	}
	_, b := get(t, s.addr, announcePath(hash1, 100, "&left=1"))
	if field(t, b, "downloaded") != "10" || len(field(t, b, "peers")) != 19*6 {
		t.Errorf("%q", b)
	}
}

// TestSnapshotDamaged wants a tracker that starts empty, and says why, whatever byte
// of the snapshot is wrong or missing.
func TestSnapshotDamaged(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Shards = 1
	cfg.StatePath = filepath.Join(t.TempDir(), "tracker.state")
	s := newServer(t, cfg, io.Discard)
	for i := range 3 {
		reportTo(s, 100+i, "&left=1")
	}
	reportTo(s, 200, "&left=0&x_size=5&x_done=5&event=completed")
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(cfg.StatePath)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, b []byte) {
		t.Helper()
		if err := os.WriteFile(cfg.StatePath, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		back := newServer(t, cfg, &log)
		if got := back.shards.totals(); got.Leechers != 0 || back.reports.store.Totals().Hosts != 0 || !strings.Contains(log.String(), "WARN") {
			t.Fatalf("%s: %+v, log %q", what, got, log.String())
		}
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x10
		check(fmt.Sprintf("byte %d changed", i), bad)
		check(fmt.Sprintf("cut at %d", i), good[:i])
	}
	if got, err := s.restore(good, time.Now().Add(2*staleSnapshot)); got.peers != 0 || err != nil {
		t.Errorf("an old snapshot gives %+v, %v", got, err)
	}
}

func TestSnapshotUnwritable(t *testing.T) {
	cfg := DefaultConfig()
	cfg.StatePath = filepath.Join(t.TempDir(), "missing", "tracker.state")
	if err := newServer(t, cfg, io.Discard).save(); err == nil {
		t.Error("no error")
	}
}

// FuzzSnapshot gives the parser bodies under a right sum, so that it gets past it, of
// both versions.
func FuzzSnapshot(f *testing.F) {
	cfg := DefaultConfig()
	cfg.Shards = 2
	rollout := newServer(f, cfg, io.Discard)
	reportTo(rollout, 1, "&x_size=5&x_done=5&left=0&x_node=a&x_label_rack=r")
	reportTo(rollout, 2, "&x_size=5&x_done=5&left=0&event=stopped")
	var whole bytes.Buffer
	if err := rollout.writeSnapshot(&whole, time.Now()); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes()[snapshotHeader : whole.Len()-snapshotTrailer])
	f.Add([]byte{})
	f.Add(make([]byte, 8+32+27))
	f.Add([]byte(strings.Repeat("\x00\x01", 100)))
	f.Fuzz(func(t *testing.T, body []byte) {
		now := time.Unix(1_700_000_000, 0)
		for _, magic := range []string{snapshotMagic1, snapshotMagic} {
			s := newServer(t, cfg, io.Discard)
			got, _ := s.restore(sealed(magic, body, now), now)
			if sum := s.shards.totals(); sum.Seeders+sum.Leechers != got.peers {
				t.Fatalf("%+v reported, %+v there", got, sum)
			}
			if sum := s.reports.store.Totals(); sum.Done != got.done || sum.Hosts != got.done {
				t.Fatalf("%+v reported, %+v there", got, sum)
			}
			_, _ = s.restore(body, now)
		}
	})
}

// reportTo announces to a tracker without a socket that the host with this number has
// done what more says.
func reportTo(s *Server, n int, more string) {
	path := announcePath(hash1, n, "&x_report=1&numwant=0"+more)
	s.announce(new(scratch), []byte(strings.TrimPrefix(path, "/announce?")), loopback)
}

// TestSnapshotOfVersion1: what a tracker wrote before hosts were in it is read, and what
// none has written is not.
func TestSnapshotOfVersion1(t *testing.T) {
	s := newServer(t, DefaultConfig(), io.Discard)
	reportTo(s, 1, "&left=1")
	var records []byte
	for i := range s.shards.all {
		records = s.shards.appendSnapshot(i, records)
	}
	for magic, want := range map[string]int{snapshotMagic1: 1, "STRLTRK\x03": 0, "STRLTRK\x00": 0} {
		back := newServer(t, DefaultConfig(), io.Discard)
		got, err := back.restore(sealed(magic, records, time.Now()), time.Now())
		if got.peers != want || (err == nil) != (want > 0) || back.shards.totals().Leechers != want {
			t.Errorf("%q: %+v, %v", magic, got, err)
		}
	}
}

// TestDoneSurvivesRestart: a tracker that comes back counts as many hosts, and as many of
// them done, as before: those that left, those that seed, and those that leave while it
// is away. Who lacks something is there by its address until it reports.
func TestDoneSurvivesRestart(t *testing.T) {
	cfg := DefaultConfig()
	cfg.StatePath = filepath.Join(t.TempDir(), "tracker.state")
	s := start(t, cfg, nil)
	tell := func(n, done int, more string) {
		t.Helper()
		s.report(t, n, done, fmt.Sprintf("&x_label_rack=r%d&x_state=seeding%s", n%2, more))
	}
	for n := 1; n <= 12; n++ {
		tell(n, map[bool]int{true: 1000, false: 100}[n <= 9], "")
	}
	for n := 1; n <= 4; n++ {
		tell(n, 1000, "&event=stopped")
	}
	tell(12, 100, "&event=stopped")
	look := func() fleet.Status {
		t.Helper()
		s.age()
		return api[fleet.Status](t, s.addr, "swarms/"+hash1Hex+"/status?by=rack")
	}
	before := look()
	if before.Hosts != 11 || before.Done != 9 {
		t.Fatalf("before: %+v", before)
	}
	restart := func() {
		t.Helper()
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		s = start(t, cfg, nil)
	}
	restart()
	after := look()
	if after.Hosts != 11 || after.Done != 9 || after.GroupsTotal != 3 {
		t.Errorf("after: %+v", after)
	}
	if list := api[fleet.Swarms](t, s.addr, "swarms").Swarms[0]; list.Hosts != 11 || list.Done != 9 || list.Seeders != 5 {
		t.Errorf("the list after: %+v", list)
	}
	states := map[string]int{}
	for _, h := range api[fleet.Hosts](t, s.addr, "swarms/"+hash1Hex+"/hosts").Hosts {
		states[h.State]++
	}
	if states["left"] != 4 || states["seeding"] != 5 || states[""] != 2 {
		t.Errorf("states %v", states)
	}
	for n := 5; n <= 11; n++ {
		tell(n, 1000, "")
	}
	if st := look(); st.Hosts != 11 || st.Done != 11 || st.GroupsTotal != 2 {
		t.Errorf("all have reported: %+v", st)
	}
	restart()
	restart()
	if st := look(); st.Hosts != 11 || st.Done != 11 {
		t.Errorf("after two more restarts: %+v", st)
	}
}

// TestCrashedSave: what a crash in the middle of a snapshot left behind is no snapshot,
// and does not stay.
func TestCrashedSave(t *testing.T) {
	cfg := DefaultConfig()
	cfg.StatePath = filepath.Join(t.TempDir(), "tracker.state")
	s := newServer(t, cfg, io.Discard)
	if err := os.WriteFile(cfg.StatePath+".tmp", []byte("half"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(cfg.StatePath)); len(entries) != 1 || entries[0].Name() != "tracker.state" {
		t.Errorf("left behind: %v", entries)
	}
}
