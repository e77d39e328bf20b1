package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// probeName is made in the state directory to see whether it can be.
const probeName = "link.tmp"

// probeLinks says before anything is written, and not after days of fetching,
// that the wanted symbolic links cannot be made.
func (s *Store) probeLinks() error {
	if !s.wantsLinks() || s.place != atPart {
		return nil
	}
	err := s.disk.symlink(s.state.dir, "target", probeName)
	if errors.Is(err, fs.ErrExist) { // a crash left it
		err = nil
	}
	if err != nil {
		return s.linkFailed(filepath.Join(s.cfg.Dir, stateName), err)
	}
	if err := s.state.dir.Remove(probeName); err != nil {
		return s.fail("remove", filepath.Join(s.state.dir.Name(), probeName), err)
	}
	return nil
}

func (s *Store) wantsLinks() bool {
	if !s.lay.links {
		return false
	}
	for i := range s.lay.files {
		if f := &s.lay.files[i]; f.link != "" && f.inPlace {
			return true
		}
	}
	return false
}

func (s *Store) linkFailed(where string, err error) error {
	// Linux says EPERM for a file system that has none.
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%s: %w: %w", where, ErrNoSymlinks, err)
	}
	return s.fail("link", where, err)
}

// makeLink makes the symbolic link that file i is, in the part directory. Should
// pieces be written again later, none goes through it: openIn follows no link, and
// the layout has no path with one in it.
func (s *Store) makeLink(i int) error {
	s.pathMu.RLock()
	defer s.pathMu.RUnlock()
	name := s.fileName(i)
	where := filepath.Join(s.data.Name(), name)
	if dir := filepath.Dir(name); dir != "." {
		if err := s.disk.mkdirAll(s.data, dir); err != nil {
			return s.fail("create", filepath.Dir(where), err)
		}
	}
	s.noteDirs(i)
	to := filepath.FromSlash(s.lay.files[i].link)
	err := s.disk.symlink(s.data, to, name)
	if errors.Is(err, fs.ErrExist) {
		fi, look := s.data.Lstat(name)
		if look != nil || fi.Mode()&fs.ModeSymlink == 0 {
			return fmt.Errorf("%s is in the way: %w", where, ErrExists)
		}
		// It leads elsewhere, else there were nothing to make.
		if err := s.data.Remove(name); err != nil {
			return s.fail("remove", where, err)
		}
		err = s.disk.symlink(s.data, to, name)
	}
	if err != nil {
		return s.linkFailed(where, err)
	}
	return nil
}

// statLink looks at file i, which is a link: noFile unless it leads where it
// should. pathMu is held.
func (s *Store) statLink(i int) fileStat {
	name := s.fileName(i)
	fi, err := s.data.Lstat(name)
	if err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		return noFile
	}
	to, err := s.data.Readlink(name)
	if err != nil || filepath.ToSlash(to) != s.lay.files[i].link {
		return noFile
	}
	return fileStat{mtime: stamp(fi.ModTime())}
}

// setExec lets whoever may read the executable files run them: the umask that
// took the one right when they were made takes the other. Where the file system
// knows no such right they stay as they are.
func (s *Store) setExec() error {
	for i := range s.lay.files {
		if f := &s.lay.files[i]; !f.exec || !f.inPlace || f.link != "" {
			continue
		}
		h, err := s.handles.acquire(i, false)
		if err != nil {
			return err
		}
		err = s.makeExec(h.f)
		s.handles.release(h)
		if err != nil {
			return s.fail("make executable", h.f.Name(), err)
		}
	}
	return nil
}

func (s *Store) makeExec(f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	old := fi.Mode().Perm()
	mode := old | old&0o444>>2
	if mode == old {
		return nil
	}
	err = s.disk.chmod(f, mode)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		s.log.Info("file not made executable", "file", f.Name(), "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	return s.disk.sync(f)
}
