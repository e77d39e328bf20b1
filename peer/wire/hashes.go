package wire

import (
	"encoding/binary"

	"starling/metainfo/merkle"
	"starling/p2p"
)

const (
	// HashHead is the length of HREQ and HREJ, and of HASH before the hashes.
	HashHead = 48
	// MaxHashes bounds a HASH: the longest run, and its proof.
	MaxHashes = HashHead + (merkle.MaxLength+merkle.MaxHeight)*merkle.Size
)

// Hashes is an HREQ, HASH or HREJ (BEP 52): hashes of the tree of one file.
//
//	 0  32   the root of the tree
//	32  u32  the layer, 0 for that of the blocks
//	36  u32  the first hash
//	40  u32  how many
//	44  u32  how many layers of proof
//	48       in HASH: the hashes, then the proof
type Hashes struct {
	Root    merkle.Hash
	Request merkle.Request
	Answer  []byte
}

// ParseHashes reads one. Answer is a part of head. What is asked is checked against
// the tree by merkle.Request.Check.
func ParseHashes(head []byte) (Hashes, error) {
	var h Hashes
	if len(head) < HashHead || (len(head)-HashHead)%merkle.Size != 0 {
		return h, p2p.Violation(p2p.ReasonBadMessage, "hashes of %d bytes", len(head))
	}
	copy(h.Root[:], head)
	u := func(at int) int64 { return int64(binary.BigEndian.Uint32(head[at:])) }
	h.Request = merkle.Request{Base: int(u(32)), Index: u(36), Length: u(40), ProofLayers: int(u(44))}
	h.Answer = head[HashHead:]
	return h, nil
}

// Append appends the head of one.
func (h *Hashes) Append(b []byte) []byte {
	b = append(b, h.Root[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(h.Request.Base))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Request.Index))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Request.Length))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Request.ProofLayers))
	return append(b, h.Answer...)
}
