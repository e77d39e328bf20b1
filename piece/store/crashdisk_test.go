package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

var errCrashed = errors.New("power is off")

// crashDisk works on the real disk and remembers how to undo all that no sync
// has covered yet. The operation numbered cutAt tears: half of a write is done,
// of anything else nothing; what follows fails.
type crashDisk struct {
	t     *testing.T
	real  osDisk
	cutAt int

	mu   sync.Mutex
	ops  int
	log  []change
	dirs []*os.Root // held open for the undoing
}

// change is one unsynced change. It is undone through descriptors, which follow
// what is renamed.
type change struct {
	file os.FileInfo // whose sync covers it: the file, or the directory of the entry
	undo func()
}

// step counts an operation and reports whether the power is on.
func (d *crashDisk) step() (on, torn bool) {
	d.ops++
	return d.cutAt == 0 || d.ops < d.cutAt, d.ops == d.cutAt
}

func (d *crashDisk) remember(file os.FileInfo, undo func()) {
	d.log = append(d.log, change{file, undo})
}

// covered forgets the changes that a sync of fi makes durable.
func (d *crashDisk) covered(fi os.FileInfo) {
	d.log = slices.DeleteFunc(d.log, func(c change) bool { return os.SameFile(c.file, fi) })
}

// crash undoes the unsynced changes that keep does not spare, the last first.
func (d *crashDisk) crash(keep func() bool) {
	for _, c := range slices.Backward(d.log) {
		if !keep() {
			c.undo()
		}
	}
	for _, r := range d.dirs {
		r.Close()
	}
}

func (d *crashDisk) entry(root *os.Root, name string) {
	dir, err := root.OpenRoot(filepath.Dir(name))
	must(d.t, err)
	d.dirs = append(d.dirs, dir)
	base := filepath.Base(name)
	made, err := dir.Lstat(base)
	must(d.t, err)
	parent, err := dir.Stat(".")
	must(d.t, err)
	d.remember(parent, func() {
		if fi, err := dir.Lstat(base); err == nil && os.SameFile(fi, made) {
			must(d.t, dir.RemoveAll(base))
		}
	})
}

func (d *crashDisk) openFile(root *os.Root, name string, flag int, perm os.FileMode) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := root.Lstat(name)
	creates := flag&os.O_CREATE != 0 && errors.Is(err, fs.ErrNotExist)
	if creates {
		if on, _ := d.step(); !on {
			return nil, errCrashed
		}
	}
	f, err := d.real.openFile(root, name, flag, perm)
	if err == nil && creates {
		d.entry(root, name)
	}
	return f, err
}

func (d *crashDisk) mkdirAll(root *os.Root, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dir := filepath.Dir(name); dir != "." {
		d.mu.Unlock()
		err := d.mkdirAll(root, dir)
		d.mu.Lock()
		if err != nil {
			return err
		}
	}
	if _, err := root.Lstat(name); err == nil {
		return nil
	}
	if on, _ := d.step(); !on {
		return errCrashed
	}
	err := d.real.mkdirAll(root, name)
	if err == nil {
		d.entry(root, name)
	}
	return err
}

// content remembers a file's bytes from off to off+n and its length.
func (d *crashDisk) content(f *os.File, off, n int64) {
	fi, err := f.Stat()
	must(d.t, err)
	again, err := os.OpenFile("/proc/self/fd/"+itoa(f.Fd()), os.O_RDWR, 0)
	must(d.t, err)
	old := make([]byte, max(0, min(n, fi.Size()-off)))
	_, err = again.ReadAt(old, off)
	must(d.t, err)
	d.remember(fi, func() {
		_, err := again.WriteAt(old, off)
		must(d.t, errors.Join(err, again.Truncate(fi.Size()), again.Close()))
	})
}

func (d *crashDisk) writeAt(f *os.File, p []byte, off int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	on, torn := d.step()
	if !on && !torn {
		return errCrashed
	}
	d.content(f, off, int64(len(p)))
	if torn {
		d.real.writeAt(f, p[:len(p)/2], off)
		return errCrashed
	}
	return d.real.writeAt(f, p, off)
}

func (d *crashDisk) truncate(f *os.File, n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on, _ := d.step(); !on {
		return errCrashed
	}
	fi, err := f.Stat()
	must(d.t, err)
	d.content(f, min(n, fi.Size()), fi.Size())
	return d.real.truncate(f, n)
}

func (d *crashDisk) chmod(f *os.File, mode os.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on, _ := d.step(); !on {
		return errCrashed
	}
	fi, err := f.Stat()
	must(d.t, err)
	path := "/proc/self/fd/" + itoa(f.Fd())
	again, err := os.Open(path)
	must(d.t, err)
	d.remember(fi, func() { must(d.t, errors.Join(again.Chmod(fi.Mode().Perm()), again.Close())) })
	return d.real.chmod(f, mode)
}

func (d *crashDisk) symlink(root *os.Root, target, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on, _ := d.step(); !on {
		return errCrashed
	}
	err := d.real.symlink(root, target, name)
	if err == nil {
		d.entry(root, name)
	}
	return err
}

func (d *crashDisk) sync(f *os.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on, _ := d.step(); !on {
		return errCrashed
	}
	fi, err := f.Stat()
	must(d.t, err)
	d.covered(fi)
	return nil
}

func (d *crashDisk) syncFS(*os.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on, _ := d.step(); !on {
		return errCrashed
	}
	d.log = nil
	return nil
}

func (d *crashDisk) rename(dir *os.File, from, to string, how renameMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on, _ := d.step(); !on {
		return errCrashed
	}
	parent, err := dir.Stat()
	must(d.t, err)
	root, err := os.OpenRoot(dir.Name())
	must(d.t, err)
	d.dirs = append(d.dirs, root)
	replaced, _ := root.ReadFile(to)
	_, err = root.Lstat(to)
	there := err == nil
	if err := d.real.rename(dir, from, to, how); err != nil {
		return err
	}
	moved, err := root.Lstat(to)
	must(d.t, err)
	d.remember(parent, func() {
		fi, err := root.Lstat(to)
		switch {
		case err != nil || !os.SameFile(fi, moved):
		case how == exchange:
			// Both names were there, and are: if one of them has been
			// removed since, its entry is older than this one.
			if _, err := root.Lstat(from); err == nil {
				here, err := root.Open(".")
				must(d.t, err)
				must(d.t, d.real.rename(here, from, to, exchange))
				here.Close()
			}
		default:
			must(d.t, root.Rename(to, from))
			if there {
				must(d.t, root.WriteFile(to, replaced, 0o600))
			}
		}
	})
	return nil
}
