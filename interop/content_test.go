//go:build linux

package interop

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// smallTree is what most cells move: files that begin and end within pieces, an
// empty one, one of a byte, one of exactly a piece, deep and Unicode names.
var smallTree = map[string]int{
	"a.bin":                     1300*kib + 77,
	"b/empty":                   0,
	"b/one":                     1,
	"b/c/d/e/piece.bin":         64 * kib,
	"b/grüße-\u661f.bin":        200*kib - 1,
	"z.bin":                     500 * kib,
	"z/last name with spaces.x": 3*kib + 5,
}

// makeTree writes files of random bytes below dir.
func makeTree(t *testing.T, dir string, tree map[string]int, rngSeed uint64) {
	t.Helper()
	for name, size := range tree {
		b := make([]byte, size)
		r := rand.NewChaCha8([32]byte{byte(rngSeed), byte(len(name)), name[0], byte(size)})
		_, _ = r.Read(b) // it never fails
		writeFile(t, filepath.Join(dir, name), b)
	}
}

// create makes a torrent file with starling.
func create(t *testing.T, content, output string, flags ...string) {
	t.Helper()
	cmd := exec.Command(starlingBinary, append([]string{"-q", "create", content, "-o", output}, flags...)...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"HOME=" + cmd.Dir, "PATH=" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("starling create: %v\n%s", err, out)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sameTree checks that all files below want are below got, with the same bytes.
// What else a client keeps beside them is its own matter, but not an empty file
// that it left out: of those a client may think what it likes.
func sameTree(t *testing.T, want, got string) {
	t.Helper()
	err := filepath.WalkDir(want, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".pad" {
			return fs.SkipDir // of those that keep them
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(want, p)
		if err != nil {
			return err
		}
		a, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(got, rel))
		if len(a) == 0 && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("%s: %d bytes, want %d, not the same", rel, len(b), len(a))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
