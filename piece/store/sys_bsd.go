//go:build darwin || freebsd

package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFS flushes every file system: there is no call for one.
func syncFS(*os.File) error { return unix.Sync() }

// renameAt renames within dir; an exchange is refused.
func renameAt(dir *os.File, from, to string, how renameMode) error {
	fd := int(dir.Fd())
	switch how {
	case noReplace:
		return renameChecked(fd, from, to)
	case exchange:
		return unix.ENOTSUP
	}
	return unix.Renameat(fd, from, fd, to)
}

// dataFrom finds holes where the system can tell; here all is data.
func dataFrom(_ *os.File, off int64) int64 { return off }

// nameless opens a new temporary file that is gone once it is closed.
func nameless(name string) (*os.File, error) {
	f, err := os.CreateTemp("", name)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
