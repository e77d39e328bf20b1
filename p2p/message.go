package p2p

import "fmt"

// HeaderSize is the length of a frame's header on the wire: a 4-byte type and
// a 4-byte big-endian length of what follows.
const HeaderSize = 8

// Type is a message's 4-byte name, held as the big-endian number of its four
// bytes so that it compares and switches as an integer.
type Type uint32

// T returns the Type whose wire bytes are s. It panics unless s has exactly
// four bytes: types are constants of a program, never input.
func T(s string) Type {
	if len(s) != 4 {
		panic(fmt.Sprintf("p2p: message type %q is not 4 bytes", s))
	}
	return Type(uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3]))
}

// String returns the four bytes, those that are not printable ASCII as '.'.
func (t Type) String() string {
	b := [4]byte{byte(t >> 24), byte(t >> 16), byte(t >> 8), byte(t)}
	for i, c := range b {
		if c < 0x20 || c > 0x7e {
			b[i] = '.'
		}
	}
	return string(b[:])
}

// Payload is the bulk part of a message. What it is depends on the host: bytes
// in a pooled buffer that just came off a socket, a section of a file that is
// about to go to one, or, in a simulation, a length without bytes. A protocol
// passes it on and never looks inside.
type Payload interface {
	// Size is the number of bytes.
	Size() int
	// Release gives back what the payload holds. Whoever owns the payload
	// calls it exactly once; Host.Send takes ownership.
	Release()
}

// Message is one frame. On the wire its data is Head followed by the bytes of
// Body; the split is invisible there and exists so that bulk bytes are moved
// without being copied.
type Message struct {
	Type Type
	// Head is the control part. On receipt it is the host's memory, valid
	// only during the call that delivers the message. On sending the host
	// copies it before Send returns.
	Head []byte
	// Body is the bulk part, nil for most messages. On receipt the receiver
	// owns it and must Release it.
	Body Payload
}

// Len is the value of the frame's length field.
func (m *Message) Len() int {
	n := len(m.Head)
	if m.Body != nil {
		n += m.Body.Size()
	}
	return n
}

// Spec bounds one message type for the host that reads it.
type Spec struct {
	// Max is the largest allowed length (Head and Body together); a longer
	// frame closes the connection before anything is allocated for it.
	Max int
	// Head is how many leading bytes are control, the rest going to Body.
	// Zero means that the whole message is control.
	Head int
}

// Limits tells a host what it may read. It is fixed before the host starts
// and read concurrently afterwards.
type Limits struct {
	// Specs holds the types a protocol handles.
	Specs map[Type]Spec
	// Unknown is the largest data of a type that is not in Specs. Such a
	// message is harmless: it is read, delivered and counted.
	Unknown int
}

// For returns the spec of t and whether t is a known type.
func (l *Limits) For(t Type) (Spec, bool) {
	s, ok := l.Specs[t]
	if !ok {
		s.Max = l.Unknown
	}
	return s, ok
}
