package testutil

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// Tmpfs mounts a disk of its own at dir, which it makes, until the test ends; options are
// those of tmpfs(5), as size=64m. The error is that this machine does not let it, which
// under CI it must let root.
func Tmpfs(t testing.TB, dir, options string) error {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatalf("CI as root must be able to mount a tmpfs: %v", err)
		}
		return err
	}
	t.Cleanup(func() {
		// Detached it goes once nobody holds it: a child that another test has just
		// forked has our files until it is another program.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return nil
}

// Fill writes to a new file until its disk is full.
func Fill(t testing.TB, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 64<<10); err == nil; _, err = f.Write(chunk) {
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
