package wire

import (
	"encoding/binary"

	"starling/p2p"
)

// InfoSize is the length of an INFO.
const InfoSize = 10

// Flags of INFO. Unknown bits are ignored.
const (
	// InfoUploadOnly: the sender wants nothing, now or later (BEP 21).
	InfoUploadOnly = 1 << iota
	// InfoPEX: it reads PEEX.
	InfoPEX
	// InfoMeta: it answers META.
	InfoMeta
)

// Info is what BEP 10's handshake says of a remote, and BEP 3's does not.
//
//	0  u16  the port the sender listens on, 0 if it does not say
//	2  u16  how many requests it queues, 0 if it does not say
//	4  u16  flags
//	6  u32  the length of the info dictionary in bytes, 0 if it has none
type Info struct {
	ListenPort uint16
	MaxQueue   uint16
	Flags      uint16
	Metadata   uint32
}

// Append appends the head of an INFO.
func (i *Info) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, i.ListenPort)
	b = binary.BigEndian.AppendUint16(b, i.MaxQueue)
	b = binary.BigEndian.AppendUint16(b, i.Flags)
	return binary.BigEndian.AppendUint32(b, i.Metadata)
}

// ParseInfo reads an INFO; a later version may be longer.
func ParseInfo(head []byte) (Info, error) {
	if len(head) < InfoSize {
		return Info{}, p2p.Violation(p2p.ReasonBadMessage, "an INFO of %d bytes", len(head))
	}
	return Info{
		ListenPort: binary.BigEndian.Uint16(head),
		MaxQueue:   binary.BigEndian.Uint16(head[2:]),
		Flags:      binary.BigEndian.Uint16(head[4:]),
		Metadata:   binary.BigEndian.Uint32(head[6:]),
	}, nil
}
