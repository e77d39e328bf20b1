package metainfo

import (
	"cmp"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"starling/metainfo/merkle"
)

// Builder makes a Torrent: NewBuilder fixes the files and their order, the
// caller hashes the pieces of that content and gives them to SetPiece,
// SetPieceRoot or both, Torrent puts it together. The same input makes the same
// bytes.
type Builder struct {
	// Private is BEP 27's flag. It is part of the infohash.
	Private bool

	info Info
	// roots are the roots of the pieces of a v2 side.
	roots []merkle.Hash
	given [2][]bool // by side and piece; bools, so that different pieces do not race
}

// NewBuilder is NewBuilderOf for a torrent of v1.
func NewBuilder(name string, files []File, pieceLength int64) (*Builder, error) {
	return NewBuilderOf(V1, name, files, pieceLength)
}

// NewBuilderOf starts a torrent called name. With one file whose Path is nil it
// is a torrent of that file, else name is the directory of the files, which are
// put in the order of their paths; a hybrid gets padding between them. Of each
// file Path, Length, Exec, Hidden and Symlink are read. pieceLength is in bytes;
// 0 lets AutoPieceLength choose. The error is an *Error.
func NewBuilderOf(format Format, name string, files []File, pieceLength int64) (*Builder, error) {
	if len(files) == 0 || len(files) > MaxFiles {
		return nil, bad("info.files", "%d files are not in 1..%d", len(files), MaxFiles)
	}
	if format != V2 {
		if err := checkSHA1(); err != nil {
			return nil, err
		}
	}
	in := Info{MetaVersion: 1, Name: name, Multi: len(files) > 1 || files[0].Path != nil}
	if format != V1 {
		in.MetaVersion = 2
	}
	list := make([]File, len(files))
	var total int64
	for i, f := range files {
		if f.Length < 0 || f.Length > math.MaxInt64-total {
			return nil, bad("info.files", "%s: a length of %d makes no sum", quote(joinPath(name, f.Path)), f.Length)
		}
		total += f.Length
		list[i] = File{Path: f.Path, Length: f.Length, Exec: f.Exec, Hidden: f.Hidden, Symlink: f.Symlink}
	}
	if total == 0 {
		return nil, bad("info", "there is no content: the files are all empty")
	}
	slices.SortStableFunc(list, func(a, b File) int { return slices.Compare(a.Path, b.Path) })
	in.PieceLength = cmp.Or(pieceLength, AutoPieceLength(total))
	if err := checkPieceLength(in.PieceLength); err != nil {
		return nil, err
	}
	if err := in.layOut(format, list); err != nil {
		return nil, err
	}
	if err := CheckFiles(name, in.Files); err != nil {
		return nil, err
	}
	if format == V2 && in.Multi && len(list) == 1 && len(list[0].Path) == 1 {
		return nil, bad("info.file tree", "v2 cannot tell a directory of one file from that file: make a torrent of the file, or a hybrid")
	}
	return newBuilder(format, &in)
}

func newBuilder(format Format, in *Info) (*Builder, error) {
	total := in.TotalLength()
	pieces := (total-1)/in.PieceLength + 1
	if pieces > MaxPieces {
		return nil, bad("info.piece length", "%d bytes in pieces of %d are %d pieces, more than %d", total, in.PieceLength, pieces, MaxPieces)
	}
	b := &Builder{info: *in}
	if format != V2 {
		b.info.Pieces = make([]byte, pieces*int64(len(Hash{})))
		b.given[0] = make([]bool, pieces)
	}
	if format != V1 {
		b.roots = make([]merkle.Hash, pieces)
		b.given[1] = make([]bool, pieces)
	}
	return b, nil
}

