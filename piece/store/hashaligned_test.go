package store

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"os"
	"slices"
	"testing"

	"starling/metainfo/merkle"
)

// Roots and SHA-1s are those of each piece by itself, with any number of workers.
func TestHashAligned(t *testing.T) {
	const k = 16 << 10
	x := newTorrent(t, 64, file("t/a", 0, true), file("t/b", 1, true), file("t/c", 4*k, true), file("t/d/e", 9*k+5, true),
		file("t/f", 5*k, true), file("t/g", 0, true), file("t/h", k+1, true), file("t/z", 0, true))
	x.write(t, "t")
	tree, err := Scan(ctx, x.path("t"), nil)
	must(t, err)
	var want []AlignedPiece
	for i, f := range x.cfg.Files {
		data := x.file(i)
		for rest := data; len(rest) > 0; rest = rest[min(4*k, len(rest)):] {
			piece := rest[:min(4*k, len(rest))]
			var h merkle.Hasher
			h.Write(piece)
			height := 2
			if f.Length <= 4*k {
				height = -1
			}
			p := AlignedPiece{Root: h.Root(height), SHA1: sha1.Sum(slices.Concat(piece, make([]byte, 4*k-len(piece))))}
			if f.Path == "t/h" {
				p.SHA1 = sha1.Sum(piece)
			}
			want = append(want, p)
		}
	}
	for _, workers := range []int{0, 1, 3} {
		var last int64
		got, err := HashAligned(ctx, tree, 4*k, true, workers, func(done int64) {
			if done <= last || done > tree.Total {
				t.Errorf("progress %d after %d", done, last)
			}
			last = done
		})
		must(t, err)
		if !slices.Equal(got, want) || last != tree.Total {
			t.Errorf("%d workers: not the hashes; %d bytes done", workers, last)
		}
		got, err = HashAligned(ctx, tree, 4*k, false, workers, nil)
		must(t, err)
		for i := range want {
			if got[i].Root != want[i].Root || got[i].SHA1 != ([20]byte{}) {
				t.Errorf("without SHA-1: piece %d", i)
			}
		}
	}
	for _, bad := range []int64{0, -1, 8 << 10, 3 * k} {
		if _, err := HashAligned(ctx, tree, bad, false, 0, nil); err == nil {
			t.Error("piece length", bad)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := HashAligned(ended, tree, 4*k, false, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestHashAlignedNoticesChange(t *testing.T) {
	for name, change := range map[string]func(p string) error{
		"grown":  func(p string) error { return os.Truncate(p, 40_000) },
		"shrunk": func(p string) error { return os.Truncate(p, 4) },
		"gone":   os.Remove,
	} {
		x := newTorrent(t, 64, file("t/a", 100_000, true), file("t/b", 30_000, true))
		x.write(t, "t")
		tree, err := Scan(ctx, x.path("t"), nil)
		must(t, err)
		must(t, change(x.path("t", "b")))
		if _, err := HashAligned(ctx, tree, 16<<10, true, 0, nil); !errors.Is(err, ErrChanged) {
			t.Errorf("%s before: %v", name, err)
		}
		must(t, os.WriteFile(x.path("t", "b"), bytes.Repeat([]byte("x"), 30_000), 0o644))
		must(t, os.Chtimes(x.path("t", "b"), tree.Files[1].ModTime, tree.Files[1].ModTime))
		_, err = HashAligned(ctx, tree, 16<<10, true, 1, func(done int64) {
			if done >= 100_000 && name != "" {
				must(t, change(x.path("t", "b")))
				name = ""
			}
		})
		if !errors.Is(err, ErrChanged) {
			t.Errorf("during: %v", err)
		}
	}
}
