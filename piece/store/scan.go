package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Tree is a file or a directory as Scan found it.
type Tree struct {
	Dir     string // absolute; what the files' paths are relative to
	Name    string // the file, or the directory, in Dir
	Files   []ScannedFile
	Links   []Link
	Total   int64 // bytes
	Skipped []Skipped
}

// ScannedFile is a regular file of a Tree.
type ScannedFile struct {
	Path    string // with slashes; begins with the tree's name, as File.Path does
	Length  int64
	ModTime time.Time
	Exec    bool // its owner may run it
}

// Skipped is something that cannot be, or was asked not to be, in a torrent.
type Skipped struct {
	Path   string
	Reason string
}

// Scan walks a file or directory. Files come in the byte order of their path
// components, so that the same content gives the same torrent everywhere.
//
// Devices, pipes, sockets and state directories of this package are skipped and
// reported; so is what matches one of the exclude patterns (path.Match): one
// without a slash is held against every component, one with a slash against the
// path below the directory. Empty directories cannot be told in a torrent and
// vanish. A symlink must point at something that the torrent has, else it is an
// ErrLink. What cannot be read is an error.
func Scan(ctx context.Context, root string, exclude []string) (*Tree, error) {
	for _, glob := range exclude {
		if _, err := path.Match(glob, ""); err != nil {
			return nil, fmt.Errorf("exclude pattern %q: %w", glob, err)
		}
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	t := &Tree{Dir: filepath.Dir(abs), Name: filepath.Base(abs)}
	if !validName(t.Name) {
		return nil, fmt.Errorf("%s has no name of its own", abs)
	}
	fi, err := os.Stat(abs)
	if err != nil {
		return nil, err
	}
	if fi.Mode().IsRegular() {
		t.add(t.Name, fi)
		return t, nil
	}
	if !fi.IsDir() {
		return nil, fmt.Errorf("%s: %w", abs, errNotRegular)
	}
	dir, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	err = fs.WalkDir(dir.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || p == "." {
			return err
		}
		return t.visit(dir, p, d, exclude)
	})
	if err == nil {
		err = t.checkLinks()
	}
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", abs, err)
	}
	return t, nil
}

// visit takes or skips one entry below the directory.
func (t *Tree) visit(dir *os.Root, p string, d fs.DirEntry, exclude []string) error {
	skip := func(reason string) error {
		t.Skipped = append(t.Skipped, Skipped{Path: t.Name + "/" + p, Reason: reason})
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if excluded(p, exclude) {
		return skip("excluded")
	}
	if d.IsDir() {
		if d.Name() == stateName {
			return skip("state directory")
		}
		return nil
	}
	if d.Type()&fs.ModeSymlink != 0 {
		return t.link(dir, p)
	}
	fi, err := dir.Stat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return skip("vanished")
	case err != nil:
		return err
	case !fi.Mode().IsRegular():
		return skip("not a regular file")
	}
	t.add(t.Name+"/"+p, fi)
	return nil
}

func (t *Tree) add(p string, fi fs.FileInfo) {
	t.Files = append(t.Files, ScannedFile{Path: p, Length: fi.Size(), ModTime: fi.ModTime(), Exec: fi.Mode()&0o100 != 0})
	t.Total += fi.Size()
}

// excluded reports whether a pattern matches p. Directories above p have been
// asked before.
func excluded(p string, globs []string) bool {
	for _, glob := range globs {
		subject := path.Base(p)
		if strings.Contains(glob, "/") {
			subject = p
		}
		if ok, _ := path.Match(strings.Trim(glob, "/"), subject); ok {
			return true
		}
	}
	return false
}
