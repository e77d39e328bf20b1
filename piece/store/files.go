package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// openFile opens a file of the torrent, or the side file, for the cache. Where
// the Store may write to it, it is opened for writing at once; with create it
// is made if missing, with its directories, as a hole of its full length.
func (s *Store) openFile(i int, create bool) (*os.File, error) {
	s.pathMu.RLock()
	if s.data == nil && create && i != s.lay.zeros() {
		s.pathMu.RUnlock()
		if err := s.makeData(); err != nil {
			return nil, err
		}
		s.pathMu.RLock()
	}
	defer s.pathMu.RUnlock()
	if i == s.lay.zeros() {
		return openZeros()
	}
	if i == s.lay.side() {
		if s.state == nil {
			return nil, fmt.Errorf("side file: %w", fs.ErrNotExist)
		}
		return s.openIn(s.state.dir, sideName, s.lay.total, os.O_RDWR, create, 0o600)
	}
	if s.data == nil {
		return nil, fmt.Errorf("%s: %w", s.lay.files[i].path, fs.ErrNotExist)
	}
	name := s.fileName(i)
	if s.cfg.ReadOnly {
		// Symlinks inside the directory are the user's own.
		fi, err := s.data.Stat(name)
		if err == nil && !fi.Mode().IsRegular() {
			err = errNotRegular
		}
		if err != nil {
			return nil, s.fail("open", filepath.Join(s.data.Name(), name), err)
		}
		return s.data.Open(name)
	}
	flag := os.O_RDWR
	if s.place == atFinal && !s.mends(i) {
		// A published program could not be run while it is open for
		// writing.
		flag = os.O_RDONLY
	}
	f, err := s.openIn(s.data, name, s.lay.files[i].length, flag, create, 0o644)
	if err == nil && s.place == atPart {
		s.noteDirs(i)
	}
	return f, err
}

var errNotRegular = errors.New("not a regular file")

// openIn opens a regular file of a length of ours, never through a symlink.
func (s *Store) openIn(root *os.Root, name string, length int64, flag int, create bool, perm os.FileMode) (*os.File, error) {
	where := filepath.Join(root.Name(), name)
	fi, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) && create {
		if dir := filepath.Dir(name); dir != "." {
			if err := s.disk.mkdirAll(root, dir); err != nil {
				return nil, s.fail("create", filepath.Dir(where), err)
			}
		}
		f, err := s.disk.openFile(root, name, flag|os.O_CREATE|os.O_EXCL, perm)
		if err == nil {
			return s.sized(f, length)
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, s.fail("create", where, err)
		}
		fi, err = root.Lstat(name) // another worker was faster
		if err != nil {
			return nil, s.fail("open", where, err)
		}
	} else if err != nil {
		return nil, s.fail("open", where, err)
	}
	if !fi.Mode().IsRegular() {
		return nil, s.fail("open", where, errNotRegular)
	}
	f, err := s.disk.openFile(root, name, flag, 0)
	if err != nil {
		return nil, s.fail("open", where, err)
	}
	got, err := f.Stat()
	if err != nil || !os.SameFile(fi, got) {
		f.Close()
		return nil, s.fail("open", where, errNotRegular)
	}
	if got.Size() != length && flag == os.O_RDWR && create {
		return s.sized(f, length)
	}
	return f, nil
}

// sized gives a file its length, all of it a hole.
func (s *Store) sized(f *os.File, length int64) (*os.File, error) {
	if err := s.disk.truncate(f, length); err != nil {
		f.Close()
		return nil, s.fail("extend", f.Name(), err)
	}
	return f, nil
}

// makeData makes the part directory.
func (s *Store) makeData() error {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	if s.data != nil {
		return nil
	}
	if s.cfg.ReadOnly || s.place != atPart {
		return ErrReadOnly
	}
	if err := s.disk.mkdirAll(s.root, s.part); err != nil {
		return s.fail("create", filepath.Join(s.cfg.Dir, s.part), err)
	}
	return s.enter(s.part)
}

// noteDirs remembers the directories in which file i may be a new entry, up to
// the download directory.
func (s *Store) noteDirs(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lay.single {
		s.dirtyDirs[""] = struct{}{}
		return
	}
	for dir := path.Dir(s.lay.files[i].path); ; dir = path.Dir(dir) {
		if _, ok := s.dirtyDirs[dir]; ok {
			return
		}
		s.dirtyDirs[dir] = struct{}{}
		if dir == "." {
			s.dirtyDirs[""] = struct{}{}
			return
		}
	}
}
