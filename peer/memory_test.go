package peer

import (
	"context"
	"crypto/sha1"
	"errors"
	"math/rand/v2"
	"slices"

	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/piece"
)

// memory is a Content in memory.
type memory struct {
	geo      piece.Geometry
	hashes   [][20]byte
	data     []byte
	fail     error // what every method that writes answers
	lose     []int // what the next Sync or Finish has lost
	finished bool
	corrupts float64 // how often Section sends wrong bytes
	rng      *rand.Rand
}

func newMemory(geo piece.Geometry, full []byte, seed bool) *memory {
	m := &memory{geo: geo, data: make([]byte, len(full)), rng: rand.New(rand.NewPCG(1, 2))}
	for i := range geo.NumPieces() {
		off := int64(i) * geo.PieceLength
		m.hashes = append(m.hashes, sha1.Sum(full[off:off+int64(geo.PieceSize(i))]))
	}
	if seed {
		copy(m.data, full)
	}
	return m
}

func (m *memory) at(i, begin, n int) []byte {
	off := i*int(m.geo.PieceLength) + begin
	return m.data[off : off+n]
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
	if sha1.Sum(b) != m.hashes[i] {
		return false, nil
	}
	copy(m.at(i, 0, len(b)), b)
	return true, nil
}

func (m *memory) PutRun(r piece.Run, data p2p.Payload) error {
	if m.fail != nil {
		return m.fail
	}
	copy(m.at(r.Piece, r.Begin, r.Length), data.(*p2ptest.Body).Bytes())
	return nil
}

func (m *memory) VerifyPiece(i int) (bool, error) {
	return sha1.Sum(m.at(i, 0, m.geo.PieceSize(i))) == m.hashes[i], nil
}

func (m *memory) BlockSums(i int) ([]uint64, error) {
	var sums []uint64
	for begin := 0; begin < m.geo.PieceSize(i); begin += piece.BlockSize {
		h := sha1.Sum(m.at(i, begin, min(piece.BlockSize, m.geo.PieceSize(i)-begin)))
		sums = append(sums, uint64(h[0])<<56|uint64(h[1])<<48|uint64(h[2])<<40|uint64(h[3]))
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

func (m *memory) Finish(ctx context.Context) ([]int, error) {
	lost, err := m.Sync(ctx)
	m.finished = err == nil
	return lost, err
}
