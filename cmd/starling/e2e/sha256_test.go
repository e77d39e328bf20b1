//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoSHA1 makes, shows and verifies a v2 torrent where the process dies of any
// SHA-1, and is told in one line that one of another format cannot be.
func TestNoSHA1(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shape(t, dir, "tree")
	run := func(args ...string) (string, int) {
		cmd := exec.Command(starlingBinary, args...)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "GODEBUG=fips140=only"}
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, args := range [][]string{
		{"create", "tree", "--format", "v2", "-o", "v2.torrent", "--piece-size", "64KiB"},
		{"create", filepath.Join("tree", "one"), "--format", "v2", "-o", "one.torrent"},
		{"inspect", "v2.torrent"},
		{"inspect", "--json", "one.torrent"},
		{"verify", "v2.torrent", "."},
		{"verify", "one.torrent", "tree"},
	} {
		if out, code := run(args...); code != 0 {
			t.Fatalf("%q: exit code %d\n%s", args, code, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "tree", "one"), []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := run("verify", "v2.torrent", "."); code != 4 || !strings.Contains(out, "bad file    tree/one\n") {
		t.Errorf("verify of changed content: exit code %d\n%s", code, out)
	}
	say(t, dir, starlingBinary, "-q", "create", "tree", "--format", "v1", "-o", "v1.torrent")
	say(t, dir, starlingBinary, "-q", "create", "tree", "--format", "hybrid", "-o", "hybrid.torrent")
	for _, args := range [][]string{
		{"create", "tree", "--format", "v1"}, {"create", "tree", "--format", "hybrid"},
		{"inspect", "v1.torrent"}, {"verify", "hybrid.torrent", "."},
	} {
		if out, code := run(args...); code != 3 || strings.Count(out, "\n") != 1 || !strings.Contains(out, "SHA-1 hashes, which this system forbids") {
			t.Errorf("%q: exit code %d\n%s", args, code, out)
		}
	}
}
