package bt

import (
	"encoding/binary"

	"starling/p2p"
	"starling/p2p/tcp"
	"starling/peer/wire"
	"starling/piece"
)

const (
	protocol = "\x13BitTorrent protocol"
	// handshakeSize is protocol, 8 reserved bytes, infohash and peer id.
	handshakeSize = len(protocol) + 8 + 20 + 20
	// ours is the first reserved byte of a starling, which offers frames.
	ours = 'S'
	// defaultQueue is how many requests a client takes that does not say: the
	// number that mainline had when clients began to count on it.
	defaultQueue = 250
)

// Reserved bits.
const (
	bitExtended = 0x10 // of byte 5: BEP 10
	bitFast     = 0x04 // of byte 7: BEP 6
)

// readHandshake reads what the other end begins with and makes a HELO of it. To
// what we dial that may be HELO itself.
func (c *Codec) readHandshake(r *tcp.Reader, f *tcp.Frame, lim *p2p.Limits) error {
	b, err := r.Peek(1)
	if err != nil {
		return err
	}
	if c.heard != nil {
		c.heard()
		c.heard = nil
	}
	if c.dialed && b[0] != protocol[0] {
		c.native.Store(true)
		return tcp.Native{}.ReadHead(r, f, lim)
	}
	// The name is looked at before the rest has come, or a stranger could
	// keep us waiting for it.
	if b, err = r.Peek(len(protocol)); err != nil {
		return err
	}
	if string(b) != protocol {
		return p2p.Violation(p2p.ReasonHandshake, "neither BitTorrent nor starling")
	}
	if b, err = r.Peek(handshakeSize); err != nil {
		return err
	}
	reserved := b[len(protocol):]
	h := wire.Hello{
		Version: wire.Version, Caps: wire.CapBlocks | wire.CapSilent,
		MaxQueue: defaultQueue, MaxRequest: piece.BlockSize,
	}
	copy(h.InfoHash[:], reserved[8:])
	copy(h.PeerID[:], reserved[28:])
	switch {
	case reserved[0] == ours && !c.dialed:
		c.native.Store(true)
		h.Caps = uint16(reserved[1]) &^ (wire.CapBlocks | wire.CapSilent | wire.CapInfo)
		h.ListenPort = binary.BigEndian.Uint16(reserved[2:])
		h.MaxQueue, h.MaxRequest = wire.DefaultQueue, wire.MaxRun
	default:
		c.fast = reserved[7]&bitFast != 0
		c.extended = reserved[5]&bitExtended != 0
		if c.fast {
			h.Caps &^= wire.CapSilent
		}
		if c.extended {
			h.Caps |= wire.CapInfo
		}
	}
	c.shaken = true
	r.Discard(handshakeSize)
	f.Type = wire.HELO
	h.Append(f.MakeHead(wire.HelloSize)[:0])
	return nil
}

// appendHandshake makes the handshake of our HELO.
func (c *Codec) appendHandshake(b []byte, head []byte) []byte {
	h, err := wire.ParseHello(head)
	if err != nil {
		return b // the engine makes no such HELO
	}
	reserved := [8]byte{5: bitExtended, 7: bitFast}
	if c.dialed && !c.plain {
		reserved[0], reserved[1] = ours, byte(h.Caps)
		binary.BigEndian.PutUint16(reserved[2:], h.ListenPort)
	}
	c.greeted = true
	b = append(b, protocol...)
	b = append(b, reserved[:]...)
	b = append(b, h.InfoHash[:]...)
	return append(b, h.PeerID[:]...)
}
