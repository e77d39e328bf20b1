package metainfo

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"starling/internal/benc"
)

// setAttr reads BEP 47's attributes, letters of which those that are not known
// mean nothing, and reports whether the file is a symbolic link.
func (f *File) setAttr(raw []byte) (link bool) {
	attr, _ := benc.Bytes(raw)
	f.Pad = bytes.IndexByte(attr, 'p') >= 0
	f.Exec = bytes.IndexByte(attr, 'x') >= 0
	f.Hidden = bytes.IndexByte(attr, 'h') >= 0
	return bytes.IndexByte(attr, 'l') >= 0
}

// Attr returns the file's attributes as BEP 47 writes them, letters in the order
// of the alphabet: h hidden, l symbolic link, p padding, x executable.
func (f *File) Attr() string {
	var b []byte
	for _, a := range []struct {
		set    bool
		letter byte
	}{{f.Hidden, 'h'}, {f.Symlink != nil, 'l'}, {f.Pad, 'p'}, {f.Exec, 'x'}} {
		if a.set {
			b = append(b, a.letter)
		}
	}
	return string(b)
}

// setLength reads a length, which only a symbolic link may leave out.
func (f *File) setLength(raw []byte, link bool) error {
	n, ok := benc.Int(raw)
	switch {
	case link && raw == nil:
		return nil
	case !ok || n < 0:
		return fmt.Errorf("its length is missing or not in 0..%d", int64(math.MaxInt64))
	}
	f.Length = n
	return nil
}

// setTarget reads where a symbolic link points.
func (f *File) setTarget(raw []byte) (err error) {
	f.Symlink, err = pathList("symlink path", raw)
	return err
}

// linkFault says what is wrong with a symbolic link of a torrent called name.
// Its target needs the rules of any path, which cannot leave the torrent.
func linkFault(name string, f *File) error {
	switch {
	case len(f.Symlink) == 0:
		return errors.New("the symbolic link points nowhere")
	case f.Length != 0:
		return errors.New("a symbolic link has no content")
	case f.Pad:
		return errors.New("padding is no symbolic link")
	}
	if why := pathFault(name, f.Symlink); why != nil {
		return fmt.Errorf("its target %s: %w", quote(joinPath(name, f.Symlink)), why)
	}
	return nil
}

// padPath is the path that BEP 47 recommends for a pad. It may be left out.
func padPath(length int64) []string { return []string{".pad", strconv.FormatInt(length, 10)} }

// pathList reads a list of components.
func pathList(what string, raw []byte) ([]string, error) {
	n := 0
	for range benc.List(raw) {
		n++
	}
	if n == 0 {
		return nil, fmt.Errorf("its %s is missing or empty", what)
	}
	if n >= MaxPathDepth {
		return nil, errPathDeep // before room is made for it
	}
	list := make([]string, 0, n)
	for v := range benc.List(raw) {
		c, ok := benc.Bytes(v)
		if !ok {
			return nil, fmt.Errorf("its %s holds something that is not a string", what)
		}
		list = append(list, string(c))
	}
	return list, nil
}
