package store

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func TestOpenRefusesConfig(t *testing.T) {
	for name, edit := range map[string]func(c *Config){
		"name with a slash":  func(c *Config) { c.Name = "a/b" },
		"name dotdot":        func(c *Config) { c.Name = ".." },
		"state name":         func(c *Config) { c.Name = stateName },
		"path outside":       func(c *Config) { c.Files[0].Path = "t/../u" },
		"path climbs":        func(c *Config) { c.Files[0].Path = "t/../../u" },
		"other name's path":  func(c *Config) { c.Files[0].Path = "u/a" },
		"empty component":    func(c *Config) { c.Files[0].Path = "t//a" },
		"path with NUL":      func(c *Config) { c.Files[0].Path = "t/a\x00" },
		"path twice":         func(c *Config) { c.Files[0].Path = c.Files[1].Path },
		"no files":           func(c *Config) { c.Files = nil },
		"negative length":    func(c *Config) { c.Files[0].Length = -1 },
		"sum overflows":      func(c *Config) { c.Files[0].Length = math.MaxInt64 },
		"one hash missing":   func(c *Config) { c.Hashes = c.Hashes[20:] },
		"piece length 0":     func(c *Config) { c.PieceLength = 0 },
		"writer, no state":   func(c *Config) { c.NoState = true },
		"piece length below": func(c *Config) { c.PieceLength = -64 },
	} {
		x := small(t)
		edit(&x.cfg)
		if s, err := Open(x.cfg); err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
		}
		if left, _ := os.ReadDir(x.cfg.Dir); len(left) > 0 {
			t.Errorf("%s: %v was made", name, left)
		}
	}
}

// What cannot fit is refused before anything is touched, with the sizes.
func TestOpenRefusesTooLarge(t *testing.T) {
	x := newTorrent(t, 64, file("t/a", 1, true))
	x.cfg.Files = []File{file("t/a", 1<<60, true)}
	x.cfg.PieceLength = 1 << 60
	_, err := Open(x.cfg)
	var se *SpaceError
	if !errors.As(err, &se) || !errors.Is(err, ErrNoSpace) || se.Need != 1<<60 || se.Free < 0 || se.Path != x.cfg.Dir {
		t.Fatalf("%v", err)
	}
	if left, _ := os.ReadDir(x.cfg.Dir); len(left) > 0 {
		t.Errorf("%v was made", left)
	}
}

// foreign puts something else at the final path, sameSize something that looks
// right until it is read.
func foreign(t *testing.T, x *torrent) {
	x.write(t, "t")
	must(t, os.WriteFile(x.path("t", "a"), []byte("mine"), 0o644))
}

func sameSize(t *testing.T, x *torrent) {
	x.write(t, "t")
	must(t, os.WriteFile(x.path("t", "a"), make([]byte, 70), 0o644))
}

func TestExists(t *testing.T) {
	t.Run("other content", func(t *testing.T) {
		x := small(t)
		foreign(t, x)
		if _, err := Open(x.cfg); !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(x.cfg.Dir); len(left) != 1 {
			t.Error("a refused Open left something:", left)
		}
	})
	t.Run("a file where a directory goes", func(t *testing.T) {
		x := small(t)
		must(t, os.WriteFile(x.path("t"), nil, 0o644))
		if _, err := Open(x.cfg); !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
	})
	t.Run("a file where the part goes", func(t *testing.T) {
		x := small(t)
		must(t, os.WriteFile(x.path("t.part"), nil, 0o644))
		if _, err := Open(x.cfg); !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
	})
	t.Run("same sizes, other content", func(t *testing.T) {
		x := small(t)
		sameSize(t, x)
		s := open(t, x.cfg)
		if _, trusted := resumed(t, s); trusted {
			t.Fatal("trusted unseen")
		}
		if _, err := s.Check(ctx, nil); !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
		if _, err := s.PutPiece(0, x.piece(0)); !errors.Is(err, ErrUnchecked) {
			t.Fatal(err)
		}
	})
}

