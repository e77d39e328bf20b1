package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Dirty returns the bytes of verified pieces that no sync has covered, and
// since when there are any.
func (s *Store) Dirty() (bytes int64, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsynced == 0 {
		return 0, time.Time{}
	}
	return s.unsynced, s.since
}

// Sync makes verified pieces durable and then records them. It returns how many
// pieces are durable in all. After a *SyncError the pieces that it names are
// no longer verified. Any other error takes nothing away; Sync may be called
// again.
func (s *Store) Sync(ctx context.Context) (durable int, err error) {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	return s.syncLocked(ctx)
}

// batch is what one Sync is about.
type batch struct {
	pieces   bitset // verified, not durable
	any      bool
	files    map[int]struct{}
	dirs     map[string]struct{}
	unsynced int64
	since    time.Time
}

func (s *Store) syncLocked(ctx context.Context) (int, error) {
	if s.cfg.ReadOnly {
		return s.recordReadOnly()
	}
	b, stale := s.takeBatch()
	if !b.any && !stale {
		return s.durable(), nil
	}
	if b.any {
		lost, err := s.flush(ctx, b)
		if err != nil && lost == nil {
			s.giveBack(b)
			return s.durable(), err
		}
		gone := s.account(b, lost)
		if err != nil {
			err = &SyncError{Pieces: gone, Err: err}
			return s.durable(), errors.Join(err, s.saveResume())
		}
	}
	return s.durable(), s.saveResume()
}

func (s *Store) durable() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.safe.count()
}

// takeBatch takes the marks of everything written so far.
func (s *Store) takeBatch() (b batch, stale bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b = batch{
		pieces: s.have.minus(s.safe), files: s.dirty, dirs: s.dirtyDirs,
		unsynced: s.unsynced, since: s.since,
	}
	b.any = b.pieces.count() > 0
	if b.any {
		s.dirty, s.dirtyDirs = make(map[int]struct{}), make(map[string]struct{})
		s.unsynced = 0
	}
	return b, s.stale
}

// giveBack undoes takeBatch.
func (s *Store) giveBack(b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.dirty, b.files)
	maps.Copy(s.dirtyDirs, b.dirs)
	s.unsynced += b.unsynced
	if b.unsynced > 0 {
		s.since = b.since
	}
}

// flush syncs a batch's files and then its directories. With an error, lost
// says which files' data is gone; nil if nothing was lost and it may be tried
// again.
func (s *Store) flush(ctx context.Context, b batch) (lost map[int]struct{}, err error) {
	if len(b.files)+len(b.dirs) > maxFsyncs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.disk.syncFS(s.rootDir); err != nil {
			return b.files, s.fail("sync", s.cfg.Dir, err)
		}
		return nil, nil
	}
	var errs []error
	for _, i := range slices.Sorted(maps.Keys(b.files)) {
		if err := ctx.Err(); err != nil && lost == nil {
			return nil, err
		}
		f, err := s.handles.acquire(i, false)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && lost == nil {
			return nil, err
		}
		if err == nil {
			err = s.disk.sync(f.f)
			s.handles.release(f)
		}
		if err != nil {
			if lost == nil {
				lost = make(map[int]struct{})
			}
			lost[i] = struct{}{}
			errs = append(errs, err)
		}
	}
	if _, ok := b.files[s.lay.side()]; ok {
		// The resume file is renamed in the directory of the side file: had
		// only that one entry survived, it would claim what is not there.
		if err := s.disk.sync(s.state.dirF); err != nil {
			return b.files, s.fail("sync", s.state.dir.Name(), err)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(b.dirs)) {
		if err := s.syncDir(dir); err != nil {
			// Any of the files may be without a name after a crash.
			return b.files, s.fail("sync", filepath.Join(s.cfg.Dir, dir), err)
		}
	}
	if lost != nil {
		return lost, fmt.Errorf("sync in %s: %w", s.cfg.Dir, errors.Join(errs...))
	}
	return nil, nil
}

// syncDir syncs a directory of the torrent, or the download directory if dir
// is empty.
func (s *Store) syncDir(dir string) error {
	if dir == "" {
		return s.disk.sync(s.rootDir)
	}
	s.pathMu.RLock()
	defer s.pathMu.RUnlock()
	f, err := s.data.OpenFile(filepath.FromSlash(dir), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.disk.sync(f)
}

// account marks a batch's pieces durable, except those with bytes in a lost
// file: they are not even verified any more. It returns these.
func (s *Store) account(b batch, lost map[int]struct{}) (gone []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.pieces.each(func(i int) {
		if s.touches(i, lost) {
			gone = append(gone, i)
			s.have.clear(i)
			s.weak[i] = struct{}{}
			if s.touches(i, s.mending) {
				s.rotten[i] = struct{}{} // still the one that is wrong in its place
			}
			return
		}
		s.safe.set(i)
	})
	for i, h := range s.holds { // what is there of them was lost, too
		if s.touches(i, lost) {
			s.weak[i] = struct{}{}
			h.proven = nil
		}
	}
	return gone
}

// touches says whether piece i has bytes in one of the files.
func (s *Store) touches(i int, files map[int]struct{}) bool {
	if len(files) == 0 {
		return false
	}
	c := s.lay.spans(s.lay.piece(i))
	for sp, ok := c.nextOnDisk(); ok; sp, ok = c.nextOnDisk() {
		if _, in := files[sp.file]; in {
			return true
		}
	}
	return false
}

// recordReadOnly writes down what a Store that only reads knows, so that the
// next start needs no check.
func (s *Store) recordReadOnly() (int, error) {
	s.mu.Lock()
	fresh := s.state != nil && s.trusted && s.stats != nil && s.stale
	s.mu.Unlock()
	if fresh {
		if err := s.saveResume(); err != nil {
			s.log.Info("resume state not written", "name", s.cfg.Name, "err", err)
		}
	}
	return s.durable(), nil
}
