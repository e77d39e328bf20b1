package p2ptest

// Body is a payload that counts its releases. With Data nil it is a length
// without bytes, as in a simulation.
type Body struct {
	Data     []byte
	N        int
	Released int
}

// NewBody returns a payload of bytes.
func NewBody(data []byte) *Body { return &Body{Data: data, N: len(data)} }

// Blank returns a payload of n bytes that are not there.
func Blank(n int) *Body { return &Body{N: n} }

// Size is the number of bytes.
func (b *Body) Size() int { return b.N }

// Bytes are the payload's bytes, nil for a blank one.
func (b *Body) Bytes() []byte { return b.Data }

// Release counts. A second release is a protocol's mistake, so it panics.
func (b *Body) Release() {
	b.Released++
	if b.Released > 1 {
		panic("p2ptest: body released twice")
	}
}
