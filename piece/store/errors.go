package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// Errors that a caller tells apart with errors.Is.
var (
	// ErrExists: the final path holds something else and Overwrite is off,
	// or something that is no work of ours is in the place of the part
	// file.
	ErrExists = errors.New("already exists")
	// ErrLocked: another process, or another Store, writes this torrent or
	// another one of the same name.
	ErrLocked = errors.New("in use by another process")
	// ErrNoSpace is inside every *SpaceError.
	ErrNoSpace = errors.New("not enough disk space")
	// ErrPermission: the system refuses access, or the disk is read-only.
	ErrPermission = errors.New("permission denied")
	// ErrChanged: a file changed while it was being hashed.
	ErrChanged = errors.New("changed while being read")
	// ErrEdited: published content is wrong, and somebody has changed the file:
	// it is not ours to mend.
	ErrEdited = errors.New("changed by somebody else")
	// ErrIncomplete: Finish was called before every wanted piece was there.
	ErrIncomplete = errors.New("pieces are missing")
	// ErrReadOnly: a write to a Store that never writes.
	ErrReadOnly = errors.New("store is read-only")
	// ErrUnchecked: a write over data that Check has not looked at yet.
	ErrUnchecked = errors.New("existing data is not checked")
	// ErrNotVerified: a Section of a piece that is not, or no longer, known
	// to be right.
	ErrNotVerified = errors.New("piece is not verified")
	// ErrInconsistent: the two sides of a hybrid torrent are of different
	// content. It has no content, whoever sends it.
	ErrInconsistent = errors.New("metainfo is inconsistent")
	// ErrNoSymlinks: the torrent has symbolic links and the file system has
	// not.
	ErrNoSymlinks = errors.New("the file system has no symbolic links")
)

// SpaceError says that a disk is full, or would be. It is an ErrNoSpace.
type SpaceError struct {
	Path string // where
	Need int64  // bytes that are still to be written
	Free int64  // bytes that are free, -1 if unknown
	Err  error  // the system's error, nil if nothing was written
}

func (e *SpaceError) Error() string {
	msg := fmt.Sprintf("%s: %v: %d bytes needed", e.Path, ErrNoSpace, e.Need)
	if e.Free >= 0 {
		msg += fmt.Sprintf(", %d free", e.Free)
	}
	return msg
}

// Is reports whether target is ErrNoSpace.
func (e *SpaceError) Is(target error) bool { return target == ErrNoSpace }

// Unwrap returns the system's error.
func (e *SpaceError) Unwrap() error { return e.Err }

// SyncError says that an fsync failed. The system drops the data of a failed
// fsync and a second fsync then succeeds, so that the pieces must be fetched
// or written again.
type SyncError struct {
	Pieces []int // no longer verified, ascending
	Err    error
}

func (e *SyncError) Error() string {
	return fmt.Sprintf("sync: %d pieces lost: %v", len(e.Pieces), e.Err)
}

// Unwrap returns the system's error.
func (e *SyncError) Unwrap() error { return e.Err }

// fail gives err the words and the class that a caller branches on.
func (s *Store) fail(op, path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &SpaceError{Path: path, Need: s.missingBytes(), Free: freeBytes(s.rootDir), Err: err}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s %s: %w: %w", op, path, ErrPermission, err)
	}
	return fmt.Errorf("%s %s: %w", op, path, err)
}