func TestExistsComplete(t *testing.T) {
	t.Run("the right content", func(t *testing.T) {
		x := small(t)
		x.write(t, "t")
		s := open(t, x.cfg)
		got, err := s.Check(ctx, nil)
		if err != nil || count(got) != x.pieces() {
			t.Fatal(count(got), err)
		}
		must(t, s.Finish(ctx))
		must(t, s.Close())
		s = open(t, x.cfg)
		if have, trusted := resumed(t, s); !trusted || len(have) != x.pieces() {
			t.Fatal("the check is not remembered")
		}
	})
}

func TestOverwrite(t *testing.T) {
	for name, put := range map[string]func(*testing.T, *torrent){"foreign": foreign, "same sizes": sameSize} {
		t.Run("overwrite "+name, func(t *testing.T) {
			x := small(t)
			put(t, x)
			x.cfg.Overwrite = true
			s := open(t, x.cfg)
			if _, trusted := resumed(t, s); !trusted {
				got, err := s.Check(ctx, nil)
				if err != nil || count(got) > 0 {
					t.Fatal(count(got), err)
				}
			}
			old, err := os.ReadFile(x.path("t", "a"))
			must(t, err)
			x.putAll(t, s)
			if now, _ := os.ReadFile(x.path("t", "a")); string(now) != string(old) {
				t.Error("old content is gone before Finish")
			}
			must(t, s.Finish(ctx))
			x.checkFinal(t)
		})
	}
	t.Run("appears meanwhile", func(t *testing.T) {
		x := small(t)
		s := open(t, x.cfg)
		x.putAll(t, s)
		foreign(t, x)
		if err := s.Finish(ctx); !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
		must(t, os.RemoveAll(x.path("t")))
		must(t, s.Finish(ctx))
		x.checkFinal(t)
	})
}

// Two torrents of one name take turns on one part path: neither believes its
// resume file after the other has written.
func TestTwoTorrentsOneName(t *testing.T) {
	x, y := small(t), small(t)
	y.cfg.Dir = x.cfg.Dir
	y.cfg.InfoHash[0] ^= 1
	s := open(t, x.cfg)
	x.putAll(t, s)
	if _, err := Open(y.cfg); !errors.Is(err, ErrLocked) {
		t.Fatal("both write one part path:", err)
	}
	must(t, s.Close())
	s = open(t, y.cfg)
	if _, trusted := resumed(t, s); trusted {
		t.Fatal("the other's data is trusted")
	}
	must(t, s.Close())
	for range 2 {
		s = open(t, x.cfg)
		if _, trusted := resumed(t, s); trusted {
			t.Fatal("trusted after the other was there")
		}
		must(t, s.Close())
	}
}

func TestReadOnly(t *testing.T) {
	x := small(t)
	x.cfg.ReadOnly = true
	if _, err := Open(x.cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("nothing there:", err)
	}
	x.write(t, "t")
	before := tree(t, x.path("t"))
	s := open(t, x.cfg)
	if _, trusted := resumed(t, s); trusted {
		t.Fatal("trusted unseen")
	}
	got, err := s.Check(ctx, nil)
	if err != nil || count(got) != x.pieces() {
		t.Fatal(count(got), err)
	}
	x.checkSections(t, s)
	if err := s.PutBlock(0, 0, nil); err != nil {
		t.Error("a late block is not just dropped:", err)
	}
	must(t, s.Finish(ctx))
	// A second seed of the same data has no state, and works.
	s2 := open(t, x.cfg)
	got, err = s2.Check(ctx, nil)
	if err != nil || count(got) != x.pieces() {
		t.Fatal("second seed:", count(got), err)
	}
	must(t, s2.Close())
	must(t, s.Close())
	s = open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || len(have) != x.pieces() {
		t.Fatal("the check is not remembered")
	}
	if changed, what := s.Changed(); changed {
		t.Fatal("changed:", what)
	}
	must(t, s.Clear(2))
	if err := s.Section(2, 0, 1).ReadInto(make([]byte, 1)); !errors.Is(err, ErrNotVerified) {
		t.Error("a cleared piece is served:", err)
	}
	if _, err := s.PutPiece(2, x.piece(2)); !errors.Is(err, ErrReadOnly) {
		t.Error("write:", err)
	}
	if after := tree(t, x.path("t")); after != before {
		t.Errorf("data changed from\n%s\nto\n%s", before, after)
	}
	must(t, s.Close())

	must(t, os.Chtimes(x.path("t", "a"), time.Time{}, time.Unix(1, 0)))
	s = open(t, x.cfg)
	if _, trusted := resumed(t, s); trusted {
		t.Error("trusted though a file has another time")
	}
}

