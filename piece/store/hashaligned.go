package store

import (
	"context"
	"crypto/sha1"
	"fmt"
	"math"
	"os"

	"starling/metainfo/merkle"
)

// AlignedPiece is what HashAligned says of a piece.
type AlignedPiece struct {
	Root merkle.Hash     // of its blocks
	SHA1 [sha1.Size]byte // with the zeros after the end of a file; zero if not asked for
}

// HashAligned hashes a tree each of whose files, unless empty, begins at a piece,
// as BitTorrent v2 wants it: each byte is read once, also where withSHA1 asks for
// the hashes of a hybrid too. The root of a piece is that of a tree of
// pieceLength, of a file shorter than that of the file's own. pieceLength is in
// bytes, a power of two; workers 0 means one for each core. Memory does not
// depend on the tree's size but for the result. progress may be nil. A file that
// is not, or does not stay, as Scan saw it is an ErrChanged.
func HashAligned(ctx context.Context, t *Tree, pieceLength int64, withSHA1 bool, workers int, progress func(doneBytes int64)) ([]AlignedPiece, error) {
	lay, index, err := alignedLayout(t, pieceLength, withSHA1)
	if err != nil {
		return nil, err
	}
	src, err := openSource(t)
	if err != nil {
		return nil, err
	}
	defer src.close()
	out := make([]AlignedPiece, lay.pieces)
	run := hashRun{
		lay: lay, workers: workers, progress: progress,
		handles: newHandles(openFiles(), func(i int, create bool) (*os.File, error) { return src.open(index[i], create) }),
		result: func(r *pieceResult) error {
			out[r.piece] = AlignedPiece{Root: r.sums.v2, SHA1: r.sums.v1}
			return r.err
		},
	}
	defer run.handles.drop(true)
	if err := src.hash(ctx, &run); err != nil {
		return nil, err
	}
	return out, nil
}

// alignedLayout lays a tree out, with padding between the files of a hybrid.
// index is the tree's file of each file of the layout.
func alignedLayout(t *Tree, pieceLength int64, hybrid bool) (lay *layout, index []int, err error) {
	if pieceLength < merkle.BlockSize || pieceLength&(pieceLength-1) != 0 {
		return nil, nil, fmt.Errorf("piece length %d", pieceLength)
	}
	lay = &layout{v1: hybrid, v2: true, pieceLen: pieceLength}
	add := func(i int, f fileInfo) {
		f.off = lay.total
		lay.total += f.length
		lay.files, index = append(lay.files, f), append(index, i)
	}
	for i, f := range t.Files {
		if rest := lay.total % pieceLength; f.Length > 0 && rest > 0 {
			if hybrid {
				add(-1, fileInfo{length: pieceLength - rest, pad: true})
				lay.pads = true
			} else {
				lay.total += pieceLength - rest
			}
		}
		if f.Length > math.MaxInt64-pieceLength-lay.total {
			return nil, nil, fmt.Errorf("%s: length %d", f.Path, f.Length)
		}
		add(i, fileInfo{path: f.Path, length: f.Length, inPlace: true})
	}
	pieces := (lay.total + pieceLength - 1) / pieceLength
	if pieces > math.MaxInt32 {
		return nil, nil, fmt.Errorf("piece length %d for %d bytes", pieceLength, lay.total)
	}
	lay.pieces = int(pieces)
	return lay, index, nil
}
