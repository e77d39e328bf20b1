package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFS flushes the file system of dir. Since Linux 5.8 it reports write
// errors as fsync does.
func syncFS(dir *os.File) error { return unix.Syncfs(int(dir.Fd())) }

// renameAt renames within dir. File systems without the flags of renameat2
// get a check and a plain rename; an exchange they refuse.
func renameAt(dir *os.File, from, to string, how renameMode) error {
	fd := int(dir.Fd())
	flags := [...]uint{replace: 0, noReplace: unix.RENAME_NOREPLACE, exchange: unix.RENAME_EXCHANGE}[how]
	err := unix.Renameat2(fd, from, fd, to, flags)
	if how == noReplace && (errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS)) {
		return renameChecked(fd, from, to)
	}
	return err
}

// dataFrom returns the first offset at or after off that is not in a hole of
// f, or -1 if only a hole is left. Where a file system cannot tell, all is
// data. It moves f's file offset, which nothing in this package uses.
func dataFrom(f *os.File, off int64) int64 {
	pos, err := f.Seek(off, unix.SEEK_DATA)
	switch {
	case err == nil:
		return pos
	case errors.Is(err, unix.ENXIO):
		return -1
	}
	return off
}

// nameless opens a new file in memory.
func nameless(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
