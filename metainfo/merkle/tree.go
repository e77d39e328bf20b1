package merkle

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"
)

// Tree is what is known of one file's tree: the root, all or some of the hashes
// of its pieces, and the leaves of some pieces. It is not for several goroutines
// at a time.
type Tree struct {
	root   Hash
	blocks int64
	height int
	// base is the layer of the pieces; the root's for a file of one piece.
	base   int
	pieces int64
	// layers are the layers from base to the root, without padding. Those
	// above base are there once nothing of base is missing.
	layers  [][]byte
	known   []bool // by piece
	missing int64
	leaves  map[int64][]byte // by piece
}

// Why an answer is not taken.
var (
	ErrUnasked  = errors.New("not an answer to what may be asked")
	ErrUnproven = errors.New("no known hash to hold the answer against")
	ErrMismatch = errors.New("the hashes do not lead to the root")
)

// NewTree starts the tree of a file of length bytes, at least 1, in pieces of
// pieceLength, a power of two of at least BlockSize; package metainfo has bounded
// both. Of a file of one piece the root is the hash of the piece.
func NewTree(root Hash, length, pieceLength int64) *Tree {
	t := &Tree{root: root, blocks: Blocks(length), leaves: make(map[int64][]byte)}
	t.height = Height(t.blocks)
	t.base = min(t.height, bits.TrailingZeros64(uint64(pieceLength/BlockSize)))
	t.pieces = (t.blocks-1)>>t.base + 1
	t.layers = [][]byte{make([]byte, t.pieces*Size)}
	t.known, t.missing = make([]bool, t.pieces), t.pieces
	if t.height == t.base {
		t.fill(0, root[:])
	}
	return t
}

// Height returns the layer of the root, PieceLayer that of the pieces.
func (t *Tree) Height() int     { return t.height }
func (t *Tree) PieceLayer() int { return t.base }

// Complete reports whether the hash of every piece is known.
func (t *Tree) Complete() bool { return t.missing == 0 }

// Layer returns the hashes of the pieces; those that are not known are zero. It
// is not to be changed.
func (t *Tree) Layer() []byte { return t.layers[0] }

// SetLayer gives the hashes of all pieces, as a .torrent file has them. They are
// taken if they lead to the root.
func (t *Tree) SetLayer(hashes []byte) error {
	if int64(len(hashes)) != t.pieces*Size || fold(hashes, t.base, t.height) != t.root {
		return ErrMismatch
	}
	t.fill(0, hashes)
	return nil
}

// Piece returns the hash of piece i of the file and whether it is known.
func (t *Tree) Piece(i int64) (Hash, bool) {
	if i < 0 || i >= t.pieces || !t.known[i] {
		return Hash{}, false
	}
	return Hash(t.layers[0][i*Size:]), true
}

// SetLeaves gives the hashes of the blocks of piece i, and reports whether they
// lead to the piece's hash; only then they are kept.
func (t *Tree) SetLeaves(i int64, leaves []byte) bool {
	want, ok := t.Piece(i)
	if !ok || int64(len(leaves)) != t.blocksIn(i)*Size || fold(leaves, 0, t.base) != want {
		return false
	}
	t.leaves[i] = leaves
	return true
}

// Leaves returns the hashes of the blocks of piece i, nil if they are not known.
func (t *Tree) Leaves(i int64) []byte { return t.leaves[i] }

// DropLeaves forgets those of piece i.
func (t *Tree) DropLeaves(i int64) { delete(t.leaves, i) }

// blocksIn is how many blocks piece i has.
func (t *Tree) blocksIn(i int64) int64 { return min(1<<t.base, t.blocks-i<<t.base) }

// fill takes proven hashes of pieces, the first that of piece i.
func (t *Tree) fill(i int64, hashes []byte) {
	copy(t.layers[0][i*Size:], hashes)
	for n := int64(len(hashes)) / Size; n > 0 && i < t.pieces; i, n = i+1, n-1 {
		if !t.known[i] {
			t.known[i] = true
			t.missing--
		}
	}
	if t.missing > 0 || len(t.layers) > 1 {
		return
	}
	for layer := t.base; layer < t.height; layer++ {
		below := t.layers[layer-t.base]
		above := make([]byte, 0, (len(below)/Size+1)/2*Size)
		for ; len(below) > 0; below = below[min(2*Size, len(below)):] {
			h := fold(below[:min(2*Size, len(below))], layer, layer+1)
			above = append(above, h[:]...)
		}
		t.layers = append(t.layers, above)
	}
}

