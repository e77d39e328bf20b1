package bt

import (
	"encoding/binary"

	"starling/p2p"
	"starling/peer/wire"
)

// appendMessage appends the counterpart of m, or nothing where there is none.
func (c *Codec) appendMessage(b []byte, m *p2p.Message) []byte {
	switch m.Type {
	case wire.HELO:
		if c.greeted {
			return b
		}
		return c.appendHandshake(b, m.Head)
	case wire.CHOK:
		return appendHeader(b, idChoke, 0)
	case wire.UNCH:
		return appendHeader(b, idUnchoke, 0)
	case wire.INTR:
		return appendHeader(b, idInterested, 0)
	case wire.NINT:
		return appendHeader(b, idNotInterested, 0)
	case wire.HAVE:
		for h := m.Head; len(h) >= 4; h = h[4:] {
			b = append(appendHeader(b, idHave, 4), h[:4]...)
		}
		return b
	case wire.BITF:
		return append(appendHeader(b, idBitfield, len(m.Head)), m.Head...)
	case wire.HALL:
		return c.appendFast(b, idHaveAll, nil)
	case wire.HNON:
		return c.appendFast(b, idHaveNone, nil)
	case wire.REQU:
		return append(appendHeader(b, idRequest, len(m.Head)), m.Head...)
	case wire.CANC:
		return append(appendHeader(b, idCancel, len(m.Head)), m.Head...)
	case wire.REJE:
		return c.appendFast(b, idReject, m.Head)
	case wire.PIEC:
		return append(appendHeader(b, idPiece, m.Len()), m.Head...)
	case wire.HREQ:
		return append(appendHeader(b, idHashRequest, len(m.Head)), m.Head...)
	case wire.HASH:
		return append(appendHeader(b, idHashes, len(m.Head)), m.Head...)
	case wire.HREJ:
		return append(appendHeader(b, idHashReject, len(m.Head)), m.Head...)
	case p2p.PING:
		return append(b, 0, 0, 0, 0) // keep-alive
	}
	return c.appendExtended(b, m)
}

// appendHeader appends the length of a message, its id counted, and the id.
func appendHeader(b []byte, id byte, payload int) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(1+payload))
	return append(b, id)
}

// appendFast appends a message of BEP 6 for who has it.
func (c *Codec) appendFast(b []byte, id byte, payload []byte) []byte {
	if !c.fast {
		return b
	}
	return append(appendHeader(b, id, len(payload)), payload...)
}
