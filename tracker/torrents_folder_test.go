package tracker

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTorrentsConfigMap lays the folder out as the kubelet does: the files are links, by
// way of one that is changed when the ConfigMap is.
func TestTorrentsConfigMap(t *testing.T) {
	dir := t.TempDir()
	mount := func(version, content string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, version), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, version, "model.torrent"), torrentFile(content), 0o644); err != nil {
			t.Fatal(err)
		}
		next := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(version, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	mount("..2026_11_21_10_00", "one")
	if err := os.Symlink("..data/model.torrent", filepath.Join(dir, "model.torrent")); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.TorrentsDir = dir
	s := start(t, cfg, nil)
	if status, b := get(t, s.addr, "/torrents/model.torrent"); status != http.StatusOK || !bytes.Equal(b, torrentFile("one")) {
		t.Errorf("%d, %d bytes", status, len(b))
	}
	before := s.Torrents().list()[0].InfoHash
	mount("..2026_11_21_11_00", "two")
	s.rescan()
	l := s.Torrents().list()
	if len(l) != 1 || l[0].InfoHash == before {
		t.Errorf("the ConfigMap was changed, and the list is %+v", l)
	}
}

// TestTorrentsLookAgain: a torrent that was written just now is found when it is asked
// for, and a stream of those who ask for none does not make a stream of readings.
func TestTorrentsLookAgain(t *testing.T) {
	dir := t.TempDir()
	cfg := DefaultConfig()
	cfg.TorrentsDir, cfg.Rescan = dir, time.Hour
	s := start(t, cfg, nil)
	read := func() time.Time {
		s.folder.mu.Lock()
		defer s.folder.mu.Unlock()
		return s.folder.read
	}
	age := func(d time.Duration) time.Time {
		s.folder.mu.Lock()
		defer s.folder.mu.Unlock()
		s.folder.read = time.Now().Add(d)
		return s.folder.read
	}
	// Not long ago, however slow this machine is.
	when := age(time.Hour)
	if status, _ := get(t, s.addr, "/torrents/new.torrent"); status != http.StatusNotFound || read() != when {
		t.Errorf("%d; the folder was read at %v, want %v", status, read(), when)
	}
	age(-lookEvery)
	if err := os.WriteFile(filepath.Join(dir, "new.torrent"), torrentFile("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, b := get(t, s.addr, "/torrents/new.torrent"); status != http.StatusOK || !bytes.Equal(b, torrentFile("new")) {
		t.Errorf("%d, %d bytes", status, len(b))
	}
	cfg.TorrentsDir = ""
	if err := s.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, s.addr, "/torrents/new.torrent"); status != http.StatusNotFound || s.lookAgain() {
		t.Errorf("without a folder: %d", status)
	}
}
