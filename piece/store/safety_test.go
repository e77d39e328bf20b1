package store

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestModes(t *testing.T) {
	old := syscall.Umask(0o022)
	defer syscall.Umask(old)
	x := small(t)
	s := open(t, x.cfg)
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	for name, want := range map[string]fs.FileMode{
		"t": fs.ModeDir | 0o755, "t/a": 0o644, "t/e/f": fs.ModeDir | 0o755, stateName: fs.ModeDir | 0o700,
	} {
		fi, err := os.Lstat(x.path(name))
		if err != nil || fi.Mode() != want {
			t.Errorf("%s: %v, %v", name, fi.Mode(), err)
		}
	}
	if fi, err := os.Lstat(s.state.dir.Name() + "/" + resumeName); err != nil || fi.Mode() != 0o600 {
		t.Error("resume file:", fi.Mode(), err)
	}
}

func TestStateDirOfOthers(t *testing.T) {
	x := small(t)
	must(t, os.Mkdir(x.path(stateName), 0o700))
	must(t, os.Chmod(x.path(stateName), 0o777))
	if _, err := Open(x.cfg); !errors.Is(err, ErrPermission) {
		t.Error("writable by all:", err)
	}
	must(t, os.Remove(x.path(stateName)))
	must(t, os.Mkdir(x.path("elsewhere"), 0o700))
	must(t, os.Symlink("elsewhere", x.path(stateName)))
	if _, err := Open(x.cfg); err == nil {
		t.Error("a symlink is taken")
	}
}

// Symlinks that wait in the part directory, or come while we write.
func TestSymlinks(t *testing.T) {
	secret := func(t *testing.T) string {
		p := t.TempDir() + "/secret"
		must(t, os.WriteFile(p, []byte("secret"), 0o644))
		return p
	}
	intact := func(t *testing.T, p string) {
		if b, err := os.ReadFile(p); err != nil || string(b) != "secret" {
			t.Errorf("written through a symlink: %q, %v", b, err)
		}
	}
	t.Run("part is a link", func(t *testing.T) {
		x, out := small(t), t.TempDir()
		must(t, os.Symlink(out, x.path("t.part")))
		if _, err := Open(x.cfg); err == nil {
			t.Error("opened")
		}
	})
	t.Run("file is a link outside", func(t *testing.T) {
		x, p := small(t), secret(t)
		must(t, os.Mkdir(x.path("t.part"), 0o755))
		must(t, os.Symlink(p, x.path("t.part", "a")))
		s := open(t, x.cfg)
		_, err := s.Check(ctx, nil)
		must(t, err)
		if _, err := s.PutPiece(0, x.piece(0)); err == nil {
			t.Error("written")
		}
		intact(t, p)
	})
	t.Run("file is a link inside", func(t *testing.T) {
		x := small(t)
		s := open(t, x.cfg)
		x.put(t, s, 1) // makes all but z
		must(t, os.Symlink("a", x.path("t.part", "z")))
		if _, err := s.PutPiece(x.pieces()-1, x.piece(x.pieces()-1)); err == nil {
			t.Error("written through a link to another file")
		}
	})
	t.Run("directory swapped", func(t *testing.T) {
		x, p := small(t), secret(t)
		must(t, os.WriteFile(p[:len(p)-len("secret")]+"g", []byte("secret"), 0o644))
		x.cfg.MaxOpenFiles = 1
		s := open(t, x.cfg)
		x.put(t, s, 0)
		must(t, os.MkdirAll(x.path("t.part", "e"), 0o755))
		must(t, os.Symlink(p[:len(p)-len("/secret")], x.path("t.part", "e", "f")))
		if _, err := s.PutPiece(2, x.piece(2)); err == nil {
			t.Error("written")
		}
		intact(t, p[:len(p)-len("secret")]+"g")
	})
	t.Run("single file", func(t *testing.T) {
		x, p := oneFile(t, 100, 64), secret(t)
		s := open(t, x.cfg)
		must(t, os.Symlink(p, x.path("t.part")))
		if _, err := s.PutPiece(0, x.piece(0)); err == nil {
			t.Error("written")
		}
		intact(t, p)
	})
}

// A second process is refused; the lock of a killed one is not in the way.
func TestLock(t *testing.T) {
	x := small(t)
	if dir := os.Getenv("STORE_TEST_HOLD"); dir != "" {
		must(t, os.Remove(x.cfg.Dir)) // nothing cleans up after a kill
		x.cfg.Dir = dir
		s := open(t, x.cfg)
		x.put(t, s, 0)
		syncNow(t, s)
		os.Stdout.WriteString("held\n")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestLock$")
	child.Env = append(os.Environ(), "STORE_TEST_HOLD="+x.cfg.Dir)
	in, err := child.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line != "held\n" {
		t.Fatal(line)
	}
	if _, err := Open(x.cfg); !errors.Is(err, ErrLocked) {
		t.Error("second process:", err)
	}
	must(t, child.Process.Kill())
	child.Wait()
	s := open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || len(have) != 1 {
		t.Error("after the kill:", have, trusted)
	}
}
