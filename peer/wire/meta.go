package wire

import (
	"starling/internal/benc"
	"starling/p2p"
)

const (
	// MetaPart is how many bytes of the info dictionary are in one META; the
	// last has what remains (BEP 9).
	MetaPart = 16 << 10
	// MaxMeta bounds a META: a part, and the dictionary before it.
	MaxMeta = MetaPart + 256
)

// The kinds of META (BEP 9). Others are to be ignored.
const (
	MetaRequest = iota
	MetaData
	MetaReject
)

// Meta is a ut_metadata message (BEP 9): a dictionary, and behind it, in data, the
// bytes of the part.
type Meta struct {
	Kind, Part int64
	Total      int64 // of the whole info dictionary, in bytes; in data only
	Data       []byte
}

// ParseMeta reads a META. Data is a part of head. What is not said is -1.
func ParseMeta(head []byte) (Meta, error) {
	m := Meta{Kind: -1, Part: -1, Total: -1}
	n, err := benc.ScanPrefix(head, benc.WireLimits())
	if err != nil || !benc.IsDict(head[:n]) {
		return m, p2p.Violation(p2p.ReasonBadMessage, "a META that begins with no dictionary")
	}
	for key, value := range benc.Dict(head[:n]) {
		v, ok := benc.Int(value)
		switch {
		case !ok:
		case string(key) == "msg_type":
			m.Kind = v
		case string(key) == "piece":
			m.Part = v
		case string(key) == "total_size":
			m.Total = v
		}
	}
	m.Data = head[n:]
	return m, nil
}

// Append appends the head of a META.
func (m *Meta) Append(b []byte) []byte {
	b = append(b, 'd')
	b = benc.AppendInt(benc.AppendString(b, "msg_type"), m.Kind)
	b = benc.AppendInt(benc.AppendString(b, "piece"), m.Part)
	if m.Kind == MetaData {
		b = benc.AppendInt(benc.AppendString(b, "total_size"), m.Total)
	}
	return append(append(b, 'e'), m.Data...)
}
