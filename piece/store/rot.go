package store

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

// Recheck reads a piece that is verified, or that a Recheck has found wrong, and
// holds it against its hash again. One that is wrong, or cannot be read, is not
// verified any more, and the resume file has forgotten it; one that is right again
// is verified again. where, of a wrong one, names the bytes that were read. err
// means that there is no verdict. Only what is published is worth a Recheck.
func (s *Store) Recheck(i int) (ok bool, where string, err error) {
	if i < 0 || i >= s.lay.pieces {
		return false, "", fmt.Errorf("piece %d: out of range", i)
	}
	s.mu.Lock()
	_, rotten := s.rotten[i]
	known := s.have.has(i) || rotten
	s.mu.Unlock()
	if !known {
		return false, "", fmt.Errorf("piece %d: %w", i, ErrNotVerified)
	}
	if ok, err = s.sound(i); err != nil {
		return false, "", err
	}
	if !ok {
		where = s.where(i)
	}
	return ok, where, s.note(i, ok)
}

// sound reads piece i and says whether it is right. What cannot be read is not.
func (s *Store) sound(i int) (bool, error) {
	d := digests.Get().(*digest)
	defer digests.Put(d)
	p := s.lay.plan(i)
	d.begin(p)
	buf := bufPool.Get().(*[ioBuffer]byte)
	defer bufPool.Put(buf)
	off, n := s.lay.piece(i)
	for at := int64(0); at < n; {
		b := buf[:min(n-at, ioBuffer)]
		if err := s.readAt(b, off+at); err != nil {
			if harmless(err) {
				return false, nil
			}
			return false, err
		}
		d.write(b)
		at += int64(len(b))
	}
	return s.agrees(i, p, d.sum())
}

// note keeps the verdict on a piece, if it changes anything: nothing does where the
// piece is being put anew.
func (s *Store) note(i int, ok bool) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	have := s.have.has(i)
	if have == ok || s.holds[i] != nil {
		s.mu.Unlock()
		return nil
	}
	if ok {
		delete(s.rotten, i)
		s.have.set(i)
		s.safe.set(i)
	} else {
		if s.place == atFinal || s.cfg.ReadOnly {
			s.rotten[i] = struct{}{}
		}
		s.have.clear(i)
		s.safe.clear(i)
	}
	s.stale = true
	s.mu.Unlock()
	if s.cfg.ReadOnly {
		_, err := s.recordReadOnly()
		return err
	}
	return s.saveResume()
}

// where names the bytes of piece i on the disk.
func (s *Store) where(i int) string {
	s.pathMu.RLock()
	defer s.pathMu.RUnlock()
	off, n := s.lay.piece(i)
	c := s.lay.spans(off, n)
	first, ok := c.nextOnDisk()
	if !ok {
		return "padding"
	}
	name := "the side file"
	if first.file < len(s.lay.files) {
		name = s.placeName()
		if !s.lay.single {
			name = filepath.Join(name, filepath.FromSlash(s.lay.files[first.file].path))
		}
	}
	more := 0
	for _, ok := c.nextOnDisk(); ok; _, ok = c.nextOnDisk() {
		more++
	}
	out := fmt.Sprintf("%s, %d bytes from %d on", name, first.n, first.off)
	if more > 0 {
		out += fmt.Sprintf(", or the next %d files", more)
	}
	return out
}

// openToMend prepares for a write to piece i in place: it is published and was found
// wrong. Whoever reads the final path has the wrong bytes already, and to take all
// of it back to the part path would cost him the right ones. From the first write to
// the seal after the last one the resume file vouches for nothing: what a crash
// leaves is checked.
func (s *Store) openToMend(i int) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if s.cfg.ReadOnly {
		return ErrReadOnly
	}
	var files []int
	c := s.lay.spans(s.lay.piece(i))
	for sp, ok := c.nextOnDisk(); ok; sp, ok = c.nextOnDisk() {
		if sp.file < len(s.lay.files) && !s.mends(sp.file) {
			files = append(files, sp.file)
		}
	}
	if len(files) == 0 {
		return nil
	}
	if changed, what := s.Changed(); changed {
		return fmt.Errorf("%s: %w", filepath.Join(s.cfg.Dir, what), ErrEdited)
	}
	for _, f := range files {
		if err := s.tryWrite(f); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.stats = append([]fileStat(nil), s.stats...)
	for _, f := range files {
		s.mending[f] = struct{}{}
		s.stats[f] = noFile
	}
	s.mu.Unlock()
	s.handles.drop(false) // they are open for reading only
	return s.saveResume()
}

// tryWrite says why a published file cannot be written to, if that is so.
func (s *Store) tryWrite(file int) error {
	s.pathMu.RLock()
	defer s.pathMu.RUnlock()
	name := s.fileName(file)
	f, err := s.disk.openFile(s.data, name, os.O_RDWR, 0)
	if err != nil {
		return s.fail("mend", filepath.Join(s.data.Name(), name), err)
	}
	return f.Close()
}

// mends says whether a published file is being written to.
func (s *Store) mends(file int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, is := s.mending[file]
	return is
}

// sealAgain ends what openToMend began: all that was written is durable, and nothing
// more is. syncMu is held. Only the files that were written to are looked at: another
// one may have been changed by somebody else.
func (s *Store) sealAgain() error {
	s.mu.Lock()
	mending := maps.Clone(s.mending)
	s.mu.Unlock()
	if len(mending) == 0 {
		return nil
	}
	now := map[int]fileStat{}
	s.pathMu.RLock()
	for f := range mending {
		now[f] = s.stat(f)
	}
	s.pathMu.RUnlock()
	s.mu.Lock()
	for f, st := range now {
		s.stats[f] = st
	}
	clear(s.mending)
	s.mu.Unlock()
	s.handles.drop(false)
	return s.saveResume()
}

// findRotten notes that what is missing of a resumed content at the final path was
// found wrong there: nothing else leaves a hole in what is sealed. It is mended in
// place.
func (s *Store) findRotten() {
	s.wanted.minus(s.have).each(func(i int) { s.rotten[i] = struct{}{} })
}

// forgetRot ends all mending: the data is at the part path, or was checked. mu is held.
func (s *Store) forgetRot() {
	clear(s.rotten)
	clear(s.mending)
}
