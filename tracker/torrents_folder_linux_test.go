package tracker

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestTorrentsUnreadable: a file that may not be read is complained of once, and served
// as soon as it may be.
func TestTorrentsUnreadable(t *testing.T) {
	dir := t.TempDir()
	cfg := DefaultConfig()
	cfg.TorrentsDir = dir
	s := start(t, cfg, nil)
	path := filepath.Join(dir, "model.torrent")
	if err := os.WriteFile(path, torrentFile("model"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	scan := func() {
		if err := s.torrents.scan(dir, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Error(err)
		}
	}
	if os.Geteuid() != 0 {
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		scan()
		scan()
	} else {
		// This thread, which ends with its goroutine, looks for files as nobody,
		// who must reach the folder.
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0); int(errno) != 0 {
				t.Error(errno)
			}
			scan()
			scan()
		}()
		<-done
	}
	if n := strings.Count(log.String(), "permission denied"); n != 1 || len(s.Torrents().list()) != 0 {
		t.Errorf("%d complaints, %d torrents:\n%s", n, len(s.Torrents().list()), log.String())
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	scan()
	if len(s.Torrents().list()) != 1 {
		t.Errorf("it may be read, and is not served:\n%s", log.String())
	}
}
