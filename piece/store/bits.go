package store

import "math/bits"

// bitset is a set of pieces in the wire's order: piece 0 is the highest bit of
// the first byte (BEP 3).
type bitset []byte

func newBits(n int) bitset { return make(bitset, (n+7)/8) }

func (b bitset) has(i int) bool { return b[i>>3]&(0x80>>(i&7)) != 0 }
func (b bitset) set(i int)      { b[i>>3] |= 0x80 >> (i & 7) }
func (b bitset) clear(i int)    { b[i>>3] &^= 0x80 >> (i & 7) }

func (b bitset) count() int {
	n := 0
	for _, c := range b {
		n += bits.OnesCount8(c)
	}
	return n
}

// covers reports whether b has everything that o has.
func (b bitset) covers(o bitset) bool {
	for i, c := range o {
		if c&^b[i] != 0 {
			return false
		}
	}
	return true
}

// minus returns what b has and o has not.
func (b bitset) minus(o bitset) bitset {
	out := make(bitset, len(b))
	for i := range b {
		out[i] = b[i] &^ o[i]
	}
	return out
}

// plus returns what b or o has.
func (b bitset) plus(o bitset) bitset {
	out := b.clone()
	for i := range o {
		out[i] |= o[i]
	}
	return out
}

// each calls fn for every member, ascending.
func (b bitset) each(fn func(i int)) {
	for i, c := range b {
		for ; c != 0; c &^= 0x80 >> bits.LeadingZeros8(c) {
			fn(i<<3 + bits.LeadingZeros8(c))
		}
	}
}

func (b bitset) clone() bitset { return append(make(bitset, 0, len(b)), b...) }
