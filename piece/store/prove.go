package store

import (
	"fmt"

	"starling/metainfo/merkle"
	"starling/piece"
)

// Proof is what is known of bytes that were put.
type Proof uint8

const (
	// Unproven: only the whole piece can be held against a hash.
	Unproven Proof = iota
	// Right: the bytes agree with the hashes of their blocks, and may be served.
	Right
	// Wrong: they do not, and are not kept.
	Wrong
)

// PutProven is PutBlock for a piece of which the hashes of the blocks are known
// (BEP 52). leaves are those of all its blocks, and the caller has held them
// against the piece's own. begin is at a block, and so is the end of data, or at
// that of the piece. What is Right may be served before the piece is whole; what
// is Wrong is not written. It may be Unproven if others put the same piece without
// leaves meanwhile.
func (s *Store) PutProven(i, begin int, data, leaves []byte) (Proof, error) {
	if err := s.checkLeaves(i, begin, len(data), leaves); err != nil {
		return Unproven, err
	}
	if !agreeing(data, leaves[begin/piece.BlockSize*merkle.Size:]) {
		return Wrong, nil
	}
	if err := s.unseal(i); err != nil {
		return Unproven, err
	}
	h, blind := s.witness(i)
	if h == nil {
		return Right, nil
	}
	err := s.write(i, begin, data)
	// Two digests of v2 would be one too many; the SHA-1 of a hybrid is needed.
	p := s.lay.plan(i)
	s.stream(h, p, p.v1, begin, data, err)
	return s.proven(h, i, begin, len(data), blind, err == nil), err
}

// Prove holds n bytes at begin of piece i, which PutBlock has put, against the
// hashes of their blocks; all is as for PutProven.
func (s *Store) Prove(i, begin, n int, leaves []byte) (Proof, error) {
	if err := s.checkLeaves(i, begin, n, leaves); err != nil {
		return Unproven, err
	}
	h, blind := s.witness(i)
	if h == nil {
		return Right, nil
	}
	b := make([]byte, n)
	off, _ := s.lay.piece(i)
	err := s.readAt(b, off+int64(begin))
	right := err == nil && agreeing(b, leaves[begin/piece.BlockSize*merkle.Size:])
	proof := s.proven(h, i, begin, n, blind, right)
	if err == nil && !right && proof == Unproven {
		proof = Wrong
	}
	return proof, err
}

// witness is share for one that proves; blind is for proven.
func (s *Store) witness(i int) (h *hold, blind uint) {
	h = s.share(i)
	if h != nil {
		s.mu.Lock()
		blind = h.blind
		s.mu.Unlock()
	}
	return h, blind
}

// checkLeaves says why bytes of a piece cannot be held against leaves.
func (s *Store) checkLeaves(i, begin, n int, leaves []byte) error {
	if !s.lay.holds(i, begin, n) || n == 0 {
		return fmt.Errorf("blocks %d+%d of piece %d: out of range", begin, n, i)
	}
	_, size := s.lay.piece(i)
	p := s.lay.plan(i)
	switch {
	case !p.v2 || p.data != size:
		return fmt.Errorf("piece %d has no hash for each block", i)
	case int64(len(leaves)) != merkle.Blocks(size)*merkle.Size:
		return fmt.Errorf("piece %d has %d blocks, and not %d bytes of hashes", i, merkle.Blocks(size), len(leaves))
	case begin%piece.BlockSize != 0 || n%piece.BlockSize != 0 && begin+n != int(size):
		return fmt.Errorf("bytes %d+%d of piece %d are no blocks", begin, n, i)
	}
	return nil
}

// agreeing says whether each block of data has its leaf.
func agreeing(data, leaves []byte) bool {
	for len(data) > 0 {
		block := data[:min(len(data), piece.BlockSize)]
		if merkle.Leaf(block) != merkle.Hash(leaves) {
			return false
		}
		data, leaves = data[len(block):], leaves[merkle.Size:]
	}
	return true
}

// proven ends a write, or a reading, that witness began. Bytes are Right only if
// nobody writes without leaves, or did since blind was read: what such a one puts in
// the same place may come after ours.
func (s *Store) proven(h *hold, i, begin, n int, blind uint, right bool) Proof {
	s.mu.Lock()
	defer s.mu.Unlock()
	proof := Unproven
	if right && h.blinds == 0 && h.blind == blind {
		if h.proven == nil {
			_, size := s.lay.piece(i)
			h.proven = newBits(int(merkle.Blocks(size)))
		}
		for b := begin / piece.BlockSize; b*piece.BlockSize < begin+n; b++ {
			h.proven.set(b)
		}
		proof = Right
	}
	s.unshare(h)
	return proof
}

// unshare ends what share began. mu is held.
func (s *Store) unshare(h *hold) {
	h.writers--
	if h.writers == 0 {
		s.free.Broadcast()
	}
}

// proves says whether all blocks of [begin, begin+n) are proven. mu is held.
func (h *hold) proves(begin, n int) bool {
	if h == nil || h.proven == nil {
		return false
	}
	for b := begin / piece.BlockSize; b*piece.BlockSize < begin+n; b++ {
		if !h.proven.has(b) {
			return false
		}
	}
	return true
}

// gap is a run of bytes of a piece.
type gap struct{ from, to int }

// gaps appends the parts of [begin, begin+n) that lie in blocks that are not proven.
// mu is held.
func (h *hold) gaps(gaps []gap, begin, n int) []gap {
	end := begin + n
	if h.proven == nil {
		return append(gaps, gap{begin, end})
	}
	for at := begin; at < end; {
		next := min(end, (at/piece.BlockSize+1)*piece.BlockSize)
		if !h.proven.has(at / piece.BlockSize) {
			if k := len(gaps); k > 0 && gaps[k-1].to == at {
				gaps[k-1].to = next
			} else {
				gaps = append(gaps, gap{at, next})
			}
		}
		at = next
	}
	return gaps
}

// Peek reads bytes of piece i as they are on the disk, verified or not, into b.
func (s *Store) Peek(i, begin int, b []byte) error {
	if !s.lay.holds(i, begin, len(b)) {
		return fmt.Errorf("bytes %d+%d of piece %d: out of range", begin, len(b), i)
	}
	off, _ := s.lay.piece(i)
	return s.readAt(b, off+int64(begin))
}
