package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rot flips a bit of the published file at a path, as a disk would: nothing but the
// byte changes.
func (x *torrent) rot(t *testing.T, off int64, elem ...string) {
	t.Helper()
	path := x.path(elem...)
	fi, err := os.Stat(path)
	must(t, err)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, off)
	must(t, err)
	b[0] ^= 0x10
	_, err = f.WriteAt(b, off)
	must(t, err)
	must(t, f.Close())
	must(t, os.Chtimes(path, time.Time{}, fi.ModTime()))
}

// published is a store of a torrent that is complete.
func published(t *testing.T, x *torrent) *Store {
	t.Helper()
	s := open(t, x.cfg)
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	return s
}

// mend puts piece 0 again, where it is, and finishes.
func (x *torrent) mend(t *testing.T, s *Store) {
	t.Helper()
	x.put(t, s, 0)
	if s.Path() != x.path("t") {
		t.Error("data at", s.Path())
	}
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

// recheck wants a verdict on piece i.
func recheck(t *testing.T, s *Store, i int, want bool) (where string) {
	t.Helper()
	ok, where, err := s.Recheck(i)
	if ok != want || err != nil {
		t.Fatalf("Recheck(%d) = %v, %q, %v", i, ok, where, err)
	}
	return where
}

// A bit falls in published content: the piece is named, not served and forgotten, and
// written again in its place. Nobody who has the path loses it.
func TestRot(t *testing.T) {
	puts := map[string]func(t *testing.T, x *torrent, s *Store, i int){
		"whole": func(t *testing.T, x *torrent, s *Store, i int) { x.put(t, s, i) },
		"in parts": func(t *testing.T, x *torrent, s *Store, i int) {
			b := x.piece(i)
			must(t, s.PutBlock(i, 20, b[20:]))
			must(t, s.PutBlock(i, 0, b[:20]))
			verify(t, s, i)
		},
	}
	for name, put := range puts {
		t.Run(name, func(t *testing.T) {
			x := small(t)
			s := published(t, x)
			for i := range x.pieces() {
				recheck(t, s, i, true)
			}
			x.rot(t, 100, "t", "e", "f", "g")
			const bad = 2 // of bytes 128 to 191, 50 to 113 of t/e/f/g
			if where := recheck(t, s, bad, false); where != "t/e/f/g, 64 bytes from 50 on" {
				t.Error(where)
			}
			if err := s.Section(bad, 0, 1).ReadInto(make([]byte, 1)); !errors.Is(err, ErrNotVerified) {
				t.Error("a wrong piece is served:", err)
			}
			if have, _ := resumed(t, s); slices.Contains(have, bad) || len(have) != x.pieces()-1 {
				t.Error("verified:", have)
			}
			put(t, x, s, bad)
			if s.Path() != x.path("t") {
				t.Error("the content was taken away to", s.Path())
			}
			must(t, s.Finish(ctx))
			x.checkFinal(t)
			if changed, what := s.Changed(); changed {
				t.Error("takes its own write for somebody else's:", what)
			}
			recheck(t, s, bad, true)
			s.release() // as a crash would
			if have, trusted := resumed(t, open(t, x.cfg)); !trusted || len(have) != x.pieces() {
				t.Error("after a restart:", have, trusted)
			}
		})
	}
}

// A restart finds the hole where it was left, and mends it in place too.
func TestRotAndRestart(t *testing.T) {
	x := small(t)
	s := published(t, x)
	x.rot(t, 3, "t", "a")
	recheck(t, s, 0, false)
	must(t, s.Close())
	s = open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || slices.Contains(have, 0) || len(have) != x.pieces()-1 {
		t.Fatal(have, trusted)
	}
	must(t, s.PutBlock(0, 0, x.piece(0)[:10]))
	must(t, s.Close()) // half of it is written
	s = open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || len(have) != x.pieces()-1 {
		t.Fatal(have, trusted)
	}
	x.mend(t, s)
}

// A process that dies while it mends leaves nothing that the next one believes, and
// nothing that it takes for somebody else's.
func TestRotAndCrash(t *testing.T) {
	for name, whole := range map[string]bool{"written": true, "half written": false} {
		t.Run(name, func(t *testing.T) {
			x := small(t)
			s := published(t, x)
			x.rot(t, 3, "t", "a")
			recheck(t, s, 0, false)
			b := slices.Clone(x.piece(0))
			if !whole {
				b[40]++
			}
			must(t, s.PutBlock(0, 0, b))
			must(t, os.Chtimes(x.path("t", "a"), time.Time{}, time.Unix(1, 0)))
			s.release()
			s = open(t, x.cfg)
			if _, trusted := resumed(t, s); trusted {
				t.Fatal("what was being written is believed")
			}
			got, err := s.Check(ctx, nil)
			must(t, err)
			if !whole {
				if count(got) != x.pieces()-1 {
					t.Fatal(count(got))
				}
				x.put(t, s, 0)
			}
			must(t, s.Finish(ctx))
			x.checkFinal(t)
		})
	}
	t.Run("another file in its place", func(t *testing.T) {
		x := oneFile(t, 200, 64)
		s := published(t, x)
		x.rot(t, 3, "t")
		recheck(t, s, 0, false)
		must(t, s.PutBlock(0, 0, x.piece(0)[:10]))
		s.release()
		must(t, os.WriteFile(x.path("t"), []byte("mine"), 0o644))
		if _, err := Open(x.cfg); !errors.Is(err, ErrExists) {
			t.Error(err)
		}
	})
}

// What somebody has edited is not rot: it is his, and left alone.
func TestEditedIsNotMended(t *testing.T) {
	x := small(t)
	s := published(t, x)
	must(t, os.WriteFile(x.path("t", "z"), bytes.Repeat([]byte{7}, 41), 0o644))
	must(t, os.Chtimes(x.path("t", "z"), time.Time{}, time.Unix(1, 0)))
	last := x.pieces() - 1
	recheck(t, s, last, false)
	if _, err := s.PutPiece(last, x.piece(last)); !errors.Is(err, ErrEdited) {
		t.Error(err)
	}
	if b, err := os.ReadFile(x.path("t", "z")); err != nil || b[0] != 7 {
		t.Error("overwritten", err)
	}
}

// A published file that cannot be written to stays as it is, and is tried again.
func TestRotThatCannotBeMended(t *testing.T) {
	x := small(t)
	d := &refusingDisk{}
	x.cfg.disk = d
	s := published(t, x)
	x.rot(t, 3, "t", "a")
	recheck(t, s, 0, false)
	d.refuse = syscall.ETXTBSY
	if _, err := s.PutPiece(0, x.piece(0)); !errors.Is(err, syscall.ETXTBSY) {
		t.Error(err)
	}
	if err := s.Section(1, 0, 6).ReadInto(make([]byte, 6)); err != nil {
		t.Error("the rest of the file is not served:", err)
	}
	d.refuse = nil
	x.put(t, s, 0)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

// refusingDisk opens nothing for writing while it refuses.
type refusingDisk struct {
	lazyDisk
	refuse error
}

func (d *refusingDisk) openFile(root *os.Root, name string, flag int, perm os.FileMode) (*os.File, error) {
	if d.refuse != nil && flag&os.O_RDWR != 0 && !strings.HasPrefix(name, resumeName) {
		return nil, &os.PathError{Op: "open", Path: name, Err: d.refuse}
	}
	return d.lazyDisk.openFile(root, name, flag, perm)
}

// A failed fsync of a mended piece leaves it to be mended, where it is.
func TestRotAndSyncError(t *testing.T) {
	x := small(t)
	d := &faultyDisk{}
	x.cfg.disk = d
	s := published(t, x)
	x.rot(t, 3, "t", "a")
	recheck(t, s, 0, false)
	x.put(t, s, 0)
	d.onSync = once("a", syscall.EIO)
	var lost *SyncError
	if err := s.Finish(ctx); !errors.As(err, &lost) || !slices.Equal(lost.Pieces, []int{0}) {
		t.Fatal(err)
	}
	x.mend(t, s)
}

// A store that only reads stops serving the piece, and serves it again when the disk
// has it right again.
func TestRotReadOnly(t *testing.T) {
	x := small(t)
	x.write(t, "t")
	x.cfg.ReadOnly = true
	s := open(t, x.cfg)
	_, err := s.Check(ctx, nil)
	must(t, err)
	x.rot(t, 3, "t", "a")
	recheck(t, s, 0, false)
	if err := s.Section(0, 0, 1).ReadInto(make([]byte, 1)); !errors.Is(err, ErrNotVerified) {
		t.Error("served:", err)
	}
	if _, err := s.PutPiece(0, x.piece(0)); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	x.rot(t, 3, "t", "a") // back
	recheck(t, s, 0, true)
	x.checkSections(t, s)
	must(t, os.Truncate(x.path("t", "z"), 3))
	recheck(t, s, x.pieces()-1, false)
	if _, _, err := s.Recheck(x.pieces()); err == nil {
		t.Error("a piece that there is not")
	}
}

// A disk that keeps other bytes than it was given is found out by reading them back:
// the hash was of those in memory.
func TestWrittenWrong(t *testing.T) {
	x := small(t)
	d := &spoilingDisk{file: "g"}
	x.cfg.disk = d
	s := published(t, x) // and nobody notices
	var bad []int
	for i := range x.pieces() {
		if ok, where, err := s.Recheck(i); err != nil {
			t.Fatal(err)
		} else if !ok {
			bad = append(bad, i)
			if !strings.Contains(where, "t/e/f/g, ") {
				t.Error(where)
			}
		}
	}
	if !slices.Equal(bad, []int{2}) {
		t.Fatal("found wrong:", bad)
	}
	x.put(t, s, 2)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

// spoilingDisk writes a byte of one file wrong, once.
type spoilingDisk struct {
	lazyDisk
	file string
	done bool
}

func (d *spoilingDisk) writeAt(f *os.File, p []byte, off int64) error {
	if filepath.Base(f.Name()) == d.file && off == 50 && !d.done {
		d.done = true
		p = slices.Clone(p)
		p[0] ^= 1
	}
	return d.lazyDisk.writeAt(f, p, off)
}

// The power goes at every operation of a mending: what the resume file claims is on the
// disk, and the next start needs no help.
func TestCrashWhileMending(t *testing.T) {
	mend := func(x *torrent) error {
		s, err := Open(x.cfg)
		if err != nil {
			return err
		}
		defer s.release()
		for _, i := range []int{0, 2} {
			if err := s.PutBlock(i, 0, x.piece(i)[:10]); err != nil {
				return err
			}
			if _, err := s.PutPiece(i, x.piece(i)); err != nil {
				return err
			}
			if _, err := s.Sync(ctx); err != nil {
				return err
			}
		}
		return s.Finish(ctx)
	}
	for cut := 1; ; cut++ {
		ended := false
		for mode := range 4 {
			x := small(t)
			s := published(t, x)
			x.rot(t, 3, "t", "a")
			x.rot(t, 100, "t", "e", "f", "g")
			recheck(t, s, 0, false)
			recheck(t, s, 2, false)
			must(t, s.Close())
			d := &crashDisk{t: t, cutAt: cut}
			x.cfg.disk = d
			ended = mend(x) == nil
			rng := rand.New(rand.NewPCG(uint64(cut), uint64(mode)))
			d.crash(func() bool { return mode == 1 || mode > 1 && rng.IntN(2) == 0 })
			when := fmt.Sprintf("operation %d, mode %d", cut, mode)
			x.checkClaims(t, when)
			x.cfg.disk = lazyDisk{}
			s, err := Open(x.cfg)
			if err != nil {
				t.Fatalf("%s: the next start: %v", when, err)
			}
			if _, trusted := s.Resumed(); !trusted {
				_, err := s.Check(ctx, nil)
				must(t, err)
			}
			x.putAll(t, s)
			must(t, s.Finish(ctx))
			must(t, s.Close())
			x.checkFinal(t)
			if t.Failed() {
				t.Fatal(when)
			}
		}
		if ended {
			t.Logf("%d operations", cut-1)
			return
		}
	}
}