func TestReadOnlyWithoutState(t *testing.T) {
	x := oneFile(t, 1000, 64)
	x.cfg.ReadOnly, x.cfg.NoState = true, true
	must(t, os.WriteFile(x.path("real"), x.data, 0o644))
	must(t, os.Symlink("real", x.path("t"))) // the user's own choice
	s := open(t, x.cfg)
	got, err := s.Check(ctx, nil)
	if err != nil || count(got) != x.pieces() {
		t.Fatal(count(got), err)
	}
	x.checkSections(t, s)
	if _, err := os.Lstat(x.path(stateName)); err == nil {
		t.Error("a state directory was made")
	}
}

// tree lists names, sizes and times.
func tree(t *testing.T, dir string) string {
	var b strings.Builder
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			fi, _ := d.Info()
			b.WriteString(p + " " + fi.ModTime().String() + " " + fi.Mode().String() + "\n")
		}
		return err
	}))
	return b.String()
}

func TestChanged(t *testing.T) {
	x := small(t)
	s := open(t, x.cfg)
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	must(t, os.WriteFile(x.path("t", "d", "c"), []byte("12345"), 0o644))
	must(t, os.Chtimes(x.path("t", "d", "c"), time.Time{}, time.Unix(1, 0)))
	if changed, what := s.Changed(); !changed || what != "t/d/c" {
		t.Fatal(changed, what)
	}
	got, err := s.Check(ctx, nil)
	if err != nil || count(got) != x.pieces()-1 {
		t.Fatal(count(got), err)
	}
	if changed, _ := s.Changed(); changed {
		t.Error("still changed after the check")
	}
	if err := s.Section(1, 0, 1).ReadInto(make([]byte, 1)); !errors.Is(err, ErrNotVerified) {
		t.Error("a changed piece is served:", err)
	}
}

// verify --repair: wrong pieces are named, the data goes back to the part path
// and the next download mends it.
func TestRepair(t *testing.T) {
	x := small(t)
	x.write(t, "t")
	must(t, os.Truncate(x.path("t", "z"), 3))
	x.cfg.Repair = true
	s := open(t, x.cfg)
	got, err := s.Check(ctx, nil)
	if err != nil || count(got) != x.pieces()-1 {
		t.Fatal(count(got), err)
	}
	must(t, s.Clear(x.pieces()-1))
	if s.Path() != x.path("t.part") {
		t.Error("data at", s.Path())
	}
	must(t, s.Close())
	x.cfg.Repair = false
	s = open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || len(have) != x.pieces()-1 {
		t.Fatal(have, trusted)
	}
	x.put(t, s, x.pieces()-1)
	must(t, s.Finish(ctx))
	x.checkFinal(t)

	// A seeder finds a bad piece: its reader never sees it again.
	must(t, s.Clear(2))
	if _, err := os.Lstat(x.path("t")); err == nil {
		t.Error("known to be wrong, and still published")
	}
	x.put(t, s, 2)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}
