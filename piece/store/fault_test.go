package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// faultyDisk fails what its functions say.
type faultyDisk struct {
	lazyDisk
	onWrite func(f *os.File) error
	onSync  func(f *os.File) error
	onFS    func() error
}

func (d *faultyDisk) writeAt(f *os.File, p []byte, off int64) error {
	if d.onWrite != nil {
		if err := d.onWrite(f); err != nil {
			d.lazyDisk.writeAt(f, p[:len(p)/2], off)
			return err
		}
	}
	return d.lazyDisk.writeAt(f, p, off)
}

func (d *faultyDisk) sync(f *os.File) error {
	if d.onSync != nil {
		return d.onSync(f)
	}
	return nil
}

func (d *faultyDisk) syncFS(dir *os.File) error {
	if d.onFS != nil {
		return d.onFS()
	}
	return nil
}

// once fails the first call for the file of that name.
func once(base string, err error) func(*os.File) error {
	done := false
	return func(f *os.File) error {
		if done || filepath.Base(f.Name()) != base {
			return nil
		}
		done = true
		return err
	}
}

// One fsync fails: what it was for is not had any more, though the next fsync
// would succeed, and nothing of it is ever recorded unseen.
func TestSyncError(t *testing.T) {
	for name, again := range map[string]func(t *testing.T, x *torrent, s *Store, i int){
		"fetched again":  func(t *testing.T, x *torrent, s *Store, i int) { x.put(t, s, i) },
		"verified again": func(t *testing.T, x *torrent, s *Store, i int) { verify(t, s, i) },
	} {
		t.Run(name, func(t *testing.T) {
			x := small(t)
			d := &faultyDisk{}
			x.cfg.disk = d
			s := open(t, x.cfg)
			x.put(t, s, 0, 4)
			if n := syncNow(t, s); n != 2 {
				t.Fatal(n)
			}
			x.put(t, s, 1, 2, 3) // 1 to 3 are in g, 1 is in a as well
			d.onSync = once("g", syscall.EIO)
			n, err := s.Sync(ctx)
			var se *SyncError
			if !errors.As(err, &se) || !errors.Is(err, syscall.EIO) || n != 2 || !slices.Equal(se.Pieces, []int{1, 2, 3}) {
				t.Fatal(n, err)
			}
			if have, _ := resumed(t, s); !slices.Equal(have, []int{0, 4}) {
				t.Fatal("still verified:", have)
			}
			if n := syncNow(t, s); n != 2 {
				t.Fatal("a second sync made them durable:", n)
			}
			if err := s.Finish(ctx); !errors.Is(err, ErrIncomplete) {
				t.Fatal(err)
			}
			// The system still shows the lost bytes. A check must not be
			// taken in.
			if got, err := s.Check(ctx, nil); err != nil || count(got) != 2 {
				t.Fatal("check:", count(got), err)
			}
			writes := 0
			d.onWrite = func(*os.File) error { writes++; return nil }
			for i := 1; i <= 3; i++ {
				before := writes
				again(t, x, s, i)
				if writes == before {
					t.Error("not written again:", i)
				}
			}
			must(t, s.Finish(ctx))
			x.checkFinal(t)
		})
	}
}

func verify(t *testing.T, s *Store, i int) {
	t.Helper()
	if ok, err := s.VerifyPiece(i); !ok || err != nil {
		t.Fatal(ok, err)
	}
}

// Many dirty files are synced as one; that can fail as well.
func TestSyncManyFiles(t *testing.T) {
	var files []File
	for i := range 3 * maxFsyncs {
		files = append(files, file("t/"+string(rune('A'+i/26))+string(rune('a'+i%26)), 3, true))
	}
	x := newTorrent(t, 64, files...)
	syncs := func(f *os.File) error {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() && strings.HasPrefix(f.Name(), x.path("t.part")) {
			t.Error("one fsync of many:", f.Name())
		}
		return nil
	}
	d := &faultyDisk{onSync: syncs}
	calls := 0
	d.onFS = func() error {
		if calls++; calls == 1 {
			return syscall.EIO
		}
		return nil
	}
	x.cfg.disk = d
	s := open(t, x.cfg)
	x.putAll(t, s)
	n, err := s.Sync(ctx)
	var se *SyncError
	if !errors.As(err, &se) || len(se.Pieces) != x.pieces() || n != 0 {
		t.Fatal(n, err)
	}
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	if calls != 2 {
		t.Error("syncfs called", calls, "times")
	}
}

