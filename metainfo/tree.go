package metainfo

import (
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// CheckFiles says whether a torrent called name may have these files: every
// component and path by the rules of CheckComponent and CleanPath, and the tree
// as a whole. No two files may have one path, also not on a system that takes
// upper and lower case for the same, and none may be where a directory must be.
// A single file has a nil Path. The error is an *Error.
//
// A symbolic link is a file: nothing may be below it. Its target passes the same
// rules, and so is in the torrent's directory if it is anywhere.
//
// Letters that Unicode can write in two ways (a composed and a decomposed "é")
// are not taken for the same.
func CheckFiles(name string, files []File) error {
	if err := CheckComponent(name); err != nil {
		return err
	}
	t := tree{nodes: make(map[edge]node, len(files))}
	for i := range files {
		f := &files[i]
		why := pathFault(name, f.Path)
		if len(f.Path) == 0 && len(files) > 1 {
			why = errNoPath
		}
		if why == nil && f.Symlink != nil {
			why = linkFault(name, f)
		}
		if why == nil {
			why = t.add(f)
		}
		if why != nil {
			return &Error{"path", fmt.Sprintf("file %d %s", i, quote(joinPath(name, f.Path))), why}
		}
	}
	return nil
}

func pathFault(name string, below []string) error {
	if len(below)+1 > MaxPathDepth {
		return errPathDeep
	}
	n := len(name)
	for _, c := range below {
		if why := componentFault(c); why != "" {
			return errors.New(why)
		}
		n += 1 + len(c)
	}
	if n > MaxPath {
		return errPathLong
	}
	return nil
}

// tree is the paths so far, a node for each component below the torrent's name.
// Nodes are found from their parent and not by their whole path, which would
// take the product of depth and length for every file of a hostile torrent.
type tree struct {
	nodes map[edge]node
	dirs  int // made so far; the root is directory 0
	// last is the directory of the last file and lastID its number. Files
	// mostly come directory by directory, so most need one look-up.
	last   []string
	lastID int
	fold   []byte
}

// edge is a name, folded, in a directory.
type edge struct {
	dir  int
	name string
}

type node struct {
	// dir is a directory's number, 0 for a file.
	dir int
	// pad is the length of a pad file, -1 for others.
	pad int64
}

var (
	errNoPath    = errors.New("the path is empty")
	errPathTwice = errors.New("another file has this path, perhaps in other case")
	errPathBoth  = errors.New("the path is that of a file and of a directory")
)

func (t *tree) add(f *File) error {
	if len(f.Path) == 0 {
		return nil // alone, in a torrent of a single file
	}
	above, base := f.Path[:len(f.Path)-1], f.Path[len(f.Path)-1]
	if !slices.Equal(above, t.last) {
		dir := 0
		for _, c := range above {
			n := t.put(dir, c, node{dir: t.dirs + 1})
			if n.dir == 0 {
				return errPathBoth
			}
			dir = n.dir
			t.dirs = max(t.dirs, dir)
		}
		t.last, t.lastID = above, dir
	}
	n := node{pad: -1}
	if f.Pad {
		n.pad = f.Length
	}
	before := len(t.nodes)
	switch old := t.put(t.lastID, base, n); {
	case len(t.nodes) > before:
		return nil
	case old.dir != 0:
		return errPathBoth
	case n.pad < 0 || old.pad != n.pad:
		return errPathTwice
	}
	return nil
}

// put returns the node called name in dir, which is n if there was none.
func (t *tree) put(dir int, name string, n node) node {
	t.fold = appendFold(t.fold[:0], name)
	if old, ok := t.nodes[edge{dir, string(t.fold)}]; ok {
		return old
	}
	t.nodes[edge{dir, string(t.fold)}] = n
	return n
}

// appendFold appends s with each letter replaced by the least of those that
// simple case folding takes for the same.
func appendFold(dst []byte, s string) []byte {
	for _, r := range s {
		least := r
		if r < utf8.RuneSelf {
			if 'a' <= r && r <= 'z' {
				least = r - 'a' + 'A'
			}
			dst = append(dst, byte(least))
			continue
		}
		for q := unicode.SimpleFold(r); q != r; q = unicode.SimpleFold(q) {
			least = min(least, q)
		}
		dst = utf8.AppendRune(dst, least)
	}
	return dst
}
