package peer

import (
	"encoding/binary"

	"starling/p2p"
	"starling/piece"
)

// The messages of the swarm protocol. A head is big-endian throughout; every
// number is a u32 unless it says otherwise. docs/wire.md has the whole of it.
var (
	typeHello = p2p.T("HELO") // see hello.go; the first message both ways

	// Exactly one of these follows HELO (as in BEP 6).
	typeBitfield = p2p.T("BITF") // the pieces the sender has, MSB first
	typeHaveAll  = p2p.T("HALL") // empty
	typeHaveNone = p2p.T("HNON") // empty

	typeHave      = p2p.T("HAVE") // 1 to maxIndexes piece indexes
	typeDontHave  = p2p.T("DONT") // one piece index: a HAVE taken back (BEP 54)
	typeInterest  = p2p.T("INTR") // empty
	typeNoInter   = p2p.T("NINT") // empty
	typeChoke     = p2p.T("CHOK") // empty
	typeUnchoke   = p2p.T("UNCH") // empty
	typeRequest   = p2p.T("REQU") // index, begin, length
	typeCancel    = p2p.T("CANC") // index, begin, length
	typeReject    = p2p.T("REJE") // index, begin, length: the request will not be served
	typePiece     = p2p.T("PIEC") // index, begin, then the bytes
	typeSuggest   = p2p.T("SUGG") // up to maxIndexes piece indexes, best first; see spread.go
	typeKeepAlive = p2p.PING      // empty; the framework's
)

const (
	// maxRun is the most bytes that one request may cover, and so one PIEC
	// carry: a whole piece of the default length.
	maxRun = 256 << 10
	// maxIndexes bounds HAVE and SUGG.
	maxIndexes = 1024
	// maxQueue is how many requests of one remote we hold; we say so in HELO.
	maxQueue = 64

	requestHead = 12
	pieceHead   = 8
)

// TypeHello is the type of the message that opens every swarm connection: what
// a session looks at to find the torrent that a new connection is for.
func TypeHello() p2p.Type { return typeHello }

// run is the wire's name for a stretch of one piece: index, begin, length.
func appendRun(b []byte, r piece.Run) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(r.Piece))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Begin))
	return binary.BigEndian.AppendUint32(b, uint32(r.Length))
}

// parseRun reads a run and holds it against the geometry: the piece exists,
// and the run lies within it and within maxRun. The arithmetic is on int64 of
// unsigned 32-bit values, so that begin+length cannot wrap.
func parseRun(head []byte, g piece.Geometry) (piece.Run, error) {
	if len(head) != requestHead {
		return piece.Run{}, p2p.Violation(p2p.ReasonBadMessage, "a request of %d bytes, not %d", len(head), requestHead)
	}
	i := int64(binary.BigEndian.Uint32(head))
	begin := int64(binary.BigEndian.Uint32(head[4:]))
	length := int64(binary.BigEndian.Uint32(head[8:]))
	return checkRun(i, begin, length, g)
}

func checkRun(i, begin, length int64, g piece.Geometry) (piece.Run, error) {
	if i >= int64(g.NumPieces()) {
		return piece.Run{}, p2p.Violation(p2p.ReasonBadMessage, "piece %d of %d", i, g.NumPieces())
	}
	size := int64(g.PieceSize(int(i)))
	if length == 0 || length > maxRun || begin+length > size {
		return piece.Run{}, p2p.Violation(p2p.ReasonBadMessage,
			"bytes %d+%d of piece %d, which has %d", begin, length, i, size)
	}
	return piece.Run{Piece: int(i), Begin: int(begin), Length: int(length)}, nil
}

// parseIndexes calls fn for each index of a HAVE or SUGG and fails where the
// message is empty, ragged, too long, or names a piece that does not exist.
func parseIndexes(head []byte, numPieces int, fn func(i int)) error {
	if len(head) == 0 || len(head)%4 != 0 || len(head) > 4*maxIndexes {
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

func appendIndexes(b []byte, is []int) []byte {
	for _, i := range is {
		b = binary.BigEndian.AppendUint32(b, uint32(i))
	}
	return b
}
