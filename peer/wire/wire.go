package wire

import (
	"encoding/binary"

	"starling/p2p"
	"starling/piece"
)

// The messages of the swarm protocol. A head is big-endian throughout; every
// number is a u32 unless it says otherwise. docs/wire.md has the whole of it.
var (
	HELO = p2p.T("HELO") // see hello.go; the first message both ways

	// Exactly one of these follows HELO (as in BEP 6).
	BITF = p2p.T("BITF") // the pieces the sender has, MSB first
	HALL = p2p.T("HALL") // empty
	HNON = p2p.T("HNON") // empty

	HAVE = p2p.T("HAVE") // 1 to MaxIndexes piece indexes
	DONT = p2p.T("DONT") // one piece index: a HAVE taken back (BEP 54)
	INTR = p2p.T("INTR") // empty
	NINT = p2p.T("NINT") // empty
	CHOK = p2p.T("CHOK") // empty
	UNCH = p2p.T("UNCH") // empty
	REQU = p2p.T("REQU") // index, begin, length
	CANC = p2p.T("CANC") // index, begin, length
	REJE = p2p.T("REJE") // index, begin, length: the request will not be served
	PIEC = p2p.T("PIEC") // index, begin, then the bytes
	SUGG = p2p.T("SUGG") // up to MaxIndexes piece indexes, best first; see spread.go

	// What only some remotes understand: see Info.
	INFO = p2p.T("INFO") // what HELO did not say, or what has changed since
	PEEX = p2p.T("PEEX") // peers that came and went: a ut_pex dictionary (BEP 11)
	META = p2p.T("META") // a ut_metadata message: a part of the info dictionary (BEP 9)

	// Hashes of v2 torrents (BEP 52): see Hashes.
	HREQ = p2p.T("HREQ") // asks for some
	HASH = p2p.T("HASH") // is some
	HREJ = p2p.T("HREJ") // says that there will be none

	// PART: index, begin, length of whole blocks that the sender has verified one
	// by one, of a piece that it has not whole. It goes to who has CapParts.
	PART = p2p.T("PART")
)

const (
	// MaxRun is the most bytes that one request may cover, and so one PIEC
	// carry: a whole piece of the default length.
	MaxRun = 256 << 10
	// MaxIndexes bounds HAVE and SUGG.
	MaxIndexes = 1024
	// DefaultQueue is how many requests of one remote a starling holds.
	DefaultQueue = 64

	// RequestHead is the length of REQU, CANC and REJE; PieceHead that of PIEC
	// before the bytes.
	RequestHead = 12
	PieceHead   = 8
)

// Declares says whether a message is one that says what the sender has, once and
// before all others.
func Declares(t p2p.Type) bool { return t == BITF || t == HALL || t == HNON }

// AppendRun appends a stretch of one piece as the wire has it: index, begin,
// length.
func AppendRun(b []byte, r piece.Run) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(r.Piece))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Begin))
	return binary.BigEndian.AppendUint32(b, uint32(r.Length))
}

// ParseRun reads a run and holds it against the geometry: the piece exists,
// and the run lies within it and within MaxRun. The arithmetic is on int64 of
// unsigned 32-bit values, so that begin+length cannot wrap.
func ParseRun(head []byte, g piece.Geometry) (piece.Run, error) {
	if len(head) != RequestHead {
		return piece.Run{}, p2p.Violation(p2p.ReasonBadMessage, "a request of %d bytes, not %d", len(head), RequestHead)
	}
	i := int64(binary.BigEndian.Uint32(head))
	begin := int64(binary.BigEndian.Uint32(head[4:]))
	length := int64(binary.BigEndian.Uint32(head[8:]))
	return CheckRun(i, begin, length, g)
}

func CheckRun(i, begin, length int64, g piece.Geometry) (piece.Run, error) {
	if i >= int64(g.NumPieces()) {
		return piece.Run{}, p2p.Violation(p2p.ReasonBadMessage, "piece %d of %d", i, g.NumPieces())
	}
	size := int64(g.PieceSize(int(i)))
	if length == 0 || length > MaxRun || begin+length > size {
		return piece.Run{}, p2p.Violation(p2p.ReasonBadMessage,
			"bytes %d+%d of piece %d, which has %d", begin, length, i, size)
	}
	return piece.Run{Piece: int(i), Begin: int(begin), Length: int(length)}, nil
}

// ParseIndexes calls fn for each index of a HAVE or SUGG and fails where the
// message is empty, ragged, too long, or names a piece that does not exist.
func ParseIndexes(head []byte, numPieces int, fn func(i int)) error {
	if len(head) == 0 || len(head)%4 != 0 || len(head) > 4*MaxIndexes {
		return p2p.Violation(p2p.ReasonBadMessage, "a list of pieces of %d bytes", len(head))
	}
	for ; len(head) > 0; head = head[4:] {
		i := binary.BigEndian.Uint32(head)
		if int64(i) >= int64(numPieces) {
			return p2p.Violation(p2p.ReasonBadMessage, "piece %d of %d", i, numPieces)
		}
		fn(int(i))
	}
	return nil
}

func AppendIndexes(b []byte, is []int) []byte {
	for _, i := range is {
		b = binary.BigEndian.AppendUint32(b, uint32(i))
	}
	return b
}
