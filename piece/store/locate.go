package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// locate finds the data of a Store that writes. old is the resume file, nil if
// there is none to believe.
func (s *Store) locate(old *resume) error {
	final, err := s.lstat(s.cfg.Name)
	if err != nil {
		return err
	}
	part, err := s.lstat(s.part)
	if err != nil {
		return err
	}
	if final != nil && s.rightKind(final) {
		done, err := s.locateFinal(old, part == nil)
		if done || err != nil {
			return err
		}
	}
	if final != nil && !s.cfg.Overwrite {
		return fmt.Errorf("%s: %w", filepath.Join(s.cfg.Dir, s.cfg.Name), ErrExists)
	}
	return s.locatePart(part, old)
}

// locateFinal says whether what is at the final path is the data: published by
// us and left alone since, or, if there is no part file, of a shape that makes
// it worth a check.
func (s *Store) locateFinal(old *resume, alone bool) (bool, error) {
	if err := s.enter(s.cfg.Name); err != nil {
		return false, err
	}
	s.place = atFinal
	switch {
	// A file that was being mended has no time to go by, but its size.
	case old != nil && old.stats != nil && s.statsMatch(old.stats) && (!old.unchecked || s.rightSizes(s.wanted, true)):
		s.ours = true
		s.leftover = !alone && s.cfg.Overwrite && s.state.owned()
		if !old.unchecked && s.sameWanted(old) {
			s.trust(old)
			s.stats = old.stats
			s.findRotten()
		} else {
			s.adopted = true
		}
		return true, nil
	case alone && s.cfg.Repair:
		s.adopted, s.ours = true, true
		return true, nil
	case alone && s.rightSizes(s.wanted, true):
		s.adopted = true
		return true, nil
	}
	s.leave()
	return false, nil
}

// locatePart begins, or goes on, at the part path.
func (s *Store) locatePart(part os.FileInfo, old *resume) error {
	s.place = atPart
	if part == nil {
		s.trusted = true // that there is nothing
		if s.lay.single {
			s.data = s.root
		}
		return nil
	}
	path := filepath.Join(s.cfg.Dir, s.part)
	if !s.rightKind(part) {
		return fmt.Errorf("%s is in the way: %w", path, ErrExists)
	}
	if err := s.enter(s.part); err != nil {
		return err
	}
	// A sealed resume file is written after the last write and loses its
	// seal before the next: another time is somebody else's edit.
	if old != nil && !old.unchecked && s.state.owned() && s.sameWanted(old) &&
		s.rightSizes(old.have, false) && s.statsMatch(old.stats) {
		s.trust(old)
		s.stats = old.stats
	}
	return nil
}

// locateReadOnly finds the data of a Store that only reads. The name itself
// may be a symlink here: whoever seeds a path has chosen it.
func (s *Store) locateReadOnly() error {
	s.place = atFinal
	real, err := filepath.EvalSymlinks(filepath.Join(s.cfg.Dir, s.cfg.Name))
	if errors.Is(err, fs.ErrNotExist) {
		s.place = atPart
		real, err = filepath.Join(s.cfg.Dir, s.part), nil
	}
	if err == nil && s.lay.single {
		_, err = os.Lstat(real)
		if err == nil {
			s.lay.files[0].path = filepath.Base(real)
			s.data, err = os.OpenRoot(filepath.Dir(real))
		}
	} else if err == nil {
		s.data, err = os.OpenRoot(real)
	}
	if err != nil {
		return s.fail("open", filepath.Join(s.cfg.Dir, s.cfg.Name), err)
	}
	return nil
}

// lstat returns nil if nothing has that name.
func (s *Store) lstat(name string) (os.FileInfo, error) {
	fi, err := s.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, s.fail("look at", filepath.Join(s.cfg.Dir, name), err)
	}
	return fi, nil
}

func (s *Store) rightKind(fi os.FileInfo) bool {
	if s.lay.single {
		return fi.Mode().IsRegular()
	}
	return fi.IsDir()
}