// layOut sets the files with their offsets, and the padding of a hybrid: before
// each file with content that would not begin at a piece.
func (in *Info) layOut(format Format, files []File) error {
	tooLong := bad("info.files", "the sum of the lengths is over 63 bits")
	in.Files = make([]File, 0, len(files))
	var end int64
	for _, f := range files {
		if rest := end % in.PieceLength; format != V1 && f.Length > 0 && rest > 0 {
			gap := in.PieceLength - rest
			if gap > math.MaxInt64-end {
				return tooLong
			}
			if format == Hybrid {
				in.Files = append(in.Files, File{Path: padPath(gap), Length: gap, Offset: end, Pad: true})
			}
			end += gap
		}
		if f.Length > math.MaxInt64-end {
			return tooLong
		}
		f.Offset = end
		end += f.Length
		in.Files = append(in.Files, f)
	}
	if len(in.Files) > MaxFiles {
		return bad("info.files", "with padding %d files are more than %d", len(in.Files), MaxFiles)
	}
	return nil
}

// Info returns the content to hash: files in order with their offsets, piece
// length and number of pieces. The caller must not change it.
func (b *Builder) Info() *Info { return &b.info }

// SetPiece gives the SHA-1 of piece i, with its padding, for a v1 side. Calls
// for different pieces may be made at the same time, as those of SetPieceRoot.
func (b *Builder) SetPiece(i int, h Hash) {
	copy(b.info.Pieces[i*len(h):], h[:])
	b.given[0][i] = true
}

// SetPieceRoot gives for a v2 side the root of the blocks of piece i, without
// padding files, in a merkle tree of Info.PieceHeight.
func (b *Builder) SetPieceRoot(i int, root [32]byte) {
	b.roots[i] = root
	b.given[1][i] = true
}

// HashReader reads the whole content without padding, the files one after
// another, from r and sets every piece, one after another and on the caller's
// goroutine. It returns the error of r, io.ErrUnexpectedEOF if r ends early.
func (b *Builder) HashReader(r io.Reader) error {
	in := &b.info
	buf := make([]byte, min(in.TotalLength(), in.PieceLength))
	for i := range in.NumPieces() {
		data := buf[:in.PieceDataSize(i)]
		if _, err := io.ReadFull(r, data); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("hash piece %d: %w", i, err)
		}
		if b.roots != nil {
			var h merkle.Hasher
			h.Write(data)
			b.SetPieceRoot(i, h.Root(in.PieceHeight(i)))
		}
		if in.HasV1() {
			piece := buf[:in.PieceSize(i)]
			clear(piece[len(data):])
			b.SetPiece(i, sha1.Sum(piece))
		}
	}
	return nil
}

// Torrent returns the torrent of the pieces given, every one of which must have
// been. Its outer fields (Announce, Comment, CreationDate ...) are the caller's
// to set before Marshal. What it returns, Parse accepts.
func (b *Builder) Torrent() (*Torrent, error) {
	for _, given := range b.given {
		if i := slices.Index(given, false); i >= 0 {
			return nil, fmt.Errorf("metainfo: piece %d has no hash", i)
		}
	}
	layers := b.setRoots()
	t, err := ParseInfo(b.appendInfo(nil))
	if err != nil {
		return nil, err
	}
	t.PieceLayers = layers
	return t, nil
}

// setRoots sets the root of each file, and returns the piece layers.
func (b *Builder) setRoots() map[[32]byte][]byte {
	in := &b.info
	if b.roots == nil {
		return nil
	}
	var layers map[[32]byte][]byte
	for i := range in.Files {
		f := &in.Files[i]
		if f.Length == 0 || f.Pad {
			continue
		}
		first := f.Offset / in.PieceLength
		if f.Length <= in.PieceLength {
			f.PiecesRoot = b.roots[first]
			continue
		}
		layer := make([]byte, 0, in.layerLen(i))
		for _, h := range b.roots[first : first+int64(cap(layer)/merkle.Size)] {
			layer = append(layer, h[:]...)
		}
		f.PiecesRoot = merkle.Root(layer, in.pieceLayer())
		if layers == nil {
			layers = make(map[[32]byte][]byte)
		}
		layers[f.PiecesRoot] = layer
	}
	return layers
}
