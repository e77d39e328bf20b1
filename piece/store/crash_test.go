package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

func itoa(fd uintptr) string { return strconv.Itoa(int(fd)) }

// script is a life with everything in it that orders writes. It stops at the
// first error.
func (x *torrent) script(cfg Config) (err error) {
	s, err := Open(cfg)
	if err != nil {
		return err
	}
	defer func() {
		_, serr := s.Sync(context.Background())
		err = errors.Join(err, serr)
		s.release()
	}()
	if _, trusted := s.Resumed(); !trusted {
		if _, err := s.Check(context.Background(), nil); err != nil {
			return err
		}
	}
	half := x.pieces() / 2
	for i := range x.pieces() {
		if _, err := s.PutPiece(i, x.piece(i)); err != nil {
			return err
		}
		if i == half {
			if _, err := s.Sync(context.Background()); err != nil {
				return err
			}
			if err := s.Clear(0); err != nil {
				return err
			}
			if err := errors.Join(s.PutBlock(0, 32, []byte("wrong")), s.PutBlock(0, 0, x.piece(0))); err != nil {
				return err
			}
			if _, err := s.VerifyPiece(0); err != nil {
				return err
			}
		}
	}
	if err := s.Finish(context.Background()); err != nil {
		return err
	}
	if err := s.Clear(1); err != nil {
		return err
	}
	if err := s.PutBlock(1, 0, []byte("wrong")); err != nil {
		return err
	}
	if _, err := s.PutPiece(1, x.piece(1)); err != nil {
		return err
	}
	return s.Finish(context.Background())
}

// The power goes at every operation in turn; of what no sync has covered
// nothing, all, or some of it survives. Then: what the final path shows is
// right (I1), what the resume file claims is on the disk (I2), and the next
// start needs no help.
func TestCrashAtEveryOperation(t *testing.T) {
	files := []File{executable("t/a", 70), file("t/d/b", 3, false), file("t/e/g", 80, true), file("t/empty", 0, true),
		link("t/l/ink", "e", "g"), {Path: "t/.pad/10", Length: 10, Pad: true}}
	for _, overwrite := range []bool{false, true} {
		crashEverywhere(t, fmt.Sprintf("overwrite %v", overwrite), overwrite, func() *torrent {
			return newTorrent(t, 64, files...)
		})
	}
	files = []File{executable("t/a", kib16+7), file("t/d/b", 3, false), file("t/e/g", 9, true), link("t/l/ink", "e", "g")}
	for _, hybrid := range []bool{false, true} {
		crashEverywhere(t, fmt.Sprintf("v2, hybrid %v", hybrid), false, func() *torrent {
			return newAligned(t, hybrid, kib16, files...)
		})
	}
}

// crashEverywhere has the power go at each operation of a torrent's life.
func crashEverywhere(t *testing.T, name string, overwrite bool, gen func() *torrent) {
	for cut := 1; ; cut++ {
		ended := false
		for mode := range 4 {
			x := gen()
			var old []byte
			if overwrite {
				old = []byte("old content")
				must(t, os.Mkdir(x.path("t"), 0o755))
				must(t, os.WriteFile(x.path("t", "a"), old, 0o644))
			}
			d := &crashDisk{t: t, cutAt: cut}
			x.cfg.disk, x.cfg.Overwrite = d, overwrite
			err := x.script(x.cfg)
			ended = err == nil
			rng := rand.New(rand.NewPCG(uint64(cut), uint64(mode)))
			d.crash(func() bool { return mode == 1 || mode > 1 && rng.IntN(2) == 0 })
			x.afterCrash(t, fmt.Sprintf("%s, operation %d, mode %d", name, cut, mode), old)
			if t.Failed() {
				return
			}
		}
		if ended {
			t.Logf("%s: %d operations", name, cut-1)
			return
		}
	}
}

func (x *torrent) afterCrash(t *testing.T, when string, old []byte) {
	t.Helper()
	// I1
	if _, err := os.Lstat(x.path("t")); err == nil {
		a, _ := os.ReadFile(x.path("t", "a"))
		g, _ := os.ReadFile(x.path("t", "e", "g"))
		l, _ := os.Readlink(x.path("t", "l", "ink"))
		fi, _ := os.Lstat(x.path("t", "a"))
		isOld := old != nil && bytes.Equal(a, old)
		if !isOld && (!bytes.Equal(a, x.file(0)) || !bytes.Equal(g, x.fileAt("t/e/g")) || l != "../e/g" || fi.Mode()&0o100 == 0) {
			t.Errorf("%s: I1: a wrong file is published", when)
		}
	}
	x.checkClaims(t, when)
	x.cfg.disk = lazyDisk{}
	s, err := Open(x.cfg)
	if err != nil {
		t.Errorf("%s: the next start: %v", when, err)
		return
	}
	if _, trusted := s.Resumed(); !trusted {
		_, err := s.Check(ctx, nil)
		must(t, err)
	}
	x.putAll(t, s)
	if err := s.Finish(ctx); err != nil {
		t.Errorf("%s: the next Finish: %v", when, err)
	}
	must(t, s.Close())
	x.checkFinal(t)
}

// fileAt is the true content of the file at a path.
func (x *torrent) fileAt(path string) []byte {
	return x.file(slices.IndexFunc(x.cfg.Files, func(f File) bool { return f.Path == path }))
}

// checkClaims holds each bit of the resume file against the disk (I2).
func (x *torrent) checkClaims(t *testing.T, when string) {
	t.Helper()
	dir := x.path(stateName, fmt.Sprintf("%x", x.cfg.InfoHash))
	b, err := os.ReadFile(filepath.Join(dir, resumeName))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	must(t, err)
	r, err := parseResume(b)
	if err != nil {
		t.Errorf("%s: the resume file is torn", when)
		return
	}
	cfg := x.cfg
	cfg.disk = lazyDisk{}
	lay, err := layoutOf(&cfg)
	must(t, err)
	// Where the data is: the part path, unless it is published.
	top := "t.part"
	if _, err := os.Lstat(x.path(top)); err != nil || r.stats != nil && x.sealedAt(r, lay, "t") {
		top = "t"
	}
	r.have.each(func(i int) {
		var got []byte
		c := lay.spans(lay.piece(i))
		for sp, ok := c.next(); ok; sp, ok = c.next() {
			p := filepath.Join(dir, sideName)
			if sp.file == lay.zeros() {
				got = append(got, make([]byte, sp.n)...)
				continue
			}
			if sp.file != lay.side() {
				p = x.path(top, lay.files[sp.file].path)
			}
			all, _ := os.ReadFile(p)
			if int64(len(all)) >= sp.off+sp.n {
				got = append(got, all[sp.off:sp.off+sp.n]...)
			}
		}
		if !bytes.Equal(got, x.piece(i)) {
			t.Errorf("%s: I2: piece %d is claimed and not on the disk", when, i)
		}
	})
}

func (x *torrent) sealedAt(r *resume, lay *layout, top string) bool {
	for i, st := range r.stats {
		fi, err := os.Lstat(x.path(top, lay.files[i].path))
		if err == nil && fi.Mode()&fs.ModeSymlink != 0 {
			st.size = fi.Size()
		}
		if st != noFile && (err != nil || fi.Size() != st.size || stamp(fi.ModTime()) != st.mtime) {
			return false
		}
	}
	return true
}
