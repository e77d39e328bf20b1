package metainfo

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"starling/internal/benc"
)

// parseInfo reads a scanned info dictionary.
func parseInfo(raw []byte) (*Info, error) {
	if !benc.IsDict(raw) {
		return nil, bad("info", "it is not a dictionary")
	}
	var in Info
	var name, length, files, pieces, version []byte
	var err error
	for key, v := range benc.Dict(raw) {
		switch string(key) {
		case "name":
			name = v
		case "length":
			length = v
		case "files":
			files = v
		case "pieces":
			pieces = v
		case "meta version":
			version = v
		case "piece length":
			if in.PieceLength, err = number("info.piece length", v, math.MaxInt64); err != nil {
				return nil, err
			}
		case "private":
			// BEP 27 says 1. Any other number but 0 is taken for it too:
			// the error on that side does not tell strangers.
			n, ok := benc.Int(v)
			if !ok {
				return nil, bad("info.private", "it is not an integer")
			}
			in.Private = n != 0
		}
	}
	if pieces == nil && version != nil {
		return nil, bad("info", "it is for BitTorrent v2 only, which is not supported")
	}
	if err := checkPieceLength(in.PieceLength); err != nil {
		return nil, err
	}
	if name == nil {
		return nil, bad("info.name", "missing")
	}
	if in.Name, err = text("info.name", name); err != nil {
		return nil, err
	}
	if err := in.setFiles(length, files); err != nil {
		return nil, err
	}
	if err := in.setPieces(pieces); err != nil {
		return nil, err
	}
	return &in, nil
}

// setFiles reads the content of either form: one length, or a list of files.
func (in *Info) setFiles(length, files []byte) error {
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

func parseFile(raw []byte) (File, error) {
	var f File
	if !benc.IsDict(raw) {
		return f, errors.New("it is not a dictionary")
	}
	var length, path, attr []byte
	for key, v := range benc.Dict(raw) {
		switch string(key) {
		case "length":
			length = v
		case "path":
			path = v
		case "attr":
			attr, _ = benc.Bytes(v)
		}
	}
	var ok bool
	if f.Length, ok = benc.Int(length); !ok || f.Length < 0 {
		return f, fmt.Errorf("its length is missing or not in 0..%d", int64(math.MaxInt64))
	}
	if bytes.IndexByte(attr, 'l') >= 0 {
		return f, errors.New("it is a symbolic link, which is not supported")
	}
	f.Pad = bytes.IndexByte(attr, 'p') >= 0
	if f.Pad && path == nil {
		// BEP 47 does not require a path of pads; this is its advice.
		f.Path = []string{".pad", strconv.FormatInt(f.Length, 10)}
		return f, nil
	}
	return f, f.setPath(path)
}

func (f *File) setPath(raw []byte) error {
	n := 0
	for range benc.List(raw) {
		n++
	}
	if n == 0 {
		return errors.New("its path is missing or empty")
	}
	if n >= MaxPathDepth {
		return errPathDeep // before room is made for it
	}
	f.Path = make([]string, 0, n)
	for v := range benc.List(raw) {
		c, ok := benc.Bytes(v)
		if !ok {
			return errors.New("its path holds something that is not a string")
		}
		f.Path = append(f.Path, string(c))
	}
	return nil
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
