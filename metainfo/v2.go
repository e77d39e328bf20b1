package metainfo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"starling/internal/benc"
)

// A file tree names a directory once, however many files it has, so that a small
// one can stand for much: these bound what becomes of it.
const (
	maxTreeParts = 3_000_000 // components of all paths together
	maxTreeBytes = MaxSize   // of all paths together
)

// treeReader reads BEP 52's file tree in one pass. The tree has been scanned:
// what it reads is well formed and not too deep for recursion.
type treeReader struct {
	name  string
	files []File
	path  []string // of the directory it is in
	bytes int      // of path
	// parts and size are those of all paths so far.
	parts, size int
}

// parseFileTree returns the files of the tree, in its order. Of what it returns,
// only paths are to be checked further.
func parseFileTree(name string, raw []byte) ([]File, error) {
	const field = "info.file tree"
	if !benc.IsDict(raw) {
		return nil, bad(field, "missing or not a dictionary")
	}
	r := treeReader{name: name}
	if _, err := r.dir(raw); err != nil {
		return nil, bad(field, "%s: %w", quote(joinPath(name, r.path)), err)
	}
	if len(r.files) == 0 {
		return nil, bad(field, "there are no files")
	}
	return r.files, nil
}

// dir reads the dictionary that b begins with and returns its length. After an
// error, path is where it happened.
func (r *treeReader) dir(b []byte) (int, error) {
	i := 1
	for b[i] != 'e' {
		key, n := stringAt(b[i:])
		i += n
		switch {
		case len(key) == 0:
			return 0, errors.New("it is both a file and a directory")
		case b[i] != 'd':
			return 0, fmt.Errorf("%s is not a dictionary", quote(string(key)))
		case len(r.path)+1 >= MaxPathDepth:
			return 0, errPathDeep
		}
		r.path = append(r.path, string(key))
		r.bytes += 1 + len(key)
		var err error
		if bytes.HasPrefix(b[i:], []byte("d0:")) {
			n, err = r.leaf(b[i:])
		} else {
			n, err = r.dir(b[i:])
		}
		if err != nil {
			return 0, err
		}
		i += n
		r.bytes -= 1 + len(key)
		r.path = r.path[:len(r.path)-1]
	}
	return i + 1, nil
}

// leaf reads the dictionary of a file, which has one key.
func (r *treeReader) leaf(b []byte) (int, error) {
	begin := len("d0:")
	if b[begin] != 'd' {
		return 0, errors.New("what it says of a file is not a dictionary")
	}
	f, n, err := r.file(b[begin:])
	if err != nil {
		return 0, err
	}
	if b[begin+n] != 'e' {
		return 0, errors.New("it is both a file and a directory")
	}
	r.parts += len(r.path)
	r.size += len(r.name) + r.bytes
	switch {
	case len(r.files) == MaxFiles:
		return 0, fmt.Errorf("there are more than %d files", MaxFiles)
	case r.parts > maxTreeParts || r.size > maxTreeBytes:
		return 0, errors.New("the paths of all files together are too long")
	}
	f.Path = slices.Clone(r.path)
	r.files = append(r.files, f)
	return begin + n + 1, nil
}

// file reads what is said of a file and returns the length of that.
func (r *treeReader) file(b []byte) (f File, n int, err error) {
	var d fileDict
	var root []byte
	n = 2 // the letters at both ends
	for key, v := range benc.Dict(b) {
		n += keyLen(key) + len(v)
		if string(key) == "pieces root" {
			root = v
		}
		d.note(key, v)
	}
	if err := f.setKind(&d); err != nil {
		return f, 0, err
	}
	if f.Pad {
		return f, 0, errors.New("it is padding, which has no place in a file tree")
	}
	return f, n, f.setRoot(root)
}

