package sim

import "starling/p2p"

// Bytes is a payload that has its bytes, for protocols that look into what they
// receive. A payload of another type may be a length only.
type Bytes []byte

// Size implements p2p.Payload.
func (b Bytes) Size() int { return len(b) }

// Release implements p2p.Payload.
func (b Bytes) Release() {}

// Bytes are the bytes.
func (b Bytes) Bytes() []byte { return b }

// needsSplit says whether a receiver cuts a message elsewhere than its sender
// did.
func needsSplit(m *p2p.Message, head int) bool {
	if m.Body == nil {
		return head > 0 && len(m.Head) > head
	}
	return head == 0 || len(m.Head) != head
}

// split cuts a message where its receiver's Spec says. The bytes of a payload
// that has none are zeros.
func split(m *p2p.Message, head int) {
	data := m.Head
	if m.Body != nil {
		b := make([]byte, m.Body.Size())
		if v, ok := m.Body.(interface{ Bytes() []byte }); ok {
			copy(b, v.Bytes())
		}
		data = append(data[:len(data):len(data)], b...)
		m.Body.Release()
	}
	m.Head, m.Body = data, nil
	if head > 0 && len(data) > head {
		m.Head, m.Body = data[:head:head], Bytes(data[head:])
	}
}