// A disk that is full for a while costs nothing but time.
func TestNoSpaceInjected(t *testing.T) {
	x := small(t)
	d := &faultyDisk{}
	x.cfg.disk = d
	s := open(t, x.cfg)
	x.put(t, s, 0)
	d.onWrite = func(*os.File) error { return syscall.ENOSPC }
	_, err := s.PutPiece(1, x.piece(1))
	checkNoSpace(t, x, err, int64(len(x.data)-64))
	if err := s.PutBlock(2, 0, x.piece(2)); !errors.Is(err, ErrNoSpace) {
		t.Error("block:", err)
	}
	if _, err := s.Sync(ctx); !errors.Is(err, ErrNoSpace) {
		t.Error("the resume file was written:", err)
	}
	got := make([]byte, 64)
	if err := s.Section(0, 0, 64).ReadInto(got); err != nil || !bytes.Equal(got, x.piece(0)) {
		t.Error("serving stops:", err)
	}
	d.onWrite = nil
	if n := syncNow(t, s); n != 1 {
		t.Error("durable:", n)
	}
	if ok, _ := s.VerifyPiece(2); ok {
		t.Error("half a block is verified")
	}
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

func checkNoSpace(t *testing.T, x *torrent, err error, need int64) {
	t.Helper()
	var se *SpaceError
	if !errors.As(err, &se) || !errors.Is(err, ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) ||
		se.Need != need || filepath.Dir(se.Path) != x.path("t.part") && se.Path != x.path("t.part") {
		t.Errorf("%#v", err)
	}
}

// The same on a real small disk.
func TestNoSpaceOnTmpfs(t *testing.T) {
	const size = 1 << 20
	x := oneFile(t, size/2, 32<<10)
	if err := mountTmpfs(x.cfg.Dir, size); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatal("CI as root must be able to mount a tmpfs: ", err)
		}
		t.Skip("cannot mount a tmpfs here: ", err)
	}
	t.Cleanup(func() { must(t, unmount(x.cfg.Dir)) })
	too := x.cfg
	too.Files = []File{file("t", 16*size, true)}
	too.PieceLength = 1 << 20
	if _, err := Open(too); !errors.Is(err, ErrNoSpace) {
		t.Error("16 MiB on a disk of 1 MiB:", err)
	}

	s, err := Open(x.cfg)
	must(t, err)
	x.put(t, s, 0)
	ballast := x.path("ballast")
	os.WriteFile(ballast, make([]byte, size), 0o600) // as much as goes
	_, err = s.PutPiece(1, x.piece(1))
	checkNoSpace(t, x, err, size/2-32<<10)
	must(t, os.Remove(ballast))
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	must(t, s.Close())
}

// The directory is deleted under a running Store: an error, no crash.
func TestDirectoryDeleted(t *testing.T) {
	x := small(t)
	s := open(t, x.cfg)
	x.put(t, s, 0)
	must(t, os.RemoveAll(x.cfg.Dir))
	for i := 1; i < x.pieces(); i++ {
		s.PutPiece(i, x.piece(i))
	}
	if err := s.Finish(ctx); err == nil {
		t.Error("published into nothing")
	}
}

// A writer says that it may not; a seed needs no more than to read.
func TestReadOnlyDisk(t *testing.T) {
	x := small(t)
	if err := mountTmpfs(x.cfg.Dir, 1<<20); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatal("CI as root must be able to mount a tmpfs: ", err)
		}
		t.Skip("cannot mount a tmpfs here: ", err)
	}
	t.Cleanup(func() { must(t, unmount(x.cfg.Dir)) })
	x.write(t, "t")
	must(t, remountReadOnly(x.cfg.Dir))
	if _, err := Open(x.cfg); !errors.Is(err, ErrPermission) {
		t.Error(err)
	}
	x.cfg.ReadOnly = true
	s, err := Open(x.cfg)
	must(t, err)
	if got, err := s.Check(ctx, nil); err != nil || count(got) != x.pieces() {
		t.Error(count(got), err)
	}
	x.checkSections(t, s)
	must(t, s.Close())
}

func TestDirty(t *testing.T) {
	x := small(t)
	s := open(t, x.cfg)
	now := time.Now()
	if n, since := s.Dirty(); n != 0 || !since.IsZero() {
		t.Error("fresh:", n, since)
	}
	x.put(t, s, 0, 4)
	n, since := s.Dirty()
	if n != int64(64+len(x.piece(4))) || since.Before(now) {
		t.Error(n, since)
	}
	syncNow(t, s)
	if n, _ := s.Dirty(); n != 0 {
		t.Error("after the sync:", n)
	}
}
