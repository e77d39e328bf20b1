package merkle

import (
	"crypto/sha256"
	"math/bits"
)

const (
	// Size is the length of a hash in bytes.
	Size = sha256.Size
	// BlockSize is how many bytes of a file a leaf covers.
	BlockSize = 16 << 10
	// MaxHeight is more than the height of any tree: 2^50 leaves are 2^64
	// bytes.
	MaxHeight = 50
)

// Hash is a node of a tree.
type Hash = [Size]byte

// pads are the roots of trees without any block, by height.
var pads = func() (p [MaxHeight + 1]Hash) {
	for i := range MaxHeight {
		p[i+1] = Node(&p[i], &p[i])
	}
	return p
}()

// Pad returns the hash of a node of that layer which is wholly past the end of
// the file. The layer is in 0..MaxHeight.
func Pad(layer int) Hash { return pads[layer] }

// Leaf returns the hash of a block: BlockSize bytes, less at the end of a file.
func Leaf(block []byte) Hash { return sha256.Sum256(block) }

// Node returns the hash of the node above two.
func Node(left, right *Hash) Hash {
	var b [2 * Size]byte
	copy(b[:Size], left[:])
	copy(b[Size:], right[:])
	return sha256.Sum256(b[:])
}

// Blocks returns how many leaves a file of length bytes has before it is padded.
func Blocks(length int64) int64 {
	n := length / BlockSize
	if length%BlockSize != 0 {
		n++
	}
	return n
}

// Height returns the layer of the root of a tree that has room for n nodes of
// layer 0; 0 if n is at most 1.
func Height(n int64) int {
	if n <= 1 {
		return 0
	}
	return bits.Len64(uint64(n - 1))
}

// Root returns the root above a run of hashes, the first of their layer, padded
// to the least power of two. There must be at least one.
func Root(hashes []byte, layer int) Hash {
	n := len(hashes) / Size
	return fold(hashes, layer, layer+Height(int64(n)))
}

// fold returns the hash of the node of layer top whose children in layer base
// begin with the hashes.
func fold(hashes []byte, base, top int) Hash {
	s := stack{base: base}
	for ; len(hashes) > 0; hashes = hashes[Size:] {
		s.push(Hash(hashes[:Size]))
	}
	return s.top(top)
}

// stack folds hashes of layer base that come from left to right: of each whole
// subtree so far it keeps the root.
type stack struct {
	base  int
	n     uint64              // hashes pushed; a set bit is a root that is kept
	roots [MaxHeight + 1]Hash // by height above base
}

func (s *stack) push(h Hash) {
	i := 0
	for ; s.n>>i&1 == 1; i++ {
		h = Node(&s.roots[i], &h)
	}
	s.roots[i] = h
	s.n++
}

// top returns the node of layer top above all that was pushed, the rest padded.
func (s *stack) top(top int) Hash {
	height := top - s.base
	if s.n == 1<<height {
		return s.roots[height]
	}
	// From the lowest layer up, h is the last node of it, with its padding.
	h := Pad(s.base)
	for i := range height {
		if s.n>>i&1 == 1 {
			h = Node(&s.roots[i], &h)
		} else {
			pad := Pad(s.base + i)
			h = Node(&h, &pad)
		}
	}
	return h
}
