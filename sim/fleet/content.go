package fleet

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"starling/p2p"
	"starling/peer"
	"starling/piece"
	"starling/sim"
)

// body is the bytes of a run without the bytes: how many, and whether they are
// right. One object serves all right bodies of a size.
type body struct {
	size int
	salt uint64 // 0: right; else how they are wrong
	out  *int   // bodies that are not released
}

// Size implements p2p.Payload.
func (b *body) Size() int { return b.size }

// Release implements p2p.Payload.
func (b *body) Release() { *b.out-- }

// errFull is what a disk answers that has no room.
var errFull = errors.New("write: no space left on device")

// content is a torrent on a host's disk, as a peer.Content: which pieces are
// verified, which of them would survive a crash, and what is known of the
// parts of others. It outlives the process that works on it.
type content struct {
	f    *fleet
	h    *sim.Host
	spec *HostSpec
	rng  *rand.Rand // chooses what is sent corrupt

	verified, durable *piece.Bitfield
	parts             map[int][]uint64        // by piece: each block's salt, absent: not there
	leaves            map[int]bool            // pieces whose blocks have known hashes
	proven            map[int]*piece.Bitfield // by piece: the blocks of parts that agree with those
	published         bool
	full              bool // the disk has no room
}

func newContent(f *fleet, h *sim.Host, spec *HostSpec) *content {
	n := f.geo.NumPieces()
	c := &content{
		f: f, h: h, spec: spec, rng: rand.New(rand.NewPCG(f.spec.RNGSeed, uint64(h.Index())|1<<32)),
		verified: piece.NewBitfield(n), durable: piece.NewBitfield(n), parts: map[int][]uint64{},
		leaves: map[int]bool{}, proven: map[int]*piece.Bitfield{},
	}
	for i := range n {
		if spec.Role == Seed || c.rng.Float64() < spec.Has {
			c.verified.Set(i)
			c.durable.Set(i)
		}
	}
	return c
}

// restart is what a crash leaves: the durable pieces.
func (c *content) restart() {
	for i := range c.f.geo.NumPieces() {
		if c.verified.Has(i) && !c.durable.Has(i) {
			c.verified.Clear(i)
		}
	}
	clear(c.parts)
	clear(c.leaves)
	clear(c.proven)
}

const missing = ^uint64(0)

// cost charges for n bytes at a rate, 0: 1 GB/s.
func (c *content) cost(n int, rate float64) {
	if rate <= 0 {
		rate = 1e9
	}
	c.h.Charge(time.Duration(float64(n) / rate * 1e9))
}

// Section implements peer.Content.
func (c *content) Section(r piece.Run) p2p.Payload {
	if !c.proves(r) {
		c.f.violate("have", c.spec.Name, "piece %d is served and not verified", r.Piece)
	}
	if c.spec.Corrupts > 0 && c.rng.Float64() < c.spec.Corrupts {
		c.f.bodies++
		return &body{r.Length, c.rng.Uint64() | 1, &c.f.bodies}
	}
	return c.f.body(r.Length)
}

// PutPiece implements peer.Content.
func (c *content) PutPiece(i int, data p2p.Payload) (bool, error) {
	size := c.f.geo.PieceSize(i)
	c.cost(size, c.spec.Hash)
	if c.full {
		return false, errFull
	}
	if data.Size() != size {
		c.f.violate("conserve", c.spec.Name, "piece %d of %d bytes put as %d", i, size, data.Size())
	}
	if data.(*body).salt != 0 {
		return false, nil
	}
	c.cost(size, c.spec.Disk)
	c.h.Commit(func() { c.has(i) })
	return true, nil
}

// has notes a verified piece.
func (c *content) has(i int) {
	delete(c.parts, i)
	delete(c.proven, i)
	if c.verified.Set(i) {
		c.f.gained(c.spec, i)
	}
}

// PutRun implements peer.Content.
func (c *content) PutRun(r piece.Run, data p2p.Payload) (peer.Proof, error) {
	c.cost(r.Length, c.spec.Disk)
	if c.full {
		return peer.Unproven, errFull
	}
	salt := data.(*body).salt
	known := c.leaves[r.Piece]
	if known {
		c.cost(r.Length, c.spec.Hash)
		if salt != 0 {
			return peer.Wrong, nil
		}
	}
	c.h.Commit(func() {
		sums := c.parts[r.Piece]
		if sums == nil {
			sums = make([]uint64, c.f.geo.NumBlocks(r.Piece))
			for b := range sums {
				sums[b] = missing
			}
			c.parts[r.Piece] = sums
		}
		for b := r.Begin / piece.BlockSize; b*piece.BlockSize < r.Begin+r.Length; b++ {
			sums[b] = salt
		}
	})
	if known {
		c.prove(r)
		return peer.Right, nil
	}
	return peer.Unproven, nil
}

// VerifyPiece implements peer.Content.
func (c *content) VerifyPiece(i int) (bool, error) {
	if proven := c.proven[i]; proven == nil || !proven.All() {
		c.cost(c.f.geo.PieceSize(i), c.spec.Hash)
	}
	sums := c.parts[i]
	if sums == nil {
		return c.verified.Has(i), nil
	}
	for _, salt := range sums {
		if salt != 0 {
			return false, nil
		}
	}
	c.h.Commit(func() { c.has(i) })
	return true, nil
}

// BlockSums implements peer.Content.
func (c *content) BlockSums(i int) ([]uint64, error) {
	c.cost(c.f.geo.PieceSize(i), c.spec.Hash)
	sums := make([]uint64, c.f.geo.NumBlocks(i))
	for b := range sums {
		sums[b] = uint64(i)<<20 + uint64(b)
		if parts := c.parts[i]; parts != nil {
			sums[b] ^= parts[b]
		}
	}
	return sums, nil
}

// Recheck implements peer.Content. No bit of a simulated disk falls.
func (c *content) Recheck(i int) (bool, string, error) {
	c.cost(c.f.geo.PieceSize(i), c.spec.Hash)
	return c.verified.Has(i), "", nil
}

// flushTime is what an fsync costs besides the writing.
const flushTime = 2 * time.Millisecond

// Sync implements peer.Content.
func (c *content) Sync(context.Context) ([]int, error) {
	c.h.Charge(flushTime)
	if c.full {
		return nil, errFull
	}
	made := c.verified.Clone()
	c.h.Commit(func() { c.durable = made })
	return nil, nil
}

// Finish implements peer.Content.
func (c *content) Finish(ctx context.Context) ([]int, error) {
	if lost, err := c.Sync(ctx); err != nil {
		return lost, err
	}
	c.h.Commit(func() {
		if !c.verified.All() {
			c.f.violate("I1", c.spec.Name, "published with %d of %d pieces verified",
				c.verified.Count(), c.f.geo.NumPieces())
		}
		c.published = true
	})
	return nil, nil
}
