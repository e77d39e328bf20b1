package fleet

import (
	"starling/metainfo/merkle"
	"starling/peer"
	"starling/peer/wire"
	"starling/piece"
)

// hashes are the hash tree of a torrent of v2 without the hashes, as a peer.Hashes:
// what is asked and answered has its size, and what it costs is charged.
type hashes struct{ c *content }

// Answer implements peer.Hashes.
func (h hashes) Answer(_ merkle.Hash, r merkle.Request) ([]byte, bool) {
	c := h.c
	i := int(r.Index / r.Length)
	switch {
	case r.Base != 0:
		return nil, false // nobody asks: all have the .torrent file
	case c.leaves[i]:
	case c.verified.Has(i):
		c.cost(c.f.geo.PieceSize(i), c.spec.Hash)
		c.h.Commit(func() { c.leaves[i] = true })
	default:
		return nil, false
	}
	return make([]byte, r.Hashes()*merkle.Size), true
}

// Want implements peer.Hashes.
func (h hashes) Want(i int) (wire.Hashes, bool) {
	r, ok := merkle.WantLeaves(h.c.f.spec.Size, h.c.f.spec.PieceLength, int64(i))
	return wire.Hashes{Request: r}, ok
}

// Accept implements peer.Hashes.
func (h hashes) Accept(i int, answer []byte) bool {
	h.c.cost(len(answer), h.c.spec.Hash)
	h.c.h.Commit(func() { h.c.leaves[i] = true })
	return true
}

// prove notes, when the job is done, that blocks are right.
func (c *content) prove(r piece.Run) {
	c.h.Commit(func() {
		proven := c.proven[r.Piece]
		if proven == nil {
			proven = piece.NewBitfield(c.f.geo.NumBlocks(r.Piece))
			c.proven[r.Piece] = proven
		}
		for b := r.Begin / piece.BlockSize; b*piece.BlockSize < r.Begin+r.Length; b++ {
			proven.Set(b)
		}
	})
}

// ProveRun implements peer.Content.
func (c *content) ProveRun(r piece.Run) (peer.Proof, error) {
	c.cost(r.Length, c.spec.Hash)
	for b := r.Begin / piece.BlockSize; b*piece.BlockSize < r.Begin+r.Length; b++ {
		if sums := c.parts[r.Piece]; sums != nil && sums[b] != 0 {
			return peer.Wrong, nil
		}
	}
	c.prove(r)
	return peer.Right, nil
}

// proves says whether blocks are verified, alone or with their piece.
func (c *content) proves(r piece.Run) bool {
	if c.verified.Has(r.Piece) {
		return true
	}
	proven := c.proven[r.Piece]
	for b := r.Begin / piece.BlockSize; b*piece.BlockSize < r.Begin+r.Length; b++ {
		if proven == nil || !proven.Has(b) {
			return false
		}
	}
	return true
}
