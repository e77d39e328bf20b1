package piece

import (
	"fmt"
	"iter"
)

const (
	// BlockSize is the unit of request in bytes. BEP 3: "All current
	// implementations use 2^14 (16 kiB), and close connections which request
	// an amount greater than that."
	BlockSize = 16 << 10
	// MinPieceLength and MaxPieceLength bound Geometry.PieceLength, in bytes.
	MinPieceLength = BlockSize
	MaxPieceLength = 64 << 20
	// MaxPieces bounds the number of pieces of a torrent, and with it the
	// memory that a hostile torrent can claim.
	MaxPieces = 2_097_152
)

// Geometry divides a torrent's bytes into pieces and blocks. All pieces have
// PieceLength bytes but the last, which has what remains, and where Aligned made
// it the last of each file.
type Geometry struct {
	// TotalLength is the bytes of all files together, and of the gaps in an
	// Aligned one; 0 is a torrent without pieces.
	TotalLength int64
	PieceLength int64 // bytes, a power of two

	// sizes, if not nil, are those of all pieces: where more than the last may
	// be short. It is behind a pointer so that Geometry stays comparable, and
	// a table because PieceSize is asked several times for each block.
	sizes *[]int32

	// data, if not nil, is how many bytes of each piece come before its padding.
	data *[]int32
}

// Aligned is the Geometry of a torrent of BitTorrent v2 alone (BEP 52): each file
// that is not empty begins at a piece, and the bytes from its end to the next
// piece do not exist. lengths are the files' in bytes, in the torrent's order.
// Its memory is 4 bytes a piece.
func Aligned(pieceLength int64, lengths iter.Seq[int64]) (Geometry, error) {
	g := Geometry{PieceLength: pieceLength}
	if err := g.Validate(); err != nil {
		return Geometry{}, err
	}
	var sizes []int32
	for n := range lengths {
		if n == 0 {
			continue
		}
		begin := int64(len(sizes)) * pieceLength
		if n < 0 || n > MaxPieces*pieceLength-begin {
			return Geometry{}, fmt.Errorf("piece: a file of %d bytes, or the files before it, make more than %d pieces of %d bytes", n, MaxPieces, pieceLength)
		}
		g.TotalLength = begin + n
		for ; n > 0; n -= pieceLength {
			sizes = append(sizes, int32(min(n, pieceLength)))
		}
	}
	g.sizes = &sizes
	return g, nil
}

// Padded is g for a torrent in which bytes are padding (BEP 47): pads are where each
// run of them begins and how long it is, in ascending order. Of a piece that ends
// with padding the blocks that are nothing else are not asked for, for what they are
// is known. Its memory is 4 bytes a piece.
func (g Geometry) Padded(pads iter.Seq2[int64, int64]) Geometry {
	data := make([]int32, g.NumPieces())
	for i := range data {
		data[i] = int32(g.PieceSize(i))
	}
	for begin, n := range pads {
		end := begin + n
		for i := begin / g.PieceLength; n > 0 && i < int64(len(data)) && i*g.PieceLength < end; i++ {
			if end >= i*g.PieceLength+int64(g.PieceSize(int(i))) {
				data[i] = int32(max(begin-i*g.PieceLength, 0))
			}
		}
	}
	g.data = &data
	return g
}

// DataSize is the number of bytes of piece i without the padding at its end.
func (g Geometry) DataSize(i int) int {
	if g.data != nil {
		return int((*g.data)[i])
	}
	return g.PieceSize(i)
}

// AskBlocks is how many blocks of piece i, the first ones, are to be asked for: all
// but those that are padding. A piece that is nothing but padding has all.
func (g Geometry) AskBlocks(i int) int {
	if g.data != nil && (*g.data)[i] > 0 {
		return int((*g.data)[i]+BlockSize-1) / BlockSize
	}
	return g.NumBlocks(i)
}

// AskSize is how many bytes those blocks have.
func (g Geometry) AskSize(i int) int { return min(g.AskBlocks(i)*BlockSize, g.PieceSize(i)) }

// Gaps says whether g is of Aligned: a piece may end before the next begins.
func (g Geometry) Gaps() bool { return g.sizes != nil }

// Validate refuses a Geometry outside the limits of this package. The other
// methods ask for a valid one.
func (g Geometry) Validate() error {
	l := g.PieceLength
	if l < MinPieceLength || l > MaxPieceLength || l&(l-1) != 0 {
		return fmt.Errorf("piece: length %d is not a power of two from %d to %d", l, MinPieceLength, MaxPieceLength)
	}
	if g.TotalLength < 0 {
		return fmt.Errorf("piece: total length %d is negative", g.TotalLength)
	}
	if g.TotalLength > MaxPieces*l {
		return fmt.Errorf("piece: %d bytes make more than %d pieces of %d bytes", g.TotalLength, MaxPieces, l)
	}
	return nil
}

// NumPieces is the number of pieces.
func (g Geometry) NumPieces() int {
	return int((g.TotalLength + g.PieceLength - 1) / g.PieceLength)
}

// PieceSize is the number of bytes of piece i: PieceLength, or less for the
// last piece, of the torrent or of a file. i is in [0, NumPieces).
func (g Geometry) PieceSize(i int) int {
	if g.sizes != nil {
		return int((*g.sizes)[i])
	}
	return int(min(g.PieceLength, g.TotalLength-int64(i)*g.PieceLength))
}

// NumBlocks is the number of blocks of piece i, the last of which may be
// short. i is in [0, NumPieces).
func (g Geometry) NumBlocks(i int) int {
	return int(uint(g.PieceSize(i)+BlockSize-1) / BlockSize) // unsigned: a mere shift
}

// Run is a row of whole blocks of one piece. Begin and Length are in bytes;
// Begin is a multiple of BlockSize, and so is Length except where the Run
// reaches the end of the piece.
type Run struct{ Piece, Begin, Length int }

// Contains says whether r is a Run of this torrent. A Run made from what a
// remote sent is to be checked with it. No value of r makes it overflow.
func (g Geometry) Contains(r Run) bool {
	// As r.Piece >= g.NumPieces(), but without a division: this is asked for
	// every block. For that reason, too, numbers below zero are seen as huge.
	if uint(r.Piece) >= MaxPieces || int64(r.Piece)*g.PieceLength >= g.TotalLength {
		return false
	}
	size := g.PieceSize(r.Piece)
	if uint(r.Begin) >= uint(size) || uint(r.Length-1) >= uint(size-r.Begin) {
		return false
	}
	return r.Begin%BlockSize == 0 && (r.Length%BlockSize == 0 || r.Begin+r.Length == size)
}

// run makes the Run of blocks [from, to) of piece i.
func (g Geometry) run(i, from, to int) Run {
	begin := from * BlockSize
	return Run{Piece: i, Begin: begin, Length: min(to*BlockSize, g.PieceSize(i)) - begin}
}

// blocks is the inverse of Geometry.run: r covers blocks [from, to).
func (r Run) blocks() (from, to int) {
	return int(uint(r.Begin) / BlockSize), int(uint(r.Begin+r.Length+BlockSize-1) / BlockSize)
}
