package tcp

import (
	"starling/p2p"
)

// Codec is the wire of one connection: how messages look as bytes. Everything
// else, limits on time and memory and the moving of bodies, is the host's. One
// value serves one connection; ReadHead runs on its reader and AppendHead on
// the host's loop, concurrently.
type Codec interface {
	// ReadHead reads one message up to its Body: it sets f.Type, takes
	// memory for the head from f.MakeHead, and sets f.BodyLen to the
	// bytes that follow. It asks lim before it takes memory, and answers a
	// breach with a *p2p.ProtocolError. A zero f.Type means that what was
	// read (a keep-alive) is nothing to deliver.
	ReadHead(r *Reader, f *Frame, lim *p2p.Limits) error
	// AppendHead appends to b what precedes m's Body on the wire. A result
	// of b's length means that this wire has no such message: it is
	// dropped, with its Body.
	AppendHead(b []byte, m *p2p.Message) []byte
}

// pender is a Codec that may have messages to deliver that no further byte stands
// for, as where one message on the wire is several of ours.
type pender interface {
	// Pending says whether ReadHead would deliver a message without reading.
	Pending() bool
}

// Native is the framework's own wire: the 8-byte header of package p2p, then
// the head, then the body. It has no state.
type Native struct{}

// ReadHead implements Codec. A message of a type with a Spec.Head that is no
// longer than that has no Body; what the handler finds too short is its to judge.
func (Native) ReadHead(r *Reader, f *Frame, lim *p2p.Limits) error {
	b, err := r.Peek(p2p.HeaderSize)
	if err != nil {
		return err
	}
	typ, length := p2p.ParseHeader(b)
	r.Discard(p2p.HeaderSize)
	spec, err := Bound(lim, typ, length)
	if err != nil {
		return err
	}
	return f.Fill(r, typ, int(length), spec)
}

// Bound returns the Spec of a type, or why a message of so many bytes breaks it:
// what a Codec asks before it takes memory.
func Bound(lim *p2p.Limits, typ p2p.Type, length uint32) (p2p.Spec, error) {
	spec, _ := lim.For(typ)
	// Compared as numbers without a sign and before the conversion: the
	// other side's 0xffffffff is a length like any other.
	if uint64(length) > uint64(max(0, spec.Max)) {
		return spec, p2p.Violation(p2p.ReasonTooLarge, "%v of %d bytes, at most %d", typ, length, spec.Max)
	}
	return spec, nil
}

// AppendHead implements Codec.
func (Native) AppendHead(b []byte, m *p2p.Message) []byte {
	b = p2p.AppendHeader(b, m.Type, m.Len())
	return append(b, m.Head...)
}

// Frame is a message on its way in, as a Codec fills it.
type Frame struct {
	Type p2p.Type
	// BodyLen is the length of the Body that follows the head, in bytes.
	BodyLen int

	headLen int
	small   [inlineHead]byte
	big     *Buffer // holds the head where small is too small
	pool    *BufferPool
}

// NewFrame returns a Frame whose large heads come from a pool. Hosts make their
// own; it is for who drives a Codec without one.
func NewFrame(pool *BufferPool) *Frame { return &Frame{pool: pool} }

// MakeHead returns n bytes of memory for the frame's head.
func (f *Frame) MakeHead(n int) []byte {
	f.releaseHead()
	f.headLen = n
	if n <= len(f.small) {
		return f.small[:n]
	}
	f.big = f.pool.Get(n)
	return f.big.Bytes()
}

// Fill makes f a message of length bytes, which Bound has allowed: it reads the
// head and leaves the body.
func (f *Frame) Fill(r *Reader, typ p2p.Type, length int, spec p2p.Spec) error {
	f.Type = typ
	head := length
	if spec.Head > 0 {
		head = min(head, spec.Head)
	}
	f.BodyLen = length - head
	return r.ReadFull(f.MakeHead(head))
}

// Head returns the frame's head.
func (f *Frame) Head() []byte {
	if f.big != nil {
		return f.big.Bytes()
	}
	return f.small[:f.headLen]
}

func (f *Frame) releaseHead() {
	if f.big != nil {
		f.big.Release()
		f.big = nil
	}
}

// reset readies f for the next frame.
func (f *Frame) reset() {
	f.Type, f.BodyLen, f.headLen, f.big = 0, 0, 0, nil
}
