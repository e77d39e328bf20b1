package mse

import "bytes"

// Kind is what an accepted connection speaks.
type Kind uint8

// The kinds.
const (
	// Unknown asks for more bytes: those so far fit more than one kind.
	Unknown Kind = iota
	// BEP3 is a BitTorrent handshake in the clear.
	BEP3
	// Native is a frame of the framework's own wire.
	Native
	// Hidden is anything else, so a handshake of this package or nothing.
	Hidden
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case BEP3:
		return "bep3"
	case Native:
		return "native"
	case Hidden:
		return "hidden"
	}
	return "unknown"
}

// SniffSize is how many bytes Sniff needs at most.
const SniffSize = len(bep3)

const (
	bep3 = "\x13BitTorrent protocol"
	// A frame of package p2p begins with four letters and with a length of
	// four bytes, of which the first two are zero in a first message.
	typeSize  = 4
	frameMark = typeSize + 2
)

// Sniff tells from its first bytes what the other end of an accepted connection
// speaks. A caller that reads byte by byte asks again for each, while the answer
// is Unknown; SniffSize bytes are never that.
//
// A public key is random, so one in 600 begins with four letters, as a frame
// does: a frame is also known by its length, which is less than 65,536 in any
// message that may come first. What is taken for the wrong kind after that is
// one in 38 million.
func Sniff(b []byte) Kind {
	b = b[:min(len(b), SniffSize)]
	if bytes.HasPrefix([]byte(bep3), b) {
		if len(b) < len(bep3) {
			return Unknown
		}
		return BEP3
	}
	for i, c := range b[:min(len(b), frameMark)] {
		letter := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if i < typeSize && !letter || i >= typeSize && c != 0 {
			return Hidden
		}
	}
	if len(b) < frameMark {
		return Unknown
	}
	return Native
}
