package peer

import (
	"testing"

	"starling/piece"
)

// TestLied tries a failed attempt at a piece of eight blocks: who gave which of
// them, which of them were wrong, and who is to be held responsible.
func TestLied(t *testing.T) {
	give := func(id byte, from, to int) contribution {
		return contribution{
			run:    piece.Run{Begin: from * piece.BlockSize, Length: (to - from) * piece.BlockSize},
			peerID: [20]byte{id},
		}
	}
	for _, tt := range []struct {
		name  string
		from  []contribution
		wrong []int
		liars string // by peer, in the order of from
	}{
		{"one run is wrong", []contribution{give('a', 0, 4), give('b', 4, 8)}, []int{5}, "b"},
		{"two are", []contribution{give('a', 0, 4), give('b', 4, 8)}, []int{0, 7}, "ab"},
		{"a late answer over an honest one", []contribution{give('a', 0, 4), give('b', 4, 6), give('c', 4, 8)}, []int{4, 5, 6, 7}, "c"},
		{"and wrong only where both gave", []contribution{give('a', 0, 4), give('b', 4, 6), give('c', 4, 8)}, []int{4}, ""},
		{"one's own runs overlap", []contribution{give('a', 0, 8), give('b', 2, 4), give('b', 2, 8)}, []int{2}, ""},
		{"nobody else gave it", []contribution{give('a', 0, 4), give('b', 4, 6), give('b', 4, 8)}, []int{4}, "bb"},
		{"none is wrong", []contribution{give('a', 0, 4), give('b', 4, 8)}, nil, ""},
	} {
		right, sums := make([]uint64, 8), make([]uint64, 8)
		for _, k := range tt.wrong {
			sums[k] = 1
		}
		f, liars := &failure{from: tt.from, sums: sums}, ""
		for _, c := range tt.from {
			if f.lied(c, right) {
				liars += string(c.peerID[:1])
			}
		}
		if liars != tt.liars {
			t.Errorf("%s: %q lied, want %q", tt.name, liars, tt.liars)
		}
	}
	f := &failure{from: []contribution{give('a', 0, 8)}, sums: make([]uint64, 3)}
	if f.lied(f.from[0], []uint64{0, 0, 0, 9}) {
		t.Error("a block without a sum accuses")
	}
}
