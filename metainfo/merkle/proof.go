package merkle

import (
	"errors"
	"fmt"
	"math/bits"
)

// Request asks for a run of hashes of a layer, and for the proof that they
// belong to the root. The root goes with it and is not in it.
type Request struct {
	// Base is the layer: 0, or that of the pieces.
	Base int
	// Index is the first hash, a multiple of Length. Length is a power of
	// two in 2..MaxLength.
	Index, Length int64
	// ProofLayers is how many layers above Base are proven, the first
	// log2(Length)-1 of which follow from the run itself.
	ProofLayers int
}

// MaxLength is how many hashes may be asked for at once; BEP 52 wants no more
// than 512 asked where there is a choice, but the blocks of one piece are often
// more.
const MaxLength = 8192

var (
	errBase   = errors.New("no layer below the root")
	errLength = fmt.Errorf("the length is not a power of two in 2..%d", MaxLength)
	errIndex  = errors.New("the index is not a multiple of the length in the layer")
	errProof  = errors.New("the proof goes past the root")
)

// Check says whether the request makes sense for a tree of that height.
func (r Request) Check(height int) error {
	switch {
	case r.Base < 0 || r.Base >= height || height > MaxHeight:
		return errBase
	case r.Length < 2 || r.Length > MaxLength || r.Length&(r.Length-1) != 0:
		return errLength
	case r.Index < 0 || r.Index%r.Length != 0 || r.Index > 1<<(height-r.Base)-r.Length:
		return errIndex
	case r.ProofLayers < 0 || r.ProofLayers > height-1-r.Base:
		return errProof
	}
	return nil
}

// span is log2(Length): how many layers above Base the run itself makes.
func (r Request) span() int { return bits.TrailingZeros64(uint64(r.Length)) }

// Uncles returns how many hashes of the proof follow the run in an answer.
func (r Request) Uncles() int { return max(0, r.ProofLayers-(r.span()-1)) }

// Hashes returns how many hashes an answer has: the run, then the uncles from
// the lowest to that nearest the root.
func (r Request) Hashes() int { return int(r.Length) + r.Uncles() }

// Top returns the node that the answer can be held against: its layer, and its
// index there.
func (r Request) Top() (layer int, index int64) {
	up := r.span() + r.Uncles()
	return r.Base + up, r.Index >> up
}

// Fold returns the hash of the node Top that follows from an answer. The request
// must have passed Check; ok is false if the answer has another number of
// hashes.
func (r Request) Fold(answer []byte) (top Hash, ok bool) {
	if len(answer) != r.Hashes()*Size {
		return Hash{}, false
	}
	run, uncles := answer[:r.Length*Size], answer[r.Length*Size:]
	top = fold(run, r.Base, r.Base+r.span())
	for at := r.Index >> r.span(); len(uncles) > 0; at >>= 1 {
		uncle := Hash(uncles[:Size])
		if at&1 == 0 {
			top = Node(&top, &uncle)
		} else {
			top = Node(&uncle, &top)
		}
		uncles = uncles[Size:]
	}
	return top, true
}
