package metainfo

import (
	"errors"
	"fmt"
	"math"

	"starling/internal/benc"
)

// infoKeys is the encoded values of an info dictionary, nil where there is none.
type infoKeys struct {
	version, name, pieceLength, private []byte
	length, files, pieces, attr         []byte // v1
	fileTree                            []byte // v2
}

func keysOf(raw []byte) (k infoKeys) {
	for key, v := range benc.Dict(raw) {
		switch string(key) {
		case "meta version":
			k.version = v
		case "name":
			k.name = v
		case "piece length":
			k.pieceLength = v
		case "private":
			k.private = v
		case "length":
			k.length = v
		case "files":
			k.files = v
		case "pieces":
			k.pieces = v
		case "attr":
			k.attr = v
		case "file tree":
			k.fileTree = v
		}
	}
	return k
}

// parseInfo reads a scanned info dictionary.
func parseInfo(raw []byte) (*Info, error) {
	if !benc.IsDict(raw) {
		return nil, bad("info", "it is not a dictionary")
	}
	k := keysOf(raw)
	in := &Info{MetaVersion: 1}
	// What is newer must be said before anything else is found fault with.
	if err := in.setVersion(k.version); err != nil {
		return nil, err
	}
	var err error
	if k.private != nil {
		// BEP 27 says 1. Any other number but 0 is taken for it too: the
		// error on that side does not tell strangers.
		n, ok := benc.Int(k.private)
		if !ok {
			return nil, bad("info.private", "it is not an integer")
		}
		in.Private = n != 0
	}
	if k.pieceLength != nil {
		if in.PieceLength, err = number("info.piece length", k.pieceLength, math.MaxInt64); err != nil {
			return nil, err
		}
	}
	if err := checkPieceLength(in.PieceLength); err != nil {
		return nil, err
	}
	if k.name == nil {
		return nil, bad("info.name", "missing")
	}
	if in.Name, err = text("info.name", k.name); err != nil {
		return nil, err
	}
	return in, in.setContent(&k)
}

func (in *Info) setVersion(raw []byte) error {
	if raw == nil {
		return nil
	}
	const field = "info.meta version"
	n, ok := benc.Int(raw)
	switch {
	case !ok:
		return bad(field, "it is not an integer")
	case n > 2:
		return bad(field, "it is %d, and no more than 2 is supported", n)
	case n < 2:
		return bad(field, "there is no %d", n)
	}
	in.MetaVersion = 2
	return nil
}

// setContent reads the files and the hashes of whatever sides there are.
func (in *Info) setContent(k *infoKeys) error {
	if !in.HasV2() {
		return in.setV1(k)
	}
	tree, err := parseFileTree(in.Name, k.fileTree)
	if err != nil {
		return err
	}
	if k.pieces == nil {
		if k.length != nil || k.files != nil {
			return bad("info.pieces", "missing, though there are files of v1")
		}
		return in.setV2(tree)
	}
	if err := in.setV1(k); err != nil {
		return err
	}
	return in.join(tree)
}

func (in *Info) setV1(k *infoKeys) error {
	if err := in.setFiles(k); err != nil {
		return err
	}
	return in.setPieces(k.pieces)
}

// setFiles reads the content of either form: one length, or a list of files.
func (in *Info) setFiles(k *infoKeys) error {
	length, files := k.length, k.files
	switch {
	case length != nil && files != nil:
		return bad("info", "it has both a length and files")
	case files != nil:
		in.Multi = true
		if err := in.parseFiles(files); err != nil {
			return err
		}
	case length != nil:
		n, err := number("info.length", length, math.MaxInt64)
		if err != nil {
			return err
		}
		in.Files = []File{{Length: n}}
		in.Files[0].setAttr(k.attr)
	default:
		return bad("info", "it has neither a length nor files")
	}
	if err := CheckFiles(in.Name, in.Files); err != nil {
		return bad("info", "%w", err)
	}
	return nil
}

func (in *Info) parseFiles(raw []byte) error {
	const field = "info.files"
	if !benc.IsList(raw) {
		return bad(field, "it is not a list")
	}
	n := 0
	for range benc.List(raw) {
		n++
	}
	if n == 0 || n > MaxFiles {
		return bad(field, "%d files are not in 1..%d", n, MaxFiles)
	}
	in.Files = make([]File, 0, n)
	var offset int64
	for v := range benc.List(raw) {
		f, err := parseFile(v)
		if err != nil {
			return bad(fmt.Sprintf("%s[%d]", field, len(in.Files)), "%w", err)
		}
		if f.Length > math.MaxInt64-offset {
			return bad(field, "the sum of the lengths is over 63 bits")
		}
		f.Offset = offset
		offset += f.Length
		in.Files = append(in.Files, f)
	}
	return nil
}

// fileDict is what v1 and v2 both say of a file, each value encoded.
type fileDict struct{ length, attr, target []byte }

// note takes a key of the dictionary.
func (d *fileDict) note(key, value []byte) {
	switch string(key) {
	case "length":
		d.length = value
	case "attr":
		d.attr = value
	case "symlink path":
		d.target = value
	}
}

// setKind reads the attributes, the length, and where a link leads.
func (f *File) setKind(d *fileDict) error {
	link := f.setAttr(d.attr)
	if err := f.setLength(d.length, link); err != nil || !link {
		return err
	}
	return f.setTarget(d.target)
}

func parseFile(raw []byte) (File, error) {
	var f File
	if !benc.IsDict(raw) {
		return f, errors.New("it is not a dictionary")
	}
	var d fileDict
	var path []byte
	for key, v := range benc.Dict(raw) {
		if string(key) == "path" {
			path = v
		}
		d.note(key, v)
	}
	if err := f.setKind(&d); err != nil {
		return f, err
	}
	if f.Pad && path == nil {
		f.Path = padPath(f.Length)
		return f, nil
	}
	var err error
	f.Path, err = pathList("path", path)
	return f, err
}

// setPieces checks the piece hashes against the lengths.
func (in *Info) setPieces(raw []byte) error {
	const field = "info.pieces"
	b, ok := benc.Bytes(raw)
	if !ok {
		return bad(field, "missing or not a string")
	}
	if len(b)%len(Hash{}) != 0 {
		return bad(field, "its length %d is not a multiple of 20", len(b))
	}
	total := in.TotalLength()
	if total == 0 {
		return bad("info", "there is no content: the files are all empty")
	}
	// Written so that it cannot overflow.
	want := (total-1)/in.PieceLength + 1
	if want > MaxPieces {
		return bad(field, "%d bytes in pieces of %d are %d pieces, more than %d", total, in.PieceLength, want, MaxPieces)
	}
	if have := int64(len(b) / len(Hash{})); have != want {
		return bad(field, "%d hashes, but %d bytes in pieces of %d are %d", have, total, in.PieceLength, want)
	}
	in.Pieces = b
	return nil
}
