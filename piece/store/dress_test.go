package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func link(path string, target ...string) File {
	return File{Path: path, Wanted: true, Symlink: target}
}

func executable(path string, length int64) File {
	return File{Path: path, Length: length, Wanted: true, Exec: true}
}

// Who may read an executable file may run it.
func TestExec(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	for mask, want := range map[int][2]fs.FileMode{0o022: {0o755, 0o644}, 0o027: {0o750, 0o640}, 0o077: {0o700, 0o600}} {
		syscall.Umask(mask)
		x := newTorrent(t, 64, executable("t/run", 100), file("t/read", 100, true), executable("t/d/empty", 0))
		s := open(t, x.cfg)
		x.putAll(t, s)
		must(t, s.Finish(ctx))
		x.checkFinal(t)
		for name, mode := range map[string]fs.FileMode{"run": want[0], "d/empty": want[0], "read": want[1]} {
			if fi, err := os.Lstat(x.path("t", name)); err != nil || fi.Mode() != mode {
				t.Errorf("umask %03o: %s: %v, want %v", mask, name, fi.Mode(), mode)
			}
		}
		must(t, s.Close())
	}
}

func TestExecSingle(t *testing.T) {
	x := newTorrent(t, 64, executable("t", 100))
	s := open(t, x.cfg)
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

// plainDisk has neither links nor rights, as a FAT has not.
type plainDisk struct{ lazyDisk }

func (plainDisk) chmod(*os.File, os.FileMode) error { return syscall.EPERM }

func (plainDisk) symlink(*os.Root, string, string) error {
	return &os.LinkError{Op: "symlink", Err: syscall.EPERM}
}

func TestExecNotSupported(t *testing.T) {
	x := newTorrent(t, 64, executable("t/run", 100))
	x.cfg.disk = plainDisk{}
	s := open(t, x.cfg)
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	x.cfg.Files[0].Exec = false
	x.checkFinal(t)
}

// execDisk notes in what order rights are given, made durable and published.
type execDisk struct {
	lazyDisk
	log string
}

func (d *execDisk) chmod(f *os.File, mode os.FileMode) error {
	d.log += "chmod "
	return d.lazyDisk.chmod(f, mode)
}

func (d *execDisk) sync(f *os.File) error {
	if filepath.Base(f.Name()) == "run" {
		d.log += "sync "
	}
	return nil
}

func (d *execDisk) rename(dir *os.File, from, to string, how renameMode) error {
	if to == "t" {
		d.log += "publish"
	}
	return d.lazyDisk.rename(dir, from, to, how)
}

func TestExecIsDurable(t *testing.T) {
	x := newTorrent(t, 64, executable("t/run", 100))
	d := &execDisk{}
	x.cfg.disk = d
	s := open(t, x.cfg)
	x.putAll(t, s)
	syncNow(t, s)
	must(t, s.Finish(ctx))
	if want := "sync chmod sync publish"; d.log != want {
		t.Errorf("%s, want %s", d.log, want)
	}
}

func linked(t testing.TB) *torrent {
	return newTorrent(t, 64, file("t/bin/a", 100, true), link("t/a", "bin", "a"), link("t/lib/so", "lib", "so.1"),
		link("t/lib/so.1", "lib", "so.1.2"), file("t/lib/so.1.2", 10, true), link("t/x/y/up", "bin"), link("t/dangling", "no", "thing"),
		File{Path: "t/unwanted/link", Symlink: []string{"bin"}})
}

// Links come with Finish, are looked after, and survive being taken back.
func TestLinks(t *testing.T) {
	x := linked(t)
	s := open(t, x.cfg)
	x.putAll(t, s)
	if fi, err := os.Lstat(x.path("t.part", "a")); err == nil {
		t.Error("there before Finish:", fi.Mode())
	}
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	for name, want := range map[string][]byte{"a": x.file(0), "lib/so": x.file(4), "x/y/up/a": x.file(0)} {
		if got, err := os.ReadFile(x.path("t", name)); err != nil || string(got) != string(want) {
			t.Error(name, err)
		}
	}
	if _, err := os.Lstat(x.path("t", "unwanted")); err == nil {
		t.Error("an unwanted link is made")
	}
	if changed, what := s.Changed(); changed {
		t.Error("changed:", what)
	}
	must(t, s.Clear(0))
	x.put(t, s, 0)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	must(t, s.Close())
	s = open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || len(have) != x.pieces() {
		t.Error("after Finish:", have, trusted)
	}
	must(t, os.Remove(x.path("t", "a")))
	must(t, os.Symlink("lib", x.path("t", "a")))
	if changed, what := s.Changed(); !changed || what != "t/a" {
		t.Error("another link:", changed, what)
	}
	// What it was is made again, once there is reason to write.
	must(t, s.Clear(0))
	x.put(t, s, 0)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

func TestLinkInTheWay(t *testing.T) {
	x := linked(t)
	s := open(t, x.cfg)
	x.putAll(t, s)
	must(t, os.WriteFile(x.path("t.part", "a"), []byte("mine"), 0o644))
	if err := s.Finish(ctx); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if _, err := os.Lstat(x.path("t")); err == nil {
		t.Error("published")
	}
	must(t, os.Remove(x.path("t.part", "a")))
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

// Where there are no links this is said before anything is fetched, unless none
// is wanted.
func TestLinksNotSupported(t *testing.T) {
	x := linked(t)
	x.cfg.disk = plainDisk{}
	_, err := Open(x.cfg)
	if !errors.Is(err, ErrNoSymlinks) || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
	if left, err := os.ReadDir(x.cfg.Dir); err != nil || len(left) != 0 {
		t.Error("left behind:", left, err)
	}
	for i := range x.cfg.Files {
		if x.cfg.Files[i].Symlink != nil {
			x.cfg.Files[i].Wanted = false
		}
	}
	s := open(t, x.cfg)
	x.putAll(t, s)
	must(t, s.Finish(ctx))
}

// No link leads outside or by way of another, and no file lies behind one.
func TestLinksRefused(t *testing.T) {
	a := file("t/a", 100, true)
	for what, files := range map[string][]File{
		"outside":             {a, link("t/l", "..", "x")},
		"outside and back":    {a, link("t/l", "d", "..", "..", "t", "a")},
		"up":                  {a, link("t/d/l", "d", "..", "a")},
		"absolute":            {a, link("t/l", "", "etc")},
		"absolute in one":     {a, link("t/l", "/etc")},
		"components in one":   {a, link("t/l", "d/e")},
		"the torrent itself":  {a, link("t/l", ".")},
		"nothing":             {a, link("t/l", []string{}...)},
		"an empty name":       {a, link("t/l", "")},
		"a NUL":               {a, link("t/l", "a\x00b")},
		"through a link":      {a, link("t/l", "d"), link("t/m", "l", "a")},
		"a file behind":       {a, link("t/l", "d"), file("t/l/b", 10, true)},
		"a link behind":       {a, link("t/l", "d"), link("t/l/b", "a")},
		"itself":              {a, link("t/l", "l")},
		"a circle":            {a, link("t/l", "m"), link("t/m", "n"), link("t/n", "m")},
		"its path twice":      {a, link("t/a", "b")},
		"bytes":               {a, {Path: "t/l", Length: 5, Symlink: []string{"a"}}},
		"with its path above": {a, link("t/../l", "a")},
	} {
		if what == "nothing" {
			files[1].Symlink = []string{}
		}
		x := newTorrent(t, 64, files...)
		if _, err := Open(x.cfg); err == nil {
			t.Error(what, "is taken")
		}
		if left, err := os.ReadDir(x.cfg.Dir); err != nil || len(left) != 0 {
			t.Error(what, "left behind:", left, err)
		}
	}
	x := newTorrent(t, 64, link("t", "a"))
	if _, err := Open(x.cfg); err == nil {
		t.Error("a torrent that is a link")
	}
	chain := []File{a}
	for i := range maxChain + 1 {
		chain = append(chain, link(fmt.Sprintf("t/%d", i), fmt.Sprint(i+1)))
	}
	x = newTorrent(t, 64, chain...)
	if _, err := Open(x.cfg); err == nil {
		t.Error("a longer chain than the system follows is taken")
	}
	x = newTorrent(t, 64, chain[:maxChain+1]...)
	open(t, x.cfg)
}
