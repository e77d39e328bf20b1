//go:build linux || darwin || freebsd

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// renameChecked renames unless something is at the new name. The check and the
// rename are two steps; the owner lock keeps other Stores out between them.
func renameChecked(fd int, from, to string) error {
	var st unix.Stat_t
	err := unix.Fstatat(fd, to, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case err == nil:
		return unix.EEXIST
	case !errors.Is(err, unix.ENOENT):
		return err
	}
	return unix.Renameat(fd, from, fd, to)
}

// lockFile takes an exclusive lock on f without waiting. The system drops it
// when the process ends, however it ends.
func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// freeBytes is what an ordinary process may still write on dir's file system,
// -1 if unknown.
func freeBytes(dir *os.File) int64 {
	var st unix.Statfs_t
	if dir == nil || unix.Fstatfs(int(dir.Fd()), &st) != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// allocated is the number of bytes that the disk has given to a file.
func allocated(fi os.FileInfo) int64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return 0
}

// checkPrivate refuses a state directory that somebody else could fill: one
// that is a symlink, another user's, or writable by others.
func checkPrivate(fi os.FileInfo, path string) error {
	if !fi.IsDir() {
		return fmt.Errorf("%s: %w: not a directory", path, fs.ErrExist)
	}
	if fi.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s: %w: writable by others (mode %04o)", path, ErrPermission, fi.Mode().Perm())
	}
	me := os.Geteuid()
	st, ok := fi.Sys().(*syscall.Stat_t)
	if ok && me != 0 && int(st.Uid) != me && st.Uid != 0 {
		return fmt.Errorf("%s: %w: owned by user %d", path, ErrPermission, st.Uid)
	}
	return nil
}
