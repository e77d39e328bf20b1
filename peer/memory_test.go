package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"slices"

	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/piece"
)

var crcTable = crc64.MakeTable(crc64.ECMA)

// memory is a Content in memory.
type memory struct {
	geo       piece.Geometry
	full      []byte // the original
	data      []byte
	fail      error // what every method that writes answers
	lose      []int // what the next Sync or Finish has lost
	finished  bool
	corrupts  float64      // how often Section sends wrong bytes
	unread    error        // what VerifyPiece answers
	rechecked []int        // the pieces that Recheck was asked for
	leaves    map[int]bool // pieces whose blocks can be told right from wrong
	rng       *rand.Rand
}

func newMemory(geo piece.Geometry, full []byte, seed bool) *memory {
	m := &memory{geo: geo, full: full, data: make([]byte, len(full)), rng: rand.New(rand.NewPCG(1, 2))}
	if seed {
		copy(m.data, full)
	}
	return m
}

func (m *memory) at(i, begin, n int) []byte {
	off := i*int(m.geo.PieceLength) + begin
	return m.data[off : off+n]
}

// right compares a piece with the original, which is quicker than a hash.
func (m *memory) right(i int, b []byte) bool {
	off := i * int(m.geo.PieceLength)
	return bytes.Equal(b, m.full[off:off+m.geo.PieceSize(i)])
}

func (m *memory) Section(r piece.Run) p2p.Payload {
	b := slices.Clone(m.at(r.Piece, r.Begin, r.Length))
	if m.rng.Float64() < m.corrupts {
		b[m.rng.IntN(len(b))] ^= 1
	}
	return p2ptest.NewBody(b)
}

func (m *memory) PutPiece(i int, data p2p.Payload) (bool, error) {
	if m.fail != nil {
		return false, m.fail
	}
	b := data.(*p2ptest.Body).Bytes()
	if !m.right(i, b) {
		return false, nil
	}
	copy(m.at(i, 0, len(b)), b)
	return true, nil
}

func (m *memory) PutRun(r piece.Run, data p2p.Payload) (Proof, error) {
	if m.fail != nil {
		return Unproven, m.fail
	}
	b := data.(*p2ptest.Body).Bytes()
	if m.leaves[r.Piece] && !bytes.Equal(b, m.original(r)) {
		return Wrong, nil
	}
	copy(m.at(r.Piece, r.Begin, r.Length), b)
	return m.ProveRun(r)
}

func (m *memory) ProveRun(r piece.Run) (Proof, error) {
	switch {
	case !m.leaves[r.Piece]:
		return Unproven, nil
	case !bytes.Equal(m.at(r.Piece, r.Begin, r.Length), m.original(r)):
		return Wrong, nil
	}
	return Right, nil
}

// original is what a run should be.
func (m *memory) original(r piece.Run) []byte {
	off := r.Piece*int(m.geo.PieceLength) + r.Begin
	return m.full[off : off+r.Length]
}

func (m *memory) VerifyPiece(i int) (bool, error) {
	return m.right(i, m.at(i, 0, m.geo.PieceSize(i))) && m.unread == nil, m.unread
}

func (m *memory) BlockSums(i int) ([]uint64, error) {
	var sums []uint64
	for begin := 0; begin < m.geo.PieceSize(i); begin += piece.BlockSize {
		sums = append(sums, crc64.Checksum(m.at(i, begin, min(piece.BlockSize, m.geo.PieceSize(i)-begin)), crcTable))
	}
	return sums, nil
}

var errLost = errors.New("fsync: input/output error")

// Sync zeroes what it loses, so that no test passes on bytes that are still
// there by chance.
func (m *memory) Sync(context.Context) ([]int, error) {
	if m.fail != nil || m.lose == nil {
		return nil, m.fail
	}
	lost := m.lose
	m.lose = nil
	for _, i := range lost {
		clear(m.at(i, 0, m.geo.PieceSize(i)))
	}
	return lost, errLost
}

// Recheck reads what is there: a test flips a byte of data.
func (m *memory) Recheck(i int) (bool, string, error) {
	m.rechecked = append(m.rechecked, i)
	if m.unread != nil {
		return false, "", m.unread
	}
	if !m.right(i, m.at(i, 0, m.geo.PieceSize(i))) {
		return false, fmt.Sprintf("memory, %d bytes from %d on", m.geo.PieceSize(i), i*int(m.geo.PieceLength)), nil
	}
	return true, "", nil
}

func (m *memory) Finish(ctx context.Context) ([]int, error) {
	lost, err := m.Sync(ctx)
	m.finished = err == nil
	return lost, err
}