// enter makes name the place of the data. A directory is held by descriptor, so
// that it stays the same one when it is renamed, and no symlink in it leads
// out of it. pathMu is held, or nobody else has s yet.
func (s *Store) enter(name string) error {
	if s.lay.single {
		s.data = s.root
		return nil
	}
	path := filepath.Join(s.cfg.Dir, name)
	fi, err := s.root.Lstat(name)
	if err != nil {
		return s.fail("open", path, err)
	}
	data, err := s.root.OpenRoot(name)
	if err != nil {
		return s.fail("open", path, err)
	}
	got, err := data.Stat(".")
	if err != nil || !os.SameFile(fi, got) {
		data.Close()
		return fmt.Errorf("%s is a symbolic link: %w", path, ErrPermission)
	}
	s.data = data
	return nil
}

// leave undoes enter.
func (s *Store) leave() {
	if s.data != nil && s.data != s.root {
		s.data.Close()
	}
	s.data = nil
}

// fileName is file i's name in s.data; pathMu is held.
func (s *Store) fileName(i int) string {
	if s.lay.single && !s.cfg.ReadOnly {
		return s.placeName()
	}
	return filepath.FromSlash(s.lay.files[i].path)
}

// stat looks at file i, noFile if there is no regular file, or no link if it is
// to be one. A Store that writes follows no symlink.
func (s *Store) stat(i int) fileStat {
	if s.data == nil {
		return noFile
	}
	if s.lay.files[i].link != "" {
		return s.statLink(i)
	}
	look := s.data.Lstat
	if s.cfg.ReadOnly {
		look = s.data.Stat
	}
	fi, err := look(s.fileName(i))
	if err != nil || !fi.Mode().IsRegular() {
		return noFile
	}
	return fileStat{size: fi.Size(), mtime: stamp(fi.ModTime())}
}

// statAll looks at every file that is in place; the others count as missing.
func (s *Store) statAll() []fileStat {
	s.pathMu.RLock()
	defer s.pathMu.RUnlock()
	stats := make([]fileStat, len(s.lay.files))
	for i := range stats {
		stats[i] = noFile
		if s.lay.files[i].inPlace {
			stats[i] = s.stat(i)
		}
	}
	return stats
}

// statsMatch reports whether every file is as stats remembers it.
func (s *Store) statsMatch(stats []fileStat) bool { return s.firstChange(stats) < 0 }

// firstChange returns the first file that is not as stats remembers it, or -1.
// Files that were not there then are ignored.
func (s *Store) firstChange(stats []fileStat) int {
	for i, want := range stats {
		if want != noFile && s.stat(i) != want {
			return i
		}
	}
	return -1
}

// rightSizes reports whether every file in place that has bytes of the given
// pieces (every one, empty ones too, if all) has its full length, and the side
// file too if they use it.
func (s *Store) rightSizes(pieces bitset, all bool) bool {
	for i := range s.lay.files {
		f := &s.lay.files[i]
		if !f.inPlace {
			continue
		}
		need := all
		for p, end := s.lay.filePieces(i); p < end && !need; p++ {
			need = pieces.has(p)
		}
		if need && s.stat(i).size != f.length {
			return false
		}
	}
	if all || !s.lay.usesSide(pieces) {
		return true
	}
	fi, err := s.state.dir.Lstat(sideName)
	return err == nil && fi.Mode().IsRegular() && fi.Size() == s.lay.total
}

func (s *Store) sameWanted(old *resume) bool { return bytes.Equal(old.wanted, s.wantedFiles()) }

// trust takes the resume file's word.
func (s *Store) trust(old *resume) {
	s.have = old.have.plus(s.void)
	s.safe, s.trusted = s.have.clone(), true
}

// checkSpace refuses wanted files that cannot fit before anything is written.
// What the part files already occupy counts as there.
func (s *Store) checkSpace() error {
	if s.place != atPart {
		return nil
	}
	free := freeBytes(s.rootDir)
	need := int64(0)
	for i := range s.lay.files {
		f := &s.lay.files[i]
		if !f.inPlace {
			continue
		}
		left := f.length
		if s.data != nil {
			if fi, err := s.data.Lstat(s.fileName(i)); err == nil && fi.Mode().IsRegular() {
				left -= min(left, allocated(fi))
			}
		}
		need += left
	}
	if free >= 0 && need > free {
		return &SpaceError{Path: s.cfg.Dir, Need: need, Free: free}
	}
	return nil
}
