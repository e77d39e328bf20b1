package piece

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestGeometry(t *testing.T) {
	for _, c := range []struct {
		total, length            int64
		pieces, lastSize, blocks int // of the last piece
	}{
		{1, 16 << 10, 1, 1, 1},
		{16 << 10, 16 << 10, 1, 16 << 10, 1},
		{16<<10 + 1, 16 << 10, 2, 1, 1},
		{1 << 20, 256 << 10, 4, 256 << 10, 16},
		{1<<20 + 16<<10 + 5, 256 << 10, 5, 16<<10 + 5, 2},
		{MaxPieces * MaxPieceLength, MaxPieceLength, MaxPieces, MaxPieceLength, 4096},
	} {
		g := Geometry{TotalLength: c.total, PieceLength: c.length}
		if err := g.Validate(); err != nil {
			t.Errorf("%+v: %v", g, err)
		}
		last := c.pieces - 1
		if g.NumPieces() != c.pieces || g.PieceSize(last) != c.lastSize || g.NumBlocks(last) != c.blocks {
			t.Errorf("%+v: %d pieces, the last of %d bytes, %d blocks", g, g.NumPieces(), g.PieceSize(last), g.NumBlocks(last))
		}
		if last > 0 && g.PieceSize(0) != int(c.length) {
			t.Errorf("%+v: first piece of %d bytes", g, g.PieceSize(0))
		}
	}
	if g := (Geometry{PieceLength: 16 << 10}); g.Validate() != nil || g.NumPieces() != 0 {
		t.Error("an empty torrent has no pieces and is valid")
	}
}

func TestGeometryRefuses(t *testing.T) {
	for _, c := range [][2]int64{
		{1, 0}, {1, -1}, {1, 3}, {1, 8 << 10}, {1, 128 << 20}, {1, 1 << 40}, {1, 16<<10 + 1}, {1, math.MinInt64},
		{-1, 16 << 10},
		{MaxPieces*(16<<10) + 1, 16 << 10},
		{math.MaxInt64, MaxPieceLength},
	} {
		g := Geometry{TotalLength: c[0], PieceLength: c[1]}
		if g.Validate() == nil {
			t.Errorf("%+v is valid", g)
		}
	}
}

func TestContains(t *testing.T) {
	const b = BlockSize
	g := Geometry{TotalLength: 8*b + b + 5, PieceLength: 4 * b} // two pieces of 4 blocks, one of 1 block and 5 bytes
	for _, c := range []struct {
		r  Run
		ok bool
	}{
		{Run{0, 0, b}, true},
		{Run{1, b, 3 * b}, true},
		{Run{2, b, 5}, true},
		{Run{2, 0, b + 5}, true},
		{Run{2, 0, b}, true},
		{Run{3, 0, b}, false},
		{Run{-1, 0, b}, false},
		{Run{0, 0, 0}, false},
		{Run{0, 0, -b}, false},
		{Run{0, 5, b}, false},
		{Run{0, -b, b}, false},
		{Run{0, 4 * b, b}, false},
		{Run{0, 0, b + 1}, false},
		{Run{0, b, 4 * b}, false},
		{Run{2, b, 4}, false},
		{Run{2, b, b}, false},
		{Run{0, b, math.MaxInt}, false},
		{Run{0, math.MaxInt, b}, false},
		{Run{math.MinInt, 0, b}, false},
	} {
		if g.Contains(c.r) != c.ok {
			t.Errorf("%+v: %v", c.r, !c.ok)
		}
		if !c.ok {
			continue
		}
		from, to := c.r.blocks()
		if got := g.run(c.r.Piece, from, to); got != c.r {
			t.Errorf("%+v: blocks [%d, %d) are %+v", c.r, from, to, got)
		}
	}
}

// The pieces of files of random lengths, one file after the other.
func TestAligned(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 5))
		length := int64(BlockSize) << rng.IntN(3)
		var files []int64
		var want []int
		for range rng.IntN(12) {
			n := rng.Int64N(3 * length)
			switch rng.IntN(4) {
			case 0:
				n = 0
			case 1:
				n = n / length * length
			}
			files = append(files, n)
			for ; n > 0; n -= length {
				want = append(want, int(min(n, length)))
			}
		}
		g, err := Aligned(length, slices.Values(files))
		if err != nil || g.Validate() != nil || g.NumPieces() != len(want) {
			t.Fatalf("%v in pieces of %d: %d, want %d: %v", files, length, g.NumPieces(), len(want), err)
		}
		for i, size := range want {
			blocks := (size + BlockSize - 1) / BlockSize
			if g.PieceSize(i) != size || g.NumBlocks(i) != blocks {
				t.Fatalf("%v in pieces of %d: piece %d has %d bytes, want %d", files, length, i, g.PieceSize(i), size)
			}
			all := g.run(i, 0, blocks)
			if !g.Contains(all) || all.Length != size || g.Contains(Run{i, 0, size + 1}) || g.Contains(Run{i, blocks * BlockSize, 1}) {
				t.Fatalf("%v: piece %d is %+v", files, i, all)
			}
		}
		if g.Contains(Run{len(want), 0, 1}) {
			t.Fatal("a run past the end")
		}
	}
}

func TestAlignedRefuses(t *testing.T) {
	for _, c := range []struct {
		length int64
		files  []int64
	}{
		{8 << 10, []int64{1}},
		{1 << 14, []int64{5, -1}},
		{1 << 14, []int64{MaxPieces<<14 + 1}},
		{1 << 14, []int64{1, MaxPieces<<14 - 1<<14 + 1}},
		{1 << 14, []int64{1, math.MaxInt64}},
	} {
		if _, err := Aligned(c.length, slices.Values(c.files)); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if g, err := Aligned(1<<14, slices.Values([]int64{1, MaxPieces<<14 - 1<<14})); err != nil || g.NumPieces() != MaxPieces {
		t.Error("as many pieces as may be:", err)
	}
}

// TestPadded: blocks at the end of a piece that are padding are not asked for; those
// with a byte of content are, and so is what is padding and nothing else.
func TestPadded(t *testing.T) {
	const b = BlockSize
	g := Geometry{TotalLength: 13*b + 5, PieceLength: 4 * b}
	pads := [][2]int64{
		{b, 3 * b},             // to the end of piece 0
		{4*b + 1, 2 * b},       // within piece 1
		{7*b + 1, b - 1},       // to its end, in its last block
		{8*b + b + 5, 4*b + b}, // from piece 2 to the end of the last
	}
	p := g.Padded(func(yield func(int64, int64) bool) {
		for _, x := range pads {
			if !yield(x[0], x[1]) {
				return
			}
		}
	})
	for i, want := range []int{b, 4*b - b + 1, b + 5, 0} {
		if got := p.DataSize(i); got != want {
			t.Errorf("piece %d: %d bytes without padding, want %d", i, got, want)
		}
	}
	for i, want := range []int{b, 4 * b, 2 * b, b + 5} {
		if got := p.AskSize(i); got != want {
			t.Errorf("piece %d: %d bytes to ask for, want %d", i, got, want)
		}
		if g.AskSize(i) != g.PieceSize(i) || p.PieceSize(i) != g.PieceSize(i) || g.AskBlocks(i) != g.NumBlocks(i) {
			t.Errorf("piece %d: not all without padding", i)
		}
	}
}
