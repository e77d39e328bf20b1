package tracker

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
	sc := new(scratch)
	for i := range 3 {
		s.announce(sc, []byte(strings.TrimPrefix(announcePath(hash1, 100+i, "&left=1"), "/announce?")), loopback)
	}
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
		if got := newServer(t, cfg, &log).shards.totals(); got.Leechers != 0 || !strings.Contains(log.String(), "WARN") {
			t.Fatalf("%s: %+v, log %q", what, got, log.String())
		}
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x10
		check(fmt.Sprintf("byte %d changed", i), bad)
		check(fmt.Sprintf("cut at %d", i), good[:i])
	}
	if peers, err := s.restore(good, time.Now().Add(2*staleSnapshot)); peers != 0 || err != nil {
		t.Errorf("an old snapshot gives %d peers, %v", peers, err)
	}
}

func TestSnapshotUnwritable(t *testing.T) {
	cfg := DefaultConfig()
	cfg.StatePath = filepath.Join(t.TempDir(), "missing", "tracker.state")
	if err := newServer(t, cfg, io.Discard).save(); err == nil {
		t.Error("no error")
	}
}

// FuzzSnapshot gives the parser bodies under a right sum, so that it gets past it.
func FuzzSnapshot(f *testing.F) {
	cfg := DefaultConfig()
	cfg.Shards = 2
	f.Add([]byte{})
	f.Add(make([]byte, 32+27))
	f.Add([]byte(strings.Repeat("\x00\x01", 100)))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newServer(t, cfg, io.Discard)
		now := time.Unix(1_700_000_000, 0)
		peers, _ := s.restore(sealed(body, now), now)
		if got := s.shards.totals(); got.Seeders+got.Leechers != peers {
			t.Fatalf("%d peers reported, %+v there", peers, got)
		}
		_, _ = s.restore(body, now)
	})
}
