package peer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"starling/p2p"
	"starling/p2p/tcp"
	"starling/piece"
	"starling/piece/store"
)

// content is a torrent's bytes on a real disk.
type content struct {
	geo     piece.Geometry
	store   *store.Store
	hashes  *hashTrees // nil without a v2 side
	metrics *Metrics
}

// timed measures one disk operation.
func (c *content) timed(op diskOp) func() {
	if c.metrics == nil {
		return func() {}
	}
	begun := time.Now()
	return func() { c.metrics.disk[op].Observe(time.Since(begun).Seconds()) }
}

func (c *content) Section(r piece.Run) p2p.Payload {
	return c.store.Section(r.Piece, r.Begin, r.Length)
}

func (c *content) PutPiece(i int, data p2p.Payload) (bool, error) {
	defer c.timed(opWrite)()
	return c.store.PutPiece(i, data.(tcp.BytesBody).Bytes())
}

func (c *content) PutRun(r piece.Run, data p2p.Payload) (Proof, error) {
	defer c.timed(opWrite)()
	b := data.(tcp.BytesBody).Bytes()
	leaves := c.hashes.kept(r.Piece)
	if leaves == nil {
		return Unproven, c.store.PutBlock(r.Piece, r.Begin, b)
	}
	p, err := c.store.PutProven(r.Piece, r.Begin, b, leaves)
	return proofs[p], err
}

// proofs are the store's findings in the engine's words.
var proofs = [...]Proof{store.Unproven: Unproven, store.Right: Right, store.Wrong: Wrong}

func (c *content) ProveRun(r piece.Run) (Proof, error) {
	defer c.timed(opHash)()
	leaves := c.hashes.kept(r.Piece)
	if leaves == nil {
		return Unproven, nil // there were too many
	}
	p, err := c.store.Prove(r.Piece, r.Begin, r.Length, leaves)
	return proofs[p], err
}

func (c *content) VerifyPiece(i int) (bool, error) {
	defer c.timed(opHash)()
	return c.store.VerifyPiece(i)
}

func (c *content) BlockSums(i int) ([]uint64, error) {
	defer c.timed(opRead)()
	var sums []uint64
	buf := make([]byte, piece.BlockSize)
	size := c.geo.PieceSize(i)
	for begin := 0; begin < size; begin += len(buf) {
		b := buf[:min(len(buf), size-begin)]
		if err := c.store.Peek(i, begin, b); err != nil {
			return nil, err
		}
		h := sha256.Sum256(b)
		sums = append(sums, binary.BigEndian.Uint64(h[:]))
	}
	return sums, nil
}

func (c *content) Sync(ctx context.Context) ([]int, error) {
	defer c.timed(opSync)()
	_, err := c.store.Sync(ctx)
	return lostPieces(err), err
}

func (c *content) Finish(ctx context.Context) ([]int, error) {
	defer c.timed(opSync)()
	err := c.store.Finish(ctx)
	return lostPieces(err), err
}

func (c *content) Recheck(i int) (bool, string, error) {
	defer c.timed(opRead)()
	return c.store.Recheck(i)
}

// lostPieces are the pieces that an error of the store says are gone.
func lostPieces(err error) []int {
	var lost *store.SyncError
	if errors.As(err, &lost) {
		return lost.Pieces
	}
	return nil
}
