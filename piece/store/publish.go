package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Finish publishes: every wanted file is made durable and complete, and then
// renamed to the final path in one step. It is an ErrIncomplete before every
// wanted piece is verified, and an ErrExists if the final path is taken and
// Overwrite is off. After it the Store goes on reading. It may be called again.
func (s *Store) Finish(ctx context.Context) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if s.cfg.ReadOnly {
		return nil
	}
	s.mu.Lock()
	complete := s.trusted && s.have.covers(s.wanted)
	s.mu.Unlock()
	if !complete {
		return fmt.Errorf("%s: %w", s.cfg.Name, ErrIncomplete)
	}
	if s.place == atFinal {
		if _, err := s.syncLocked(ctx); err != nil {
			return err
		}
		if err := s.sealAgain(); err != nil {
			return err
		}
		return s.removeReplaced()
	}
	if err := s.completeFiles(); err != nil {
		return err
	}
	if _, err := s.syncLocked(ctx); err != nil {
		return err
	}
	stats := s.statAll()
	s.mu.Lock()
	s.stats, s.writable = stats, false
	s.mu.Unlock()
	if err := s.saveResume(); err != nil {
		return err
	}
	return s.publish()
}

// completeFiles makes the files that no piece has made, which are the empty ones
// and the links, and gives every wanted file its exact length and its rights.
func (s *Store) completeFiles() error {
	if err := s.makeData(); err != nil {
		return err
	}
	for i, st := range s.statAll() {
		f := &s.lay.files[i]
		if !f.inPlace || st.size == f.length {
			continue
		}
		if f.link != "" {
			if err := s.makeLink(i); err != nil {
				return err
			}
			continue
		}
		h, err := s.handles.acquire(i, true)
		if err != nil {
			return err
		}
		err = s.disk.truncate(h.f, f.length)
		if err == nil {
			err = s.disk.sync(h.f)
		}
		s.handles.release(h)
		if err != nil {
			return s.fail("complete", h.f.Name(), err)
		}
	}
	if err := s.setExec(); err != nil {
		return err
	}
	return s.flushDirs()
}

// flushDirs syncs the directories in which completeFiles made entries. Pieces
// need no account here: a piece's own directories are synced with its data.
func (s *Store) flushDirs() error {
	s.mu.Lock()
	dirs := s.dirtyDirs
	s.dirtyDirs = make(map[string]struct{})
	s.mu.Unlock()
	b := batch{dirs: dirs}
	_, err := s.flush(context.Background(), b)
	if err != nil {
		s.giveBack(b)
	}
	return err
}

// publish renames the data to the final path; syncMu is held, the files are
// sealed and the resume file says so.
func (s *Store) publish() error {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	final := filepath.Join(s.cfg.Dir, s.cfg.Name)
	err := s.disk.rename(s.rootDir, s.part, s.cfg.Name, noReplace)
	replaced := errors.Is(err, fs.ErrExist) && s.cfg.Overwrite
	if replaced {
		err = s.disk.rename(s.rootDir, s.part, s.cfg.Name, exchange)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrInvalid) {
			err = s.moveAside()
			replaced = false
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", final, ErrExists)
	}
	if err != nil {
		return s.fail("publish", final, err)
	}
	s.place, s.ours = atFinal, true
	s.handles.drop(false)
	if err := s.disk.sync(s.rootDir); err != nil {
		return s.fail("publish", final, err)
	}
	s.leftover = replaced
	return s.removeReplaced()
}

// removeReplaced removes the content that Overwrite has given up: the exchange
// of names left it at the part path.
func (s *Store) removeReplaced() error {
	if !s.leftover {
		return nil
	}
	if err := s.root.RemoveAll(s.part); err != nil {
		return s.fail("remove old", filepath.Join(s.cfg.Dir, s.part), err)
	}
	s.leftover = false
	return nil
}

// moveAside publishes over existing content where two names cannot be swapped:
// for a moment there is nothing at the final path.
func (s *Store) moveAside() error {
	if s.lay.single {
		return s.disk.rename(s.rootDir, s.part, s.cfg.Name, replace)
	}
	if err := s.root.RemoveAll(s.cfg.Name); err != nil {
		return err
	}
	return s.disk.rename(s.rootDir, s.part, s.cfg.Name, noReplace)
}

// unseal prepares for a write to piece i: what is published is taken back to
// the part path, unless a Recheck found the piece wrong there; what is sealed is no
// longer. It is nothing if the piece needs
// no write, and an error if the Store may not write or has no use for it.
func (s *Store) unseal(i int) error {
	s.mu.Lock()
	done, broken := s.writable || s.have.has(i), s.broken
	_, rotten := s.rotten[i]
	s.mu.Unlock()
	if done || broken != nil {
		return broken
	}
	if rotten {
		return s.openToMend(i)
	}
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	return s.unsealLocked()
}

func (s *Store) unsealLocked() error {
	s.mu.Lock()
	trusted, writable := s.trusted, s.writable
	s.mu.Unlock()
	switch {
	case s.cfg.ReadOnly:
		return ErrReadOnly
	case !trusted:
		return ErrUnchecked
	case writable:
		return nil
	}
	if err := s.unpublish(); err != nil {
		return err
	}
	s.mu.Lock()
	s.stats = nil
	s.forgetRot()
	s.mu.Unlock()
	// Only now: had the resume file lost its seal first, a crash in between
	// would leave a final path that looks like somebody else's.
	if err := s.saveResume(); err != nil {
		return err
	}
	s.mu.Lock()
	s.writable = true
	s.mu.Unlock()
	return nil
}

// unpublish renames the data back to the part path, if it is published.
func (s *Store) unpublish() error {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	if s.place == atPart {
		return nil
	}
	if err := s.disk.rename(s.rootDir, s.cfg.Name, s.part, noReplace); err != nil {
		return s.fail("take back", filepath.Join(s.cfg.Dir, s.cfg.Name), err)
	}
	s.place = atPart
	s.handles.drop(false)
	if err := s.disk.sync(s.rootDir); err != nil {
		return s.fail("take back", filepath.Join(s.cfg.Dir, s.cfg.Name), err)
	}
	return nil
}

// Clear forgets pieces that turned out to be wrong on the disk. Published data
// is taken back to the part path at once, since its reader must not see a wrong
// byte, and published again by the next Finish. The resume file has forgotten
// the pieces before Clear returns. A Store that only reads just stops serving
// them.
func (s *Store) Clear(pieces ...int) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	for _, i := range pieces {
		if i < 0 || i >= s.lay.pieces {
			s.mu.Unlock()
			return fmt.Errorf("piece %d: out of range", i)
		}
	}
	for _, i := range pieces {
		s.have.clear(i)
		s.safe.clear(i)
	}
	s.stale = true
	sealed := s.trusted && !s.writable
	s.mu.Unlock()
	switch {
	case s.cfg.ReadOnly:
		_, err := s.recordReadOnly()
		return err
	case sealed:
		return s.unsealLocked()
	}
	return s.saveResume()
}

// Changed reports whether somebody else has changed a file since this Store
// last looked at or finished it, and which: its size or its time differs. A
// Store that is still writing cannot tell and says no.
func (s *Store) Changed() (bool, string) {
	s.mu.Lock()
	stats := s.stats
	s.mu.Unlock()
	if stats == nil {
		return false, ""
	}
	s.pathMu.RLock()
	defer s.pathMu.RUnlock()
	i := s.firstChange(stats)
	if i < 0 {
		return false, ""
	}
	if s.lay.single {
		return true, s.placeName()
	}
	return true, filepath.Join(s.placeName(), filepath.FromSlash(s.lay.files[i].path))
}
