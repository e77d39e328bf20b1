//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// writeRandom makes a file of random bytes, the same for the same seed.
func writeRandom(t *testing.T, path string, size int64, seed byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{seed}), size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// copyTree copies the regular files below src, and says how many and how much.
func copyTree(t *testing.T, src, dst string) (files int, size int64) {
	t.Helper()
	err := filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		files++
		size += int64(len(data))
		return os.WriteFile(to, data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, size
}

// sameTree does what diff -r does: the same names on both sides, the same bytes.
func sameTree(t *testing.T, want, got string) {
	t.Helper()
	err := errors.Join(oneWay(want, got, sameFile), oneWay(got, want, func(a, b string) error {
		_, err := os.Lstat(b)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// oneWay calls same for every file below a, and its counterpart below b.
func oneWay(a, b string, same func(a, b string) error) error {
	return filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(a, path)
		if err != nil {
			return err
		}
		return same(path, filepath.Join(b, rel))
	})
}

func sameFile(a, b string) error {
	fa, err := os.Open(a)
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return err
	}
	defer fb.Close()
	const step = 64 << 10
	bufA, bufB := make([]byte, step), make([]byte, step)
	for {
		n, errA := io.ReadFull(fa, bufA)
		m, errB := io.ReadFull(fb, bufB)
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return fmt.Errorf("%s differs from %s", b, a)
		}
		if errA != nil || errB != nil {
			return errors.Join(notEnd(errA), notEnd(errB))
		}
	}
}

func notEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