// node returns any hash of the tree and whether it is known.
func (t *Tree) node(layer int, index int64) (Hash, bool) {
	switch {
	case index<<layer >= t.blocks:
		return Pad(layer), true
	case layer == t.height:
		return t.root, true
	case layer == t.base:
		return t.Piece(index)
	case layer > t.base && t.Complete():
		return Hash(t.layers[layer-t.base][index*Size:]), true
	case layer > t.base:
		return Hash{}, false
	}
	piece := index >> (t.base - layer)
	leaves := t.leaves[piece]
	if leaves == nil {
		return Hash{}, false
	}
	first := index<<layer - piece<<t.base
	end := min(first+1<<layer, t.blocksIn(piece))
	return fold(leaves[first*Size:end*Size], 0, layer), true
}

// Answer returns the hashes that a request asks for, and false if it makes no
// sense or not all of them are known.
func (t *Tree) Answer(r Request) ([]byte, bool) {
	if r.Check(t.height) != nil {
		return nil, false
	}
	out := make([]byte, 0, r.Hashes()*Size)
	put := func(layer int, index int64) bool {
		h, ok := t.node(layer, index)
		out = append(out, h[:]...)
		return ok
	}
	for i := range r.Length {
		if !put(r.Base, r.Index+i) {
			return nil, false
		}
	}
	layer, index := r.Base+r.span(), r.Index>>r.span()
	for range r.Uncles() {
		if !put(layer, index^1) {
			return nil, false
		}
		layer, index = layer+1, index>>1
	}
	return out, true
}

// Accept takes a peer's answer to a request, which may have been for hashes of
// pieces or for the leaves of whole pieces. Nothing of it is kept unless all of
// it is proven. The error says why it was not: ErrUnasked or ErrMismatch are the
// peer's fault.
func (t *Tree) Accept(r Request, answer []byte) error {
	if err := r.Check(t.height); err != nil {
		return fmt.Errorf("%w: %w", ErrUnasked, err)
	}
	if r.Base != t.base && (r.Base != 0 || r.Length < 1<<t.base) {
		return fmt.Errorf("%w: neither hashes of pieces nor whole pieces", ErrUnasked)
	}
	got, ok := r.Fold(answer)
	if !ok {
		return fmt.Errorf("%w: %d bytes, want %d", ErrUnasked, len(answer), r.Hashes()*Size)
	}
	want, ok := t.node(r.Top())
	if !ok {
		return ErrUnproven
	}
	if got != want {
		return ErrMismatch
	}
	run := answer[:r.Length*Size]
	if r.Base == t.base {
		t.fill(r.Index, run[:min(r.Length, max(0, t.pieces-r.Index))*Size])
		return nil
	}
	for i := r.Index >> t.base; len(run) > 0 && i < t.pieces; i++ {
		leaves := run[:t.blocksIn(i)*Size]
		h := fold(leaves, 0, t.base)
		t.fill(i, h[:])
		t.leaves[i] = append([]byte(nil), leaves...)
		run = run[Size<<t.base:]
	}
	return nil
}

// wantLength is how many hashes of pieces one request asks for.
const wantLength = 512

// Wants returns the requests, in order, for the hashes of pieces that are not
// known.
func (t *Tree) Wants() iter.Seq[Request] {
	return func(yield func(Request) bool) {
		n := min(wantLength, int64(1)<<(t.height-t.base))
		for first := int64(0); first < t.pieces; first += n {
			for i := first; i < min(first+n, t.pieces); i++ {
				if t.known[i] {
					continue
				}
				if !yield(Request{Base: t.base, Index: first, Length: n, ProofLayers: t.height - 1 - t.base}) {
					return
				}
				break
			}
		}
	}
}

// WantLeaves returns the request for the leaves of piece i of a file of length
// bytes, at least 1, in pieces of pieceLength. The piece's hash should be known:
// nothing else is asked that would prove them. There is none, and ok is false, for
// a piece of one block, which is its own leaf.
func WantLeaves(length, pieceLength, i int64) (r Request, ok bool) {
	n := int64(1) << min(Height(Blocks(length)), bits.TrailingZeros64(uint64(pieceLength/BlockSize)))
	return Request{Index: i * n, Length: n}, n > 1 && n <= MaxLength
}
