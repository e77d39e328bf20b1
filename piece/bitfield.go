package piece

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
	"slices"
)

// Bitfield is a set of piece indices in [0, Len). The highest bit of a word is
// its lowest index, so the words in big-endian order are the bytes of BEP 3's
// bitfield message. Bits past Len are always zero.
type Bitfield struct {
	words []uint64
	n     int
	count int
}

// NewBitfield returns an empty set over n pieces.
func NewBitfield(n int) *Bitfield {
	return &Bitfield{words: make([]uint64, (n+63)/64), n: n}
}

// BitfieldFromBytes reads the payload of a bitfield message of a torrent of n
// pieces. It refuses a length other than ceil(n/8) bytes and a spare bit that
// is set; BEP 3 lets the receiver close the connection on either. It keeps no
// reference to b.
func BitfieldFromBytes(b []byte, n int) (*Bitfield, error) {
	if want := (n + 7) / 8; len(b) != want {
		return nil, fmt.Errorf("piece: bitfield of %d bytes, want %d for %d pieces", len(b), want, n)
	}
	if spare := len(b)*8 - n; spare > 0 && b[len(b)-1]&(1<<spare-1) != 0 {
		return nil, fmt.Errorf("piece: bitfield with a spare bit set after %d pieces", n)
	}
	f := NewBitfield(n)
	for i := range f.words {
		var last [8]byte
		if len(b) >= 8 {
			f.words[i] = binary.BigEndian.Uint64(b)
			b = b[8:]
		} else {
			copy(last[:], b)
			f.words[i] = binary.BigEndian.Uint64(last[:])
		}
		f.count += bits.OnesCount64(f.words[i])
	}
	return f, nil
}

// Len is the number of pieces the set is over.
func (f *Bitfield) Len() int { return f.n }

// Count is the number of pieces in the set, in O(1).
func (f *Bitfield) Count() int { return f.count }

// All says whether every piece is in the set.
func (f *Bitfield) All() bool { return f.count == f.n }

// None says whether no piece is in the set.
func (f *Bitfield) None() bool { return f.count == 0 }

// Has says whether i is in the set; an i outside [0, Len) is not.
func (f *Bitfield) Has(i int) bool {
	return uint(i) < uint(f.n) && f.words[i>>6]&bit(i) != 0
}

// Set puts i into the set and says whether it was new. It panics if i is
// outside [0, Len).
func (f *Bitfield) Set(i int) bool {
	f.check(i)
	w := &f.words[i>>6]
	if *w&bit(i) != 0 {
		return false
	}
	*w |= bit(i)
	f.count++
	return true
}

// Clear takes i out of the set and says whether it was there. It panics if i
// is outside [0, Len).
func (f *Bitfield) Clear(i int) bool {
	f.check(i)
	w := &f.words[i>>6]
	if *w&bit(i) == 0 {
		return false
	}
	*w &^= bit(i)
	f.count--
	return true
}

// SetAll puts every piece into the set: BEP 6's "have all".
func (f *Bitfield) SetAll() {
	for i := range f.words {
		f.words[i] = ^uint64(0)
	}
	if spare := len(f.words)*64 - f.n; spare > 0 {
		f.words[len(f.words)-1] <<= spare
	}
	f.count = f.n
}

// Ones yields the set in ascending order. The set must not change meanwhile.
func (f *Bitfield) Ones() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w, word := range f.words {
			for word != 0 {
				i := bits.LeadingZeros64(word)
				word &^= bit(i)
				if !yield(w<<6 + i) {
					return
				}
			}
		}
	}
}

// Bytes returns the set as the payload of a bitfield message, ceil(Len/8)
// bytes that the caller owns.
func (f *Bitfield) Bytes() []byte {
	b := make([]byte, 0, len(f.words)*8)
	for _, w := range f.words {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return b[:(f.n+7)/8]
}

// Clone returns a copy that shares nothing with f.
func (f *Bitfield) Clone() *Bitfield {
	return &Bitfield{words: slices.Clone(f.words), n: f.n, count: f.count}
}

// Common is the number of pieces in both f and g, which are over the same
// number of pieces.
func (f *Bitfield) Common(g *Bitfield) int {
	n := 0
	for i, w := range f.words {
		n += bits.OnesCount64(w & g.words[i])
	}
	return n
}

// Intersects says whether any piece is in both f and g, which are over the
// same number of pieces.
func (f *Bitfield) Intersects(g *Bitfield) bool {
	for i, w := range f.words {
		if w&g.words[i] != 0 {
			return true
		}
	}
	return false
}

func (f *Bitfield) check(i int) {
	if uint(i) >= uint(f.n) {
		panic(fmt.Sprintf("piece: index %d outside a bitfield of %d", i, f.n))
	}
}

// bit is the mask of index i within its word.
func bit(i int) uint64 { return 1 << (63 - uint(i)&63) }
