package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Link is a symbolic link of a Tree.
type Link struct {
	Path string // with slashes; begins with the tree's name
	// Target is what it points at, as components below the tree's name; none
	// but the last of them is itself a link.
	Target []string
}

// ErrLink says that a symbolic link cannot be told in a torrent.
var ErrLink = errors.New("a symbolic link must point inside the torrent")

// maxHops is how many links may stand one behind another.
const maxHops = 40

// link takes the symbolic link p below the directory.
func (t *Tree) link(dir *os.Root, p string) error {
	target, err := resolveLink(dir, p)
	if err != nil {
		return err
	}
	t.Links = append(t.Links, Link{Path: t.Name + "/" + p, Target: target})
	return nil
}

// resolveLink returns the components below dir of what the link p points at,
// which must exist.
func resolveLink(dir *os.Root, p string) ([]string, error) {
	text, err := dir.Readlink(filepath.FromSlash(p))
	if err != nil {
		return nil, err
	}
	refuse := func(why string) ([]string, error) {
		return nil, fmt.Errorf("%w: %q points at %q, %s", ErrLink, p, text, why)
	}
	var at []string // where the walk has come to
	if above := path.Dir(p); above != "." {
		at = strings.Split(above, "/")
	}
	rest := []string{filepath.ToSlash(text)}
	for hops := 0; len(rest) > 0; {
		if path.IsAbs(rest[0]) || filepath.IsAbs(filepath.FromSlash(rest[0])) {
			return refuse("an absolute path")
		}
		first, more, cut := strings.Cut(rest[0], "/")
		if rest = rest[1:]; cut {
			rest = slices.Insert(rest, 0, strings.TrimLeft(more, "/"))
		}
		switch {
		case first == "" || first == ".":
			continue
		case first == ".." && len(at) == 0:
			return refuse("which is outside")
		case first == "..":
			at = at[:len(at)-1]
			continue
		}
		at = append(at, first)
		name := filepath.Join(at...)
		fi, err := dir.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return refuse("where nothing is")
		}
		if err != nil {
			return nil, err
		}
		if fi.Mode()&fs.ModeSymlink == 0 || !slices.ContainsFunc(rest, func(s string) bool { return s != "" }) {
			continue
		}
		// A link on the way stands for what it points at.
		if hops++; hops > maxHops {
			return refuse("through too many links")
		}
		through, err := dir.Readlink(name)
		if err != nil {
			return nil, err
		}
		at = at[:len(at)-1]
		rest = slices.Insert(rest, 0, filepath.ToSlash(through))
	}
	if len(at) == 0 {
		return refuse("the directory of the torrent itself")
	}
	return slices.Clone(at), nil
}

// checkLinks says whether all that the links point at is in the torrent: it may
// have been left out, or be an empty directory.
func (t *Tree) checkLinks() error {
	if len(t.Links) == 0 {
		return nil
	}
	there := make(map[string]bool)
	add := func(p string) {
		for ; p != t.Name && !there[p]; p = path.Dir(p) {
			there[p] = true
		}
	}
	for i := range t.Files {
		add(t.Files[i].Path)
	}
	for i := range t.Links {
		add(t.Links[i].Path)
	}
	for _, l := range t.Links {
		if !there[t.Name+"/"+strings.Join(l.Target, "/")] {
			return fmt.Errorf("%w: %q points at %q, which is left out", ErrLink, strings.TrimPrefix(l.Path, t.Name+"/"), strings.Join(l.Target, "/"))
		}
	}
	return nil
}
