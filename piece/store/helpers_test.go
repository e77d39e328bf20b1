package store

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"starling/metainfo/merkle"
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
	data []byte  // with the gaps of v2, as zeros
	at   []int64 // where each file begins
	cuts [][]byte
	// shift is the gaps of v2: before which file, and how many bytes.
	shift [][2]int64
}

func file(path string, length int64, wanted bool) File {
	return File{Path: path, Length: length, Wanted: wanted}
}

// lazyDisk syncs nothing: tests that crash nothing need not wait for the disk.
type lazyDisk struct{ osDisk }

func (lazyDisk) sync(*os.File) error { return nil }

// newTorrent makes a torrent of random bytes in a new directory.
func newTorrent(t testing.TB, pieceLen int64, files ...File) *torrent {
	t.Helper()
	x := &torrent{cfg: Config{Dir: memDir(t), Name: "t", Files: files, PieceLength: pieceLen, disk: lazyDisk{}}}
	x.fill()
	x.hashV1()
	return x
}

// fill makes the bytes of the files and cuts them into the pieces of v1.
func (x *torrent) fill() {
	var total int64
	for i, f := range x.cfg.Files {
		for _, gap := range x.shift {
			if gap[0] == int64(i) {
				total += gap[1]
			}
		}
		x.at = append(x.at, total)
		total += f.Length
	}
	rng := rand.NewChaCha8([32]byte{byte(total), byte(len(x.cfg.Files))})
	x.data = make([]byte, total)
	rng.Read(x.data)
	rng.Read(x.cfg.InfoHash[:])
	for i, f := range x.cfg.Files {
		if f.Pad {
			clear(x.file(i))
		}
	}
	for _, gap := range x.shift {
		end := x.at[gap[0]]
		clear(x.data[end-gap[1] : end])
	}
	x.cuts = cut(x.data, x.cfg.PieceLength)
}

func cut(data []byte, pieceLen int64) [][]byte {
	return slices.Collect(slices.Chunk(data, int(pieceLen)))
}

// newAligned makes a torrent of v2, or a hybrid, of such files.
func newAligned(t testing.TB, hybrid bool, pieceLen int64, files ...File) *torrent {
	t.Helper()
	x := &torrent{cfg: Config{Dir: memDir(t), Name: "t", PieceLength: pieceLen, V2: true, disk: lazyDisk{}}}
	var total int64
	for _, f := range files {
		gap := -total & (pieceLen - 1)
		if f.Length > 0 && gap > 0 {
			if hybrid {
				x.cfg.Files = append(x.cfg.Files, File{Path: "t/.pad/" + strconv.FormatInt(gap, 10), Length: gap, Pad: true, Wanted: true})
			} else {
				x.shift = append(x.shift, [2]int64{int64(len(x.cfg.Files)), gap})
			}
			total += gap
		}
		total += f.Length
		x.cfg.Files = append(x.cfg.Files, f)
	}
	x.fill()
	if hybrid {
		x.hashV1()
	} else {
		x.cuts = nil
		for i, f := range x.cfg.Files {
			if f.Length > 0 {
				x.cuts = append(x.cuts, cut(x.file(i), pieceLen)...)
			}
		}
	}
	x.hashV2()
	return x
}

func (x *torrent) hashV2() {
	pieceLen := x.cfg.PieceLength
	for i := range x.cfg.Files {
		f := &x.cfg.Files[i]
		if f.Pad || f.Length == 0 {
			continue
		}
		var all, one merkle.Hasher
		all.Write(x.file(i))
		f.Root, f.Layer = all.Root(-1), nil
		if f.Length <= pieceLen {
			continue
		}
		for _, p := range cut(x.file(i), pieceLen) {
			one.Reset()
			one.Write(p)
			root := one.Root(merkle.Height(pieceLen / merkle.BlockSize))
			f.Layer = append(f.Layer, root[:]...)
		}
	}
}

func (x *torrent) hashV1() {
	for _, p := range x.cuts {
		sum := sha1.Sum(p)
		x.cfg.Hashes = append(x.cfg.Hashes, sum[:]...)
	}
}

// small has tiny and empty files, pieces over many files and a short last one.
func small(t testing.TB) *torrent {
	t.Helper()
	return newTorrent(t, 64,
		file("t/a", 70, true), file("t/d/empty", 0, true), file("t/d/b", 3, true),
		file("t/d/c", 5, true), file("t/e/f/g", 190, true), file("t/z", 41, true))
}

func oneFile(t testing.TB, length, pieceLen int64) *torrent {
	t.Helper()
	return newTorrent(t, pieceLen, file("t", length, true))
}

func (x *torrent) pieces() int { return len(x.cuts) }

func (x *torrent) piece(i int) []byte { return x.cuts[i] }

// file is file i's true content.
func (x *torrent) file(i int) []byte { return x.data[x.at[i]:][:x.cfg.Files[i].Length] }

func (x *torrent) path(elem ...string) string {
	return filepath.Join(append([]string{x.cfg.Dir}, elem...)...)
}

// write puts the true files at a name in the download directory.
func (x *torrent) write(t testing.TB, name string) {
	t.Helper()
	for i, f := range x.cfg.Files {
		if f.Pad || f.Symlink != nil {
			continue
		}
		p := x.path(name, filepath.FromSlash(f.Path[len(x.cfg.Name):]))
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		must(t, os.WriteFile(p, x.file(i), 0o644))
	}
}

// checkFinal fails unless the final path holds exactly the wanted files.
func (x *torrent) checkFinal(t testing.TB) {
	t.Helper()
	for i, f := range x.cfg.Files {
		if f.Pad {
			if _, err := os.Lstat(x.path(filepath.FromSlash(f.Path))); err == nil {
				t.Errorf("%s: padding is on the disk", f.Path)
			}
			continue
		}
		if !f.Wanted {
			continue
		}
		if f.Symlink != nil {
			at := x.path(f.Path)
			to, err := os.Readlink(at)
			if want := x.path("t", filepath.Join(f.Symlink...)); err != nil || filepath.IsAbs(to) || filepath.Join(filepath.Dir(at), to) != want {
				t.Errorf("%s: a link to %q, want %s: %v", f.Path, to, want, err)
			}
			continue
		}
		if fi, err := os.Lstat(x.path(f.Path)); err == nil && fi.Mode()&0o100 != 0 != f.Exec {
			t.Errorf("%s: mode %v", f.Path, fi.Mode())
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

func hexOf(x *torrent) string { return fmt.Sprintf("%x", x.cfg.InfoHash) }
