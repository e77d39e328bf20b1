package store

import (
	"bytes"
	"context"
	"crypto/sha1"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// memDir returns a new directory, in memory where there is such a thing: what
// is tested here is the program, and a disk would only make it wait.
func memDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "store")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// torrent is a made-up torrent and its true bytes.
type torrent struct {
	cfg  Config
	data []byte
}

// lazyDisk syncs nothing: tests that crash nothing need not wait for the disk.
type lazyDisk struct{ osDisk }

func (lazyDisk) sync(*os.File) error { return nil }

// newTorrent makes a torrent of random bytes in a new directory.
func newTorrent(t testing.TB, pieceLen int64, files ...File) *torrent {
	t.Helper()
	x := &torrent{cfg: Config{Dir: memDir(t), Name: "t", Files: files, PieceLength: pieceLen, disk: lazyDisk{}}}
	var total int64
	for _, f := range files {
		total += f.Length
	}
	rng := rand.NewChaCha8([32]byte{byte(total), byte(len(files))})
	x.data = make([]byte, total)
	rng.Read(x.data)
	rng.Read(x.cfg.InfoHash[:])
	for off := int64(0); off < total; off += pieceLen {
		sum := sha1.Sum(x.data[off:min(off+pieceLen, total)])
		x.cfg.Hashes = append(x.cfg.Hashes, sum[:]...)
	}
	return x
}

// small has tiny and empty files, pieces over many files and a short last one.
func small(t testing.TB) *torrent {
	t.Helper()
	return newTorrent(t, 64,
		File{"t/a", 70, true}, File{"t/d/empty", 0, true}, File{"t/d/b", 3, true},
		File{"t/d/c", 5, true}, File{"t/e/f/g", 190, true}, File{"t/z", 41, true})
}

func oneFile(t testing.TB, length, pieceLen int64) *torrent {
	t.Helper()
	return newTorrent(t, pieceLen, File{"t", length, true})
}

func (x *torrent) pieces() int { return len(x.cfg.Hashes) / 20 }

func (x *torrent) piece(i int) []byte {
	off := int64(i) * x.cfg.PieceLength
	return x.data[off:min(off+x.cfg.PieceLength, int64(len(x.data)))]
}

// file is file i's true content.
func (x *torrent) file(i int) []byte {
	var off int64
	for _, f := range x.cfg.Files[:i] {
		off += f.Length
	}
	return x.data[off : off+x.cfg.Files[i].Length]
}

func (x *torrent) path(elem ...string) string {
	return filepath.Join(append([]string{x.cfg.Dir}, elem...)...)
}

// write puts the true files at a name in the download directory.
func (x *torrent) write(t testing.TB, name string) {
	t.Helper()
	for i, f := range x.cfg.Files {
		p := x.path(name, filepath.FromSlash(f.Path[len(x.cfg.Name):]))
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		must(t, os.WriteFile(p, x.file(i), 0o644))
	}
}

// checkFinal fails unless the final path holds exactly the wanted files.
func (x *torrent) checkFinal(t testing.TB) {
	t.Helper()
	for i, f := range x.cfg.Files {
		if !f.Wanted {
			continue
		}
		got, err := os.ReadFile(x.path(filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(got, x.file(i)) {
			t.Errorf("%s: wrong content, %v", f.Path, err)
		}
	}
	if _, err := os.Lstat(x.path(x.cfg.Name + partSuffix)); err == nil {
		t.Error("the part path is still there")
	}
}

func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := Open(cfg)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func (x *torrent) put(t testing.TB, s *Store, pieces ...int) {
	t.Helper()
	for _, i := range pieces {
		if ok, err := s.PutPiece(i, x.piece(i)); !ok || err != nil {
			t.Fatalf("PutPiece(%d) = %v, %v", i, ok, err)
		}
	}
}

func (x *torrent) putAll(t testing.TB, s *Store) {
	t.Helper()
	for i := range x.pieces() {
		x.put(t, s, i)
	}
}

// resumed returns the pieces a new Store knows of, ascending.
func resumed(t testing.TB, s *Store) (have []int, trusted bool) {
	t.Helper()
	b, trusted := s.Resumed()
	bitset(b).each(func(i int) { have = append(have, i) })
	return have, trusted
}

func count(b []byte) int { return bitset(b).count() }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func syncNow(t testing.TB, s *Store) int {
	t.Helper()
	n, err := s.Sync(context.Background())
	must(t, err)
	return n
}
