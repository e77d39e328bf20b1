//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"starling/internal/testutil"
)

// exitDisk is the exit code of a disk that is full or refuses.
const exitDisk = 7

// remount makes the disk at dir read-only, or writable again.
func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}

// diskSwarm is a swarm whose leecher's directory is a tmpfs of 64 MiB.
func diskSwarm(t *testing.T, size int64, seedFlags ...string) (s *swarm, disk string) {
	t.Helper()
	dir := t.TempDir()
	disk = filepath.Join(dir, "out")
	if err := testutil.Tmpfs(t, disk, "size=64m"); err != nil {
		t.Skipf("mounting a tmpfs needs root: %v", err)
	}
	writeRandom(t, filepath.Join(dir, "d", "file"), size, 3)
	return newSwarm(t, dir, "d", seedFlags...), disk
}

// refused checks how a leecher ends that the disk refuses: a line that says why,
// and one that helps where something can be done.
func refused(t *testing.T, p *proc, within time.Duration, why string) doc {
	t.Helper()
	p.wait(exitDisk, within)
	e := p.find("an error", 0, func(d *doc) bool { return d.Type == "error" })
	if e.Code != exitDisk || !strings.Contains(e.Message, why) || strings.Contains(e.Message, "\n") {
		t.Errorf("code %d, message %q; want one line with %q", e.Code, e.Message, why)
	}
	t.Logf("starling: %s; hint: %s", e.Message, e.Hint)
	return e
}

// TestDiskTooSmall: what cannot fit is refused, and arrives when there is room.
func TestDiskTooSmall(t *testing.T) {
	t.Parallel()
	s, disk := diskSwarm(t, 32*mib)
	ballast := filepath.Join(disk, "ballast")
	writeRandom(t, ballast, 48*mib, 4)
	e := refused(t, s.leech("out"), 45*time.Second, "not enough disk space")
	if !e.Retryable || e.Hint == "" {
		t.Errorf("retryable %v, hint %q: a full disk can be mended", e.Retryable, e.Hint)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.leech("out", "--no-seed").wait(0, time.Minute)
	s.arrived("out")
}

// TestDiskFills: another program fills the disk during the transfer. It goes on
// by itself when there is room again; in the full form it also gives up once.
func TestDiskFills(t *testing.T) {
	long(t)
	t.Parallel()
	s, disk := diskSwarm(t, 48*mib)
	ballast := filepath.Join(disk, "ballast")
	// In the full form the transfer has passed a checkpoint by then.
	enough := choose[int64](4*mib, 24*mib)
	p := s.leech("out", "--no-seed", "--down-limit", "4MiB/s")
	done := p.find("some pieces", patience, func(d *doc) bool { return d.Done > enough }).Done
	testutil.Fill(t, ballast)
	p.event("failed", patience)
	if full {
		refused(t, p, time.Minute, "not enough disk space")
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		p = s.leech("out", "--no-seed", "--down-limit", "4MiB/s")
		got := p.resumed()
		t.Logf("resumed from %.1f MiB, %.1f MiB had been there", float64(got)/mib, float64(done)/mib)
		// A full disk takes no resume state either: what was not
		// checkpointed by then may go, 5 s of work.
		if done-got > 5*4*mib {
			t.Errorf("lost %.1f MiB", float64(done-got)/mib)
		}
		testutil.Fill(t, ballast)
		p.event("failed", patience)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.event("resumed", patience)
	took := time.Since(began)
	if took > 10*time.Second {
		t.Errorf("went on %s after there was room again, want at most 10 s", took)
	}
	p.wait(0, time.Minute)
	s.arrived("out")
	t.Logf("went on %s after there was room again", took.Round(time.Millisecond))
}

// TestReadOnlyTarget: a read-only disk is refused at the start and, after a
// transfer was stopped there, at its resumption.
func TestReadOnlyTarget(t *testing.T) {
	t.Parallel()
	s, disk := diskSwarm(t, 24*mib)
	remount(t, disk, syscall.MS_RDONLY)
	refused(t, s.leech("out"), 45*time.Second, "permission denied")
	remount(t, disk, 0)

	p := s.leech("out", "--down-limit", "8MiB/s")
	done := p.find("some pieces", patience, func(d *doc) bool { return d.Done > 2*mib }).Done
	p.term()
	remount(t, disk, syscall.MS_RDONLY)
	refused(t, s.leech("out"), 45*time.Second, "permission denied")
	remount(t, disk, 0)

	p = s.leech("out", "--no-seed")
	p.wait(0, time.Minute)
	if got := p.summary().BytesFrom.Disk; got < done {
		t.Errorf("resumed from %d bytes, %d had been there", got, done)
	}
	s.arrived("out")
}

// TestTwoOnOneDirectory: the second of two processes says that the first works
// there; a lock that SIGKILL left stops nobody.
func TestTwoOnOneDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), 24*mib, 5)
	s := newSwarm(t, dir, "d")
	first := s.leech("out", "--down-limit", "1MiB/s")
	first.ready()
	second := s.leech("out")
	second.wait(1, patience)
	e := second.find("an error", 0, func(d *doc) bool { return d.Type == "error" })
	if !strings.Contains(e.Message, "in use by another process") || !e.Retryable {
		t.Errorf("message %q, retryable %v", e.Message, e.Retryable)
	}
	first.kill()
	s.leech("out", "--no-seed").wait(0, time.Minute)
	s.arrived("out")
}
