package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A full disk is told by its name.
func TestDiskRefuses(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Write([]byte{1})
	if got := judgeSpeed("/d", speed{}, err); got.Level != Problem || !strings.Contains(got.Found, "no space left") || !strings.HasPrefix(got.Cure, "delete ") {
		t.Errorf("a full disk: %+v", got)
	}
	var path *fs.PathError
	if !errors.As(err, &path) || !errors.Is(pathless(err), syscall.ENOSPC) {
		t.Errorf("the error of a full disk: %v", err)
	}
}

// What Linux is asked for is answered, and plausible.
func TestMeasures(t *testing.T) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	if l := descriptors(); !l.known || uint64(l.now) != r.Cur {
		t.Errorf("descriptors: %+v, want %d", l, r.Cur)
	}
	if m := measureMemory(); !m.known || m.available == 0 || m.available > m.total {
		t.Errorf("memory: %+v", m)
	}
	if v := statDisk(t.TempDir()); !v.known || v.kind == "" || v.total == 0 || v.free > v.total {
		t.Errorf("volume: %+v", v)
	}
	if h := measureHashing(); h.sha1 <= 0 || h.sha256 <= 0 || !h.in.known {
		t.Errorf("hashing: %+v", h)
	}
	const table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 0100007F:1B39 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n" +
		"   1: 0100007F:1B39 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n"
	if got := holders(table, 6969, stateListen); len(got) != 1 || got[0] != "4711" {
		t.Errorf("who listens at 6969: %v", got)
	}
}

// A control group's memory is what is used of it without the pages of files.
func TestGroupMemory(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"second version": {"memory.max": "1000\n", "memory.current": "900\n", "memory.stat": "anon 200\ninactive_file 400\nactive_file 300\n"},
		"first version":  {"memory/memory.limit_in_bytes": "1000\n", "memory/memory.usage_in_bytes": "900\n", "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 400\ntotal_active_file 300\n"},
	} {
		root := t.TempDir()
		for file, text := range files {
			path := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if most, used := groupMemory(root); most != 1000 || used != 200 {
			t.Errorf("%s: %d used of %d, want 200 of 1000", name, used, most)
		}
	}
	unbound := t.TempDir()
	if err := os.WriteFile(filepath.Join(unbound, "memory.max"), []byte("max\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if most, used := groupMemory(unbound); most != 0 || used != 0 {
		t.Errorf("without a bound: %d of %d", used, most)
	}
}
