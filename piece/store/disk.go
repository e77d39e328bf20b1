package store

import "os"

// disk is what changes the disk. It is a seam for tests: a fault can fail one
// of these, a crash can undo what no sync has covered. Reads need no seam.
type disk interface {
	openFile(root *os.Root, name string, flag int, perm os.FileMode) (*os.File, error)
	mkdirAll(root *os.Root, name string) error
	writeAt(f *os.File, p []byte, off int64) error
	truncate(f *os.File, n int64) error
	chmod(f *os.File, mode os.FileMode) error
	// symlink makes name a link to target.
	symlink(root *os.Root, target, name string) error
	// sync is fsync, of a file or of a directory.
	sync(f *os.File) error
	// syncFS makes everything durable on the file system that dir is on.
	syncFS(dir *os.File) error
	// rename moves a name within dir.
	rename(dir *os.File, from, to string, how renameMode) error
}

// renameMode says what happens to something that is at the new name.
type renameMode uint8

const (
	replace   renameMode = iota // it goes, if it is a file
	noReplace                   // it stays, the rename fails with fs.ErrExist
	exchange                    // it gets the old name
)

// osDisk is the real one.
type osDisk struct{}

func (osDisk) openFile(root *os.Root, name string, flag int, perm os.FileMode) (*os.File, error) {
	return root.OpenFile(name, flag, perm)
}

func (osDisk) mkdirAll(root *os.Root, name string) error { return root.MkdirAll(name, 0o755) }

func (osDisk) writeAt(f *os.File, p []byte, off int64) error {
	_, err := f.WriteAt(p, off)
	return err
}

func (osDisk) truncate(f *os.File, n int64) error { return f.Truncate(n) }

func (osDisk) chmod(f *os.File, mode os.FileMode) error { return f.Chmod(mode) }

func (osDisk) symlink(root *os.Root, target, name string) error { return root.Symlink(target, name) }

func (osDisk) sync(f *os.File) error { return f.Sync() }

func (osDisk) syncFS(dir *os.File) error { return syncFS(dir) }

func (osDisk) rename(dir *os.File, from, to string, how renameMode) error {
	if err := renameAt(dir, from, to, how); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
