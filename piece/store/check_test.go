package store

import (
	"context"
	"crypto/sha1"
	"errors"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

func TestCheckFindsDamage(t *testing.T) {
	x := newTorrent(t, 1<<10, file("t/a", 100<<10, true), file("t/b", 1, true), file("t/c", 50<<10+7, true))
	x.cfg.ReadOnly = true
	x.write(t, "t")
	f, err := os.OpenFile(x.path("t", "c"), os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte{^x.file(2)[20<<10]}, 20<<10)
	must(t, errors.Join(err, f.Close(), os.Remove(x.path("t", "b"))))
	s := open(t, x.cfg)
	var done []int64
	got, err := s.Check(ctx, func(n int64) { done = append(done, n) })
	must(t, err)
	var bad []int
	for i := range x.pieces() {
		if !bitset(got).has(i) {
			bad = append(bad, i)
		}
	}
	if !slices.Equal(bad, []int{100, 120}) {
		t.Error("bad pieces:", bad)
	}
	if !slices.IsSorted(done) || len(done) == 0 || done[len(done)-1] != int64(len(x.data)) {
		t.Error("progress:", done)
	}
}

// A piece that is zeros is had where there is a hole; others are not, and no
// time goes into the hole.
func TestCheckHoles(t *testing.T) {
	const pieceLen = 1 << 20
	zero := sha1.Sum(make([]byte, pieceLen))
	x := newTorrent(t, pieceLen, file("t/a", 1, true))
	x.cfg.Files = []File{file("t/a", 1<<36, true)}
	x.cfg.Hashes = make([]byte, 20<<16)
	copy(x.cfg.Hashes[20*4711:], zero[:])
	x.cfg.ReadOnly = true
	must(t, os.Mkdir(x.path("t"), 0o755))
	must(t, os.WriteFile(x.path("t", "a"), nil, 0o644))
	if err := os.Truncate(x.path("t", "a"), 1<<36); err != nil {
		t.Skip("no files of 64 GiB here: ", err)
	}
	if f, err := os.Open(x.path("t", "a")); err != nil || dataFrom(f, 0) != -1 {
		t.Skip("no holes here: ", err)
	}
	s := open(t, x.cfg)
	got, err := s.Check(ctx, nil)
	if err != nil || count(got) != 1 || !bitset(got).has(4711) {
		t.Error(count(got), err)
	}
}

func TestCheckCancelled(t *testing.T) {
	x := small(t)
	x.write(t, "t")
	s := open(t, x.cfg)
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Check(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, trusted := s.Resumed(); trusted {
		t.Error("trusted after half a check")
	}
}

func TestScanAndHash(t *testing.T) {
	x := newTorrent(t, 64, file("t/a/z", 90, true), file("t/a-b", 5, true), file("t/b", 300, true), file("t/c/empty", 0, true))
	x.write(t, "t")
	tree, err := Scan(ctx, x.path("t"), nil)
	must(t, err)
	// "a/z" before "a-b": components are compared, not whole paths.
	for i, f := range tree.Files {
		if f.Path != x.cfg.Files[i].Path || f.Length != x.cfg.Files[i].Length {
			t.Errorf("file %d: %+v", i, f)
		}
	}
	if len(tree.Files) != 4 || tree.Name != "t" || tree.Dir != x.cfg.Dir || tree.Total != 395 || len(tree.Skipped) != 0 {
		t.Errorf("%+v", tree)
	}
	for workers := range 4 {
		var last int64
		got, err := HashPieces(ctx, tree, 64, workers, func(n int64) { last = n })
		if err != nil || !slices.Equal(got, x.cfg.Hashes) || last != 395 {
			t.Fatalf("%d workers: %d bytes of hashes, %d bytes done, %v", workers, len(got), last, err)
		}
	}
	one, err := Scan(ctx, x.path("t", "b"), nil)
	must(t, err)
	if len(one.Files) != 1 || one.Files[0].Path != "b" || one.Name != "b" {
		t.Errorf("%+v", one)
	}
	got, err := HashPieces(ctx, one, 1<<20, 0, nil)
	if sum := sha1.Sum(x.file(2)); err != nil || !slices.Equal(got, sum[:]) {
		t.Error("a single file:", err)
	}
	for _, bad := range []int64{0, -1} {
		if _, err := HashPieces(ctx, tree, bad, 0, nil); err == nil {
			t.Error("piece length", bad)
		}
	}
}

func TestScanSkips(t *testing.T) {
	x := newTorrent(t, 64, file("t/a", 9, true), file("t/d/b.tmp", 1, true), file("t/d/c", 2, true),
		file("t/logs/x", 3, true), file("t/d/logs/y", 4, true))
	x.write(t, "t")
	must(t, os.MkdirAll(x.path("t", "d", stateName, "x"), 0o700))
	tree, err := Scan(ctx, x.path("t"), []string{"*.tmp", "d/logs"})
	must(t, err)
	var files, skipped []string
	for _, f := range tree.Files {
		files = append(files, f.Path)
	}
	for _, f := range tree.Skipped {
		skipped = append(skipped, f.Path+": "+f.Reason)
	}
	if want := []string{"t/a", "t/d/c", "t/logs/x"}; !slices.Equal(files, want) {
		t.Errorf("files %q", files)
	}
	if want := []string{
		"t/d/.starling: state directory", "t/d/b.tmp: excluded",
		"t/d/logs: excluded",
	}; !slices.Equal(skipped, want) {
		t.Errorf("skipped %q", skipped)
	}
	if _, err := Scan(ctx, x.path("t"), []string{"["}); !errors.Is(err, path.ErrBadPattern) {
		t.Error("bad pattern:", err)
	}
	if _, err := Scan(ctx, x.path("nothing"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Error("nothing there:", err)
	}
	if _, err := Scan(ctx, "/", nil); err == nil {
		t.Error("the root has no name")
	}
}

func TestHashPiecesNoticesChange(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, p string){
		"grown":   func(t *testing.T, p string) { must(t, os.Truncate(p, 400)) },
		"shrunk":  func(t *testing.T, p string) { must(t, os.Truncate(p, 4)) },
		"gone":    func(t *testing.T, p string) { must(t, os.Remove(p)) },
		"a dir":   func(t *testing.T, p string) { must(t, errors.Join(os.Remove(p), os.Mkdir(p, 0o755))) },
		"rewrite": func(t *testing.T, p string) { must(t, os.WriteFile(p, make([]byte, 300), 0o644)) },
	} {
		for _, when := range []string{"before", "during"} {
			x := newTorrent(t, 64, file("t/a", 1000, true), file("t/b", 300, true))
			x.write(t, "t")
			tree, err := Scan(ctx, x.path("t"), nil)
			must(t, err)
			// What is rewritten gets another time for sure.
			tree.Files[1].ModTime = tree.Files[1].ModTime.Add(1)
			must(t, os.Chtimes(x.path("t", "b"), tree.Files[1].ModTime, tree.Files[1].ModTime))
			changed := when == "during"
			if !changed {
				change(t, x.path("t", "b"))
			}
			_, err = HashPieces(ctx, tree, 64, 1, func(n int64) {
				if changed {
					changed = false
					change(t, x.path("t", "b"))
				}
			})
			if !errors.Is(err, ErrChanged) {
				t.Errorf("%s %s: %v", name, when, err)
			}
		}
	}
}

// Who finds no descriptor left gets one of an idle file, and fails if there is none.
func TestHandlesWithoutDescriptors(t *testing.T) {
	dir := t.TempDir()
	left := 3
	c := newHandles(10, func(i int, _ bool) (*os.File, error) {
		if left == 0 {
			return nil, &os.PathError{Op: "open", Path: dir, Err: syscall.EMFILE}
		}
		left--
		return os.Create(filepath.Join(dir, string(rune('a'+i))))
	})
	var held []*handle
	for i := range 3 {
		h, err := c.acquire(i, true)
		must(t, err)
		held = append(held, h)
	}
	if _, err := c.acquire(3, true); !errors.Is(err, syscall.EMFILE) {
		t.Fatal("all are in use, and yet:", err)
	}
	c.release(held[1])
	// The descriptor that closing gives back is there for the second attempt.
	open := c.open
	c.open = func(i int, create bool) (*os.File, error) {
		if _, err := held[1].f.Stat(); err != nil {
			left = 1
		}
		return open(i, create)
	}
	h, err := c.acquire(3, true)
	must(t, err)
	if c.byFile[1] != nil || c.byFile[0] != held[0] || c.byFile[2] != held[2] || c.byFile[3] != h {
		t.Error("another than the idle file was closed")
	}
	for _, h := range []*handle{held[0], held[2], h} {
		c.release(h)
	}
	c.drop(true)
}

// Descriptors stay bounded, and what is in use is not closed.
func TestHandles(t *testing.T) {
	dir := t.TempDir()
	opened := 0
	c := newHandles(2, func(i int, _ bool) (*os.File, error) {
		opened++
		return os.Create(filepath.Join(dir, string(rune('a'+i))))
	})
	var held []*handle
	for i := range 5 {
		h, err := c.acquire(i, true)
		must(t, err)
		held = append(held, h)
	}
	if c.lru.Len() != 5 {
		t.Error("something in use was closed")
	}
	again, err := c.acquire(0, false)
	if err != nil || again != held[0] || opened != 5 {
		t.Error("not the cached one", err)
	}
	c.drop(false)
	fresh, err := c.acquire(0, false)
	if err != nil || fresh == held[0] {
		t.Error("a dropped handle came back", err)
	}
	for _, h := range append(held, again, fresh) {
		if _, err := h.f.Stat(); err != nil {
			t.Error("closed while in use:", err)
		}
		c.release(h)
	}
	if _, err := held[1].f.Stat(); err == nil {
		t.Error("left open after drop and release")
	}
	for i := range 5 {
		h, err := c.acquire(i, false)
		must(t, err)
		c.release(h)
	}
	if c.lru.Len() != 2 || len(c.byFile) != 2 {
		t.Error(c.lru.Len(), "idle handles")
	}
	c.drop(true)
	if _, err := c.acquire(0, false); err != errClosed {
		t.Error("after close:", err)
	}
}

func TestLayoutAgainstNaive(t *testing.T) {
	x := small(t)
	x.cfg.Files[3].Wanted = false
	l, err := layoutOf(&x.cfg)
	must(t, err)
	type at struct {
		file int
		off  int64
	}
	var naive []at
	for i, f := range x.cfg.Files {
		for off := range f.Length {
			if f.Wanted {
				naive = append(naive, at{i, off})
			} else {
				naive = append(naive, at{l.side(), int64(len(naive))})
			}
		}
	}
	for off := range int64(len(naive)) {
		for n := range int64(len(naive)) - off + 1 {
			var got []at
			c := l.spans(off, n)
			for sp, ok := c.next(); ok; sp, ok = c.next() {
				for k := range sp.n {
					got = append(got, at{sp.file, sp.off + k})
				}
			}
			if !slices.Equal(got, naive[off:off+n]) {
				t.Fatalf("%d+%d: %v", off, n, got)
			}
		}
	}
	want := newBits(l.pieces)
	for off, a := range naive {
		if a.file != l.side() {
			want.set(off / int(l.pieceLen))
		}
	}
	if got := l.wantedPieces(); !slices.Equal(got, want) {
		t.Errorf("wanted pieces %08b, want %08b", got, want)
	}
}

// The hot path allocates nothing.
func TestPutPieceAllocates(t *testing.T) {
	x := oneFile(t, 1<<20, 16<<10)
	s := open(t, x.cfg)
	x.put(t, s, 0)
	i := 0
	runtime.GC()
	if n := testing.AllocsPerRun(50, func() { i++; x.put(t, s, i) }); n >= 1 {
		t.Errorf("%v allocations a piece", n)
	}
	if n := testing.AllocsPerRun(50, func() {
		if err := s.Section(1, 0, 1024).ReadInto(x.data[:1024]); err != nil {
			t.Error(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations a section", n)
	}
}
