package bt

import (
	"sync/atomic"

	"starling/p2p"
	"starling/p2p/tcp"
)

// Codec is the wire of one connection. Make it with Dialer or Listener.
type Codec struct {
	dialed bool
	plain  bool   // our handshake offers no frames
	heard  func() // called when theirs has come; may be nil
	// native: the other end is one of ours, and all that follows its handshake
	// is frames. The reader finds out, and the loop reads it.
	native atomic.Bool

	// The reader's. The loop may read fast and extended once it has HELO.
	shaken   bool // their handshake is read
	declared bool // it is said what they have
	fast     bool // both have BEP 6
	extended bool // both have BEP 10
	bits     []byte
	at       int // the first piece in bits that is not told yet

	// ids are the numbers that the other side wants our extended messages to
	// have, by our own; 0: it does not read them.
	ids [numExtensions]atomic.Uint32

	// The loop's.
	greeted bool // our handshake is sent
}

var _ tcp.Codec = (*Codec)(nil)

// Dialer returns the codec of a connection that we dial. heard, if not nil, is
// called on the connection's reader when the other end has begun to speak.
func Dialer(heard func()) *Codec { return &Codec{dialed: true, heard: heard} }

// Plain returns a Dialer that does not say who we are: for those who need what
// only BEP 10 has.
func Plain() *Codec { return &Codec{dialed: true, plain: true} }

// Listener returns the codec of a connection whose first byte was that of a
// BEP 3 handshake.
func Listener() *Codec { return &Codec{} }

// Pending says whether ReadHead has a message to deliver without reading.
func (c *Codec) Pending() bool {
	return !c.native.Load() && c.shaken && (c.bits != nil || !c.declared && !c.fast)
}

// ReadHead implements tcp.Codec.
func (c *Codec) ReadHead(r *tcp.Reader, f *tcp.Frame, lim *p2p.Limits) error {
	switch {
	case c.native.Load():
		return tcp.Native{}.ReadHead(r, f, lim)
	case !c.shaken:
		return c.readHandshake(r, f, lim)
	case c.bits != nil:
		c.nextHaves(f)
		return nil
	case !c.declared && !c.fast:
		c.declareNone(f)
		return nil
	}
	return c.readMessage(r, f, lim)
}

// AppendHead implements tcp.Codec.
func (c *Codec) AppendHead(b []byte, m *p2p.Message) []byte {
	if c.native.Load() {
		return tcp.Native{}.AppendHead(b, m)
	}
	return c.appendMessage(b, m)
}
