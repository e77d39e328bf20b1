package metainfo

import (
	"cmp"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"starling/internal/benc"
)

// Builder makes a Torrent: NewBuilder fixes the files and their order, the
// caller hashes the pieces of that content and gives them to SetPiece, Torrent
// puts it together. The same input makes the same bytes.
type Builder struct {
	// Private is BEP 27's flag. It is part of the infohash.
	Private bool

	info  Info
	given []bool // by piece; bools, so that different pieces do not race
}

// NewBuilder starts a torrent called name. With one file whose Path is nil it
// is a torrent of that file, else name is the directory of the files, which are
// put in the order of their paths. Of each file only Path and Length are read.
// pieceLength is in bytes; 0 lets AutoPieceLength choose. The error is an
// *Error.
func NewBuilder(name string, files []File, pieceLength int64) (*Builder, error) {
	if len(files) == 0 || len(files) > MaxFiles {
		return nil, bad("info.files", "%d files are not in 1..%d", len(files), MaxFiles)
	}
	in := Info{Name: name, Files: make([]File, len(files))}
	for i, f := range files {
		in.Files[i] = File{Path: f.Path, Length: f.Length}
	}
	in.Multi = len(files) > 1 || files[0].Path != nil
	slices.SortStableFunc(in.Files, func(a, b File) int { return slices.Compare(a.Path, b.Path) })
	if err := CheckFiles(name, in.Files); err != nil {
		return nil, err
	}
	var total int64
	for i := range in.Files {
		f := &in.Files[i]
		if f.Length < 0 || f.Length > math.MaxInt64-total {
			return nil, bad("info.files", "%s: a length of %d makes no sum", quote(in.FilePath(i)), f.Length)
		}
		f.Offset = total
		total += f.Length
	}
	if total == 0 {
		return nil, bad("info", "there is no content: the files are all empty")
	}
	in.PieceLength = cmp.Or(pieceLength, AutoPieceLength(total))
	if err := checkPieceLength(in.PieceLength); err != nil {
		return nil, err
	}
	pieces := (total-1)/in.PieceLength + 1
	if pieces > MaxPieces {
		return nil, bad("info.piece length", "%d bytes in pieces of %d are %d pieces, more than %d", total, in.PieceLength, pieces, MaxPieces)
	}
	in.Pieces = make([]byte, pieces*int64(len(Hash{})))
	return &Builder{info: in, given: make([]bool, pieces)}, nil
}

// Info returns the content to hash: files in order with their offsets, piece
// length and number of pieces. The caller must not change it.
func (b *Builder) Info() *Info { return &b.info }

// SetPiece gives the SHA-1 of piece i. Calls for different pieces may be made at
// the same time.
func (b *Builder) SetPiece(i int, h Hash) {
	copy(b.info.Pieces[i*len(h):], h[:])
	b.given[i] = true
}

// HashReader reads the whole content, the files one after another, from r and
// sets every piece, one after another and on the caller's goroutine. It returns
// the error of r, io.ErrUnexpectedEOF if r ends early.
func (b *Builder) HashReader(r io.Reader) error {
	left := b.info.TotalLength()
	buf := make([]byte, min(left, b.info.PieceLength))
	for i := range b.given {
		piece := buf[:min(left, int64(len(buf)))]
		if _, err := io.ReadFull(r, piece); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("hash piece %d: %w", i, err)
		}
		b.SetPiece(i, sha1.Sum(piece))
		left -= int64(len(piece))
	}
	return nil
}

// Torrent returns the torrent of the pieces given, every one of which must have
// been. Its outer fields (Announce, Comment, CreationDate ...) are the caller's
// to set before Marshal. What it returns, Parse accepts.
func (b *Builder) Torrent() (*Torrent, error) {
	if i := slices.Index(b.given, false); i >= 0 {
		return nil, fmt.Errorf("metainfo: piece %d has no hash", i)
	}
	raw := b.appendInfo(nil)
	info, hash, err := ParseInfo(raw)
	if err != nil {
		return nil, err
	}
	return &Torrent{Info: *info, InfoBytes: raw, InfoHash: hash}, nil
}

// appendInfo appends the info dictionary, its keys in byte order.
func (b *Builder) appendInfo(dst []byte) []byte {
	in := &b.info
	dst = append(dst, 'd')
	if in.Multi {
		dst = append(benc.AppendString(dst, "files"), 'l')
		for i := range in.Files {
			dst = benc.AppendString(append(dst, 'd'), "length")
			dst = benc.AppendInt(dst, in.Files[i].Length)
			dst = benc.AppendString(dst, "path")
			dst = append(appendStrings(dst, in.Files[i].Path), 'e')
		}
		dst = append(dst, 'e')
	} else {
		dst = benc.AppendString(dst, "length")
		dst = benc.AppendInt(dst, in.Files[0].Length)
	}
	dst = benc.AppendString(dst, "name")
	dst = benc.AppendString(dst, in.Name)
	dst = benc.AppendString(dst, "piece length")
	dst = benc.AppendInt(dst, in.PieceLength)
	dst = benc.AppendString(dst, "pieces")
	dst = benc.AppendBytes(dst, in.Pieces)
	if b.Private {
		dst = benc.AppendString(dst, "private")
		dst = benc.AppendInt(dst, 1)
	}
	return append(dst, 'e')
}
