package merkle

import (
	"crypto/sha256"
	"hash"
)

// Hasher computes the root of bytes that are written to it, such as a file or a
// piece, in memory that does not depend on how many they are. The zero value is
// ready. Write never fails.
type Hasher struct {
	// Leaf, if set, hears the hash of each block in order.
	Leaf func(h Hash)

	stack stack
	block hash.Hash
	in    int // bytes in block
}

// Write adds bytes to the end.
func (h *Hasher) Write(b []byte) (int, error) {
	written := len(b)
	if h.block == nil {
		h.block = sha256.New()
	}
	for len(b) > 0 {
		n := min(len(b), BlockSize-h.in)
		if n == BlockSize {
			h.push(Leaf(b[:n]))
		} else {
			h.block.Write(b[:n])
			if h.in += n; h.in == BlockSize {
				h.flush()
			}
		}
		b = b[n:]
	}
	return written, nil
}

func (h *Hasher) flush() {
	var sum Hash
	h.block.Sum(sum[:0])
	h.block.Reset()
	h.in = 0
	h.push(sum)
}

func (h *Hasher) push(sum Hash) {
	if h.Leaf != nil {
		h.Leaf(sum)
	}
	h.stack.push(sum)
}

// Root ends the last block and returns the root of the tree padded to 2^height
// leaves, or with height -1 to the least power of two: so a whole file is
// hashed, and a piece of a file of one piece. height must not be too small for
// what was written. Without a byte it is the root of padding alone. Reset must
// be called before the next use.
func (h *Hasher) Root(height int) Hash {
	if h.in > 0 {
		h.flush()
	}
	if height < 0 {
		height = Height(int64(h.stack.n))
	}
	return h.stack.top(height)
}

// Reset forgets what was written.
func (h *Hasher) Reset() {
	h.stack.n, h.in = 0, 0
	if h.block != nil {
		h.block.Reset()
	}
}
