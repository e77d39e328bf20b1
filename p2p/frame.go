package p2p

import "encoding/binary"

// AppendHeader appends a frame's header to b: the type's four bytes and length,
// which is that of the data that follows, big-endian ("!4sL" in the paper).
// length must be in [0, 2^32).
func AppendHeader(b []byte, t Type, length int) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(t))
	return binary.BigEndian.AppendUint32(b, uint32(length))
}

// ParseHeader reads a frame's header from the first HeaderSize bytes of b,
// which must be that long. The type's ASCII letters come back upper-cased, as
// the paper's receiver does. The length is the other side's claim: compare it
// with Limits before anything is allocated for it.
func ParseHeader(b []byte) (Type, uint32) {
	_ = b[HeaderSize-1]
	return upper(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:])
}

// upper upper-cases the ASCII letters among four bytes.
func upper(t uint32) Type {
	for shift := 0; shift < 32; shift += 8 {
		if c := byte(t >> shift); 'a' <= c && c <= 'z' {
			t -= 0x20 << shift
		}
	}
	return Type(t)
}
