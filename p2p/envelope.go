package p2p

import "encoding/binary"

// MSID is the envelope that correlates requests and replies on a connection
// that stays open. Its data is
//
//	id     u32   chosen by the asker, unique among its open requests on the connection
//	flags  u8    bit 0: a reply; bit 1: the last reply; the others are zero
//	type   [4]   of the message inside
//	data         of the message inside
//
// A request is one frame. It is answered by zero or more replies with its id and
// then by one frame flagged reply and last, which may leave out type and data
// and so hold no message. Plain frames on the connection keep the paper's bytes.
// A peer that does not know the envelope passes over it like any unknown type.
const MSID = Type('M'<<24 | 'S'<<16 | 'I'<<8 | 'D')

const (
	envHeader   = 5 // id and flags
	envOverhead = envHeader + 4

	envReply = 1 << 0
	envLast  = 1 << 1
)

// envelope is an MSID's data.
type envelope struct {
	id          uint32
	reply, last bool
	// full is false where there is no message inside.
	full bool
	typ  Type
	data []byte
}

// appendEnvelope appends the data of an MSID up to where the data of the message
// inside begins.
func appendEnvelope(b []byte, id uint32, flags byte, t Type) []byte {
	b = binary.BigEndian.AppendUint32(b, id)
	b = append(b, flags)
	return binary.BigEndian.AppendUint32(b, uint32(t))
}

// parseEnvelope reads the data of an MSID. The data inside aliases b.
func parseEnvelope(b []byte) (e envelope, err error) {
	if len(b) < envHeader {
		return e, Violation(ReasonBadMessage, "MSID of %d bytes", len(b))
	}
	flags := b[4]
	e.id = binary.BigEndian.Uint32(b)
	e.reply, e.last = flags&envReply != 0, flags&envLast != 0
	switch {
	case flags&^(envReply|envLast) != 0, e.last && !e.reply:
		return e, Violation(ReasonBadMessage, "MSID with flags %#x", flags)
	case len(b) >= envOverhead:
		e.full = true
		e.typ = upper(binary.BigEndian.Uint32(b[envHeader:]))
		e.data = b[envOverhead:]
	case len(b) > envHeader || !e.last:
		return e, Violation(ReasonBadMessage, "MSID of %d bytes", len(b))
	}
	if e.typ == MSID {
		return e, Violation(ReasonBadMessage, "MSID in an MSID")
	}
	return e, nil
}
