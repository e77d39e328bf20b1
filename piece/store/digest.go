package store

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"hash"
	"sync"

	"starling/metainfo/merkle"
)

// plan is what of a piece is hashed, and how.
type plan struct {
	v1, v2 bool
	// data is how many bytes of the piece the merkle tree covers, the first
	// ones: what follows is padding. height is the tree's.
	data   int64
	height int
}

// plan returns piece i's.
func (l *layout) plan(i int) plan {
	p := plan{v1: l.v1}
	if !l.v2 {
		return p
	}
	off := int64(i) * l.pieceLen
	f := &l.files[l.fileAt(off)]
	if f.pad {
		return p // nothing but padding
	}
	p.v2 = true
	p.data = min(l.pieceLen, f.off+f.length-off)
	p.height = min(l.heightOfPiece(), merkle.Height(merkle.Blocks(f.length)))
	return p
}

// pieceRoot is the root that piece i must have; its plan must have v2.
func (l *layout) pieceRoot(i int) []byte {
	off := int64(i) * l.pieceLen
	f := &l.files[l.fileAt(off)]
	if f.layer == nil {
		return f.root[:]
	}
	k := (off - f.off) / l.pieceLen * merkle.Size
	return f.layer[k : k+merkle.Size]
}

// sums are a piece's hashes, as far as its plan has them.
type sums struct {
	v1 [sha1.Size]byte
	v2 merkle.Hash
}

// agrees compares the hashes of piece i with the torrent's. A piece that agrees
// with one side of a hybrid only is an ErrInconsistent: no other content would
// agree with both. Nothing is written from then on.
func (s *Store) agrees(i int, p plan, got *sums) (ok bool, err error) {
	v1 := p.v1 && string(got.v1[:]) == string(s.cfg.Hashes[sha1.Size*i:][:sha1.Size])
	v2 := p.v2 && string(got.v2[:]) == string(s.lay.pieceRoot(i))
	if p.v1 && p.v2 && v1 != v2 {
		right, wrong := "SHA-1", "SHA-256"
		if v2 {
			right, wrong = wrong, right
		}
		err := fmt.Errorf("%s: %w: piece %d has the %s it says, and so cannot have the %s", s.cfg.Name, ErrInconsistent, i, right, wrong)
		s.mu.Lock()
		s.broken = err
		s.mu.Unlock()
		return false, err
	}
	return v1 || v2, nil
}

// digest hashes the bytes of one piece after another, in whatever parts they
// come. A torrent of v2 alone calls no SHA-1.
type digest struct {
	plan plan
	v1   hash.Hash // nil until asked for
	v2   merkle.Hasher
	left int64 // bytes that the tree still takes
	sums sums
}

var digests = sync.Pool{New: func() any { return new(digest) }}

// begin forgets what was written.
func (d *digest) begin(p plan) {
	d.plan, d.left = p, p.data
	if p.v1 {
		if d.v1 == nil {
			d.v1 = sha1.New()
		}
		d.v1.Reset()
	}
	if p.v2 {
		d.v2.Reset()
	}
}

// write adds bytes. Both hashes take one step after the other, so that the second
// one finds the bytes in the core's cache.
func (d *digest) write(b []byte) {
	for len(b) > 0 {
		step := b[:min(len(b), ioBuffer)]
		if d.plan.v1 {
			d.v1.Write(step)
		}
		if n := min(d.left, int64(len(step))); n > 0 {
			d.v2.Write(step[:n])
			d.left -= n
		}
		b = b[len(step):]
	}
}

// sum returns the hashes, valid until the next use. It ends the digest.
func (d *digest) sum() *sums {
	if d.plan.v1 {
		d.v1.Sum(d.sums.v1[:0])
	}
	if d.plan.v2 {
		d.sums.v2 = d.v2.Root(d.plan.height)
	}
	return &d.sums
}

var (
	zeroBytes [merkle.BlockSize]byte
	// zeroLeaf is the leaf of a block of zeros.
	zeroLeaf = sync.OnceValue(func() merkle.Hash { return merkle.Leaf(zeroBytes[:]) })
)

// zeroTree is the root of the plan's tree where all its bytes are zero: a hash
// for each block and not for its bytes.
func (p *plan) zeroTree() merkle.Hash {
	leaf := zeroLeaf()
	run := bytes.Repeat(leaf[:], int(p.data/merkle.BlockSize))
	if rest := p.data % merkle.BlockSize; rest > 0 {
		last := merkle.Leaf(zeroBytes[:rest])
		run = append(run, last[:]...)
	}
	root := merkle.Root(run, 0)
	for h := merkle.Height(merkle.Blocks(p.data)); h < p.height; h++ {
		pad := merkle.Pad(h)
		root = merkle.Node(&root, &pad)
	}
	return root
}

// isZero reports whether every byte is 0.
func isZero(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeroBytes))
		if !bytes.Equal(b[:n], zeroBytes[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