// setRoot reads the root of the file's blocks, which a file has unless it is
// empty.
func (f *File) setRoot(raw []byte) error {
	if raw == nil && f.Length == 0 {
		return nil
	}
	b, ok := benc.Bytes(raw)
	switch {
	case !ok || len(b) != len(f.PiecesRoot):
		return errors.New("its pieces root is missing or not of 32 bytes")
	case f.Length == 0:
		return errors.New("it has a pieces root, but is empty")
	}
	f.PiecesRoot = [32]byte(b)
	if f.PiecesRoot == ([32]byte{}) {
		return errors.New("its pieces root is zero")
	}
	return nil
}

// stringAt returns the string that b begins with, and the length of its
// encoding.
func stringAt(b []byte) (s []byte, n int) {
	size := 0
	for ; b[n] != ':'; n++ {
		size = size*10 + int(b[n]-'0')
	}
	n++
	return b[n : n+size], n + size
}

// keyLen is the length of an encoded string.
func keyLen(s []byte) int {
	n := len(":") + len(s) + 1
	for k := len(s); k >= 10; k /= 10 {
		n++
	}
	return n
}

// setV2 takes the files of a torrent without a v1 side: each that is not empty
// begins at a piece.
func (in *Info) setV2(files []File) error {
	// A tree of one file and no directory is that file, by BEP 52, whatever the
	// torrent is called.
	in.Multi = len(files) > 1 || len(files[0].Path) > 1
	if !in.Multi {
		in.Name, files[0].Path = files[0].Path[0], nil
	}
	in.Files = files
	if err := CheckFiles(in.Name, in.Files); err != nil {
		return bad("info", "%w", err)
	}
	var pieces, end int64
	for i := range in.Files {
		f := &in.Files[i]
		f.Offset = end
		if f.Length == 0 {
			continue
		}
		f.Offset = pieces * in.PieceLength
		n := (f.Length-1)/in.PieceLength + 1
		if n > MaxPieces-pieces {
			return bad("info.file tree", "there are more than %d pieces of %d", MaxPieces, in.PieceLength)
		}
		pieces += n
		end = f.Offset + f.Length
	}
	if end == 0 {
		return bad("info", "there is no content: the files are all empty")
	}
	return nil
}

// join holds the v1 files of a hybrid against those of its tree: but for the
// padding they must be the same, and each that is not empty at its piece.
func (in *Info) join(tree []File) error {
	const field = "info.file tree"
	if !in.Multi && len(tree) == 1 && len(tree[0].Path) == 1 && tree[0].Path[0] == in.Name {
		tree[0].Path = nil
	}
	var pieces int64
	for i := range in.Files {
		f := &in.Files[i]
		if f.Pad {
			continue
		}
		if len(tree) == 0 {
			return bad(field, "%s is a file of v1 alone", quote(in.FilePath(i)))
		}
		if why := differ(f, &tree[0]); why != "" {
			return bad(field, "v1 has %s where v2 has %s: not the same %s",
				quote(in.FilePath(i)), quote(joinPath(in.Name, tree[0].Path)), why)
		}
		f.PiecesRoot, tree = tree[0].PiecesRoot, tree[1:]
		if f.Length == 0 {
			continue
		}
		if f.Offset != pieces*in.PieceLength {
			return bad("info.files", "%s does not begin where its piece does, at %d", quote(in.FilePath(i)), pieces*in.PieceLength)
		}
		pieces += (f.Length-1)/in.PieceLength + 1
	}
	switch {
	case len(tree) > 0:
		return bad(field, "%s is a file of v2 alone", quote(joinPath(in.Name, tree[0].Path)))
	case pieces != int64(in.NumPieces()):
		return bad("info.pieces", "there are %d in v1, but %d in v2", in.NumPieces(), pieces)
	}
	return nil
}

// differ names what two descriptions of one file do not agree on.
func differ(a, b *File) string {
	switch {
	case !slices.Equal(a.Path, b.Path):
		return "path"
	case a.Length != b.Length:
		return "length"
	case !slices.Equal(a.Symlink, b.Symlink):
		return "link"
	case a.Exec != b.Exec || a.Hidden != b.Hidden:
		return "attributes"
	}
	return ""
}
