package wire

import (
	"encoding/binary"

	"starling/p2p"
)

// Version is the version of the swarm protocol that HELO carries.
const Version = 1

// HelloSize is the length of a HELO without its extensions, MaxHello at most with.
const (
	HelloSize = 52
	MaxHello  = 1024
)

// Capability bits of HELO. Unknown bits are ignored.
const (
	// CapSuggest: the sender reads SUGG.
	CapSuggest = 1 << iota
	// CapInfo: the sender reads INFO and may send it.
	CapInfo
	// CapBlocks: the sender asks for one block of 16 KiB at a time, and so for
	// many at once.
	CapBlocks
	// CapSilent: the sender does not answer what it will not serve. Its CHOK
	// drops all requests, and after a CANC nothing may come (BEP 3, without
	// BEP 6).
	CapSilent
	// CapParts: the sender reads PART, answers HREQ for the blocks of a piece that it
	// has or has a PART of, and may send both. It has a torrent of v2.
	CapParts
)

// Hello is the first message of a swarm connection, both ways.
//
//	 0  u16  version, 1
//	 2  u16  capabilities, a bit each
//	 4  20   infohash
//	24  20   peer id, random per process
//	44  u16  the port the sender listens on, 0 if none
//	46  u16  how many requests the sender queues before it rejects
//	48  u32  the longest request the sender serves, bytes
//	52       extensions: u16 key, u16 length, bytes, any number of them;
//	         unknown keys are skipped
type Hello struct {
	Version    uint16
	Caps       uint16
	InfoHash   [20]byte
	PeerID     [20]byte
	ListenPort uint16
	MaxQueue   uint16
	MaxRequest uint32
}

// Append appends the head of a HELO.
func (h *Hello) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.Version)
	b = binary.BigEndian.AppendUint16(b, h.Caps)
	b = append(b, h.InfoHash[:]...)
	b = append(b, h.PeerID[:]...)
	b = binary.BigEndian.AppendUint16(b, h.ListenPort)
	b = binary.BigEndian.AppendUint16(b, h.MaxQueue)
	return binary.BigEndian.AppendUint32(b, h.MaxRequest)
}

// ParseHello reads a HELO. A later version must keep the fixed part, so any
// version but 0 parses.
func ParseHello(head []byte) (Hello, error) {
	var h Hello
	if len(head) < HelloSize || len(head) > MaxHello {
		return h, p2p.Violation(p2p.ReasonHandshake, "a HELO of %d bytes", len(head))
	}
	h.Version = binary.BigEndian.Uint16(head)
	h.Caps = binary.BigEndian.Uint16(head[2:])
	copy(h.InfoHash[:], head[4:])
	copy(h.PeerID[:], head[24:])
	h.ListenPort = binary.BigEndian.Uint16(head[44:])
	h.MaxQueue = binary.BigEndian.Uint16(head[46:])
	h.MaxRequest = binary.BigEndian.Uint32(head[48:])
	if h.Version == 0 || h.MaxQueue == 0 || h.MaxRequest < 16<<10 {
		return h, p2p.Violation(p2p.ReasonHandshake, "a HELO with version %d, queue %d, longest request %d",
			h.Version, h.MaxQueue, h.MaxRequest)
	}
	for ext := head[HelloSize:]; len(ext) > 0; {
		if len(ext) < 4 || int(binary.BigEndian.Uint16(ext[2:])) > len(ext)-4 {
			return h, p2p.Violation(p2p.ReasonHandshake, "a HELO with a cut-off extension")
		}
		ext = ext[4+int(binary.BigEndian.Uint16(ext[2:])):]
	}
	return h, nil
}
