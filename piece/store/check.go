package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Check hashes what is on the disk, on every core, and returns the pieces that
// are right; those are verified from now on and all others are not. Nothing may
// be put while it runs. progress, which may be nil, hears the bytes looked at,
// padding not counted; missing files and holes count at once.
//
// Data that was found at the final path and is not whole is an ErrExists,
// unless this Store may overwrite: then it stays there until Finish, and the
// Store begins anew beside it. An unreadable file is an error; a missing, short
// or damaged one is only not verified. ErrInconsistent is about the torrent.
func (s *Store) Check(ctx context.Context, progress func(doneBytes int64)) ([]byte, error) {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.handles.drop(false) // a file may have been replaced by another one
	var stats []fileStat
	if s.place == atFinal || s.cfg.ReadOnly {
		stats = s.statAll()
	}
	got, err := s.checkPieces(ctx, progress)
	if err != nil {
		return nil, err
	}
	if err := s.judge(got, stats); err != nil {
		return nil, err
	}
	return got, nil
}

// checkPieces returns the pieces whose hash is right.
func (s *Store) checkPieces(ctx context.Context, progress func(int64)) (bitset, error) {
	got := s.void.clone()
	var mu sync.Mutex
	want := s.wanted.minus(s.void)
	run := hashRun{lay: s.lay, handles: s.handles, want: want.has, progress: progress}
	run.result = func(r *pieceResult) error {
		if r.err != nil {
			if harmless(r.err) {
				return nil
			}
			return r.err
		}
		ok, err := s.agrees(r.piece, r.plan, r.sums)
		if ok {
			mu.Lock()
			got.set(r.piece)
			mu.Unlock()
		}
		return err
	}
	return got, run.do(ctx)
}

// harmless reports whether err only means that a piece is not there.
func harmless(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, errNotRegular) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOTDIR)
}

// judge takes the result of a check. stats, if not nil, are the files as they
// were before it.
func (s *Store) judge(got bitset, stats []fileStat) error {
	if s.adopted && !got.covers(s.wanted) && !s.ours {
		if !s.cfg.Overwrite {
			return fmt.Errorf("%s: %w, with other content", filepath.Join(s.cfg.Dir, s.cfg.Name), ErrExists)
		}
		if err := s.beginBeside(); err != nil {
			return err
		}
		copy(got, s.void)
		stats = nil
	}
	s.mu.Lock()
	for i := range s.weak {
		// Its right bytes may be in memory only, and nothing would write
		// them again.
		got.clear(i)
	}
	s.adopted, s.trusted, s.stats = false, true, stats
	s.forgetRot()
	s.have = got.clone()
	s.stale = true
	if s.cfg.ReadOnly {
		s.safe = got.clone()
		s.mu.Unlock()
		_, err := s.recordReadOnly()
		return err
	}
	// What the check has read may be in memory only: the next sync decides.
	for i := range s.safe {
		s.safe[i] &= got[i]
	}
	s.markUnsynced()
	s.mu.Unlock()
	if err := s.saveResume(); err != nil {
		return err
	}
	s.mu.Lock()
	s.writable = s.place == atPart
	s.mu.Unlock()
	return nil
}

// beginBeside leaves what is at the final path alone and starts at the part
// path with nothing.
func (s *Store) beginBeside() error {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	s.leave()
	s.handles.drop(false)
	if err := s.locatePart(nil, nil); err != nil {
		return err
	}
	return s.checkSpace()
}

// markUnsynced makes the next sync cover every verified piece that is not known
// to be durable. mu is held.
func (s *Store) markUnsynced() {
	s.unsynced = 0
	s.have.minus(s.safe).each(func(i int) {
		off, n := s.lay.piece(i)
		s.unsynced += n
		c := s.lay.spans(off, n)
		for sp, ok := c.nextOnDisk(); ok; sp, ok = c.nextOnDisk() {
			s.dirty[sp.file] = struct{}{}
		}
	})
	s.since = time.Now()
}
