package bt

import (
	"encoding/binary"

	"starling/internal/benc"
	"starling/p2p"
	"starling/p2p/tcp"
	"starling/peer/wire"
)

// Our numbers for extended messages, which we tell in our handshake. 0 is the
// handshake itself (BEP 10).
const (
	extHandshake = iota
	extPEX
	extMetadata
	extDontHave
	numExtensions
)

// extNames are their names, in the order of the numbers.
var extNames = [numExtensions]string{extPEX: "ut_pex", extMetadata: "ut_metadata", extDontHave: "lt_donthave"}

const (
	// maxExtended bounds an extended handshake.
	maxExtended = 16 << 10
	// client is how we name ourselves to clients that show it.
	client = "starling"
)

// readExtended reads an extended message, of which nothing is read yet; size is
// its payload with its number.
func (c *Codec) readExtended(r *tcp.Reader, f *tcp.Frame, lim *p2p.Limits, size uint32) error {
	if size == 0 {
		return p2p.Violation(p2p.ReasonBadMessage, "an extended message without its number")
	}
	b, err := r.Peek(6)
	if err != nil {
		return err
	}
	id := b[5]
	if !c.declared && id != extHandshake {
		c.declareNone(f) // and this message is read again
		return nil
	}
	r.Discard(6)
	size--
	switch id {
	case extHandshake:
		return c.readExtendedHandshake(r, f, size)
	case extPEX:
		return c.deliver(r, f, lim, wire.PEEX, size)
	case extMetadata:
		return c.deliver(r, f, lim, wire.META, size)
	case extDontHave:
		if size != 4 {
			return p2p.Violation(p2p.ReasonBadMessage, "lt_donthave of %d bytes", size)
		}
		return c.deliver(r, f, lim, wire.DONT, size)
	}
	if size > maxUnknown {
		return p2p.Violation(p2p.ReasonTooLarge, "an extended message of %d bytes", size)
	}
	return skip(r, int(size))
}

// readExtendedHandshake makes an INFO of one. It may come again; names that are
// not in it stay as they were.
func (c *Codec) readExtendedHandshake(r *tcp.Reader, f *tcp.Frame, size uint32) error {
	if size > maxExtended {
		return p2p.Violation(p2p.ReasonTooLarge, "an extended handshake of %d bytes", size)
	}
	b, err := r.Peek(int(size))
	if err != nil {
		return err
	}
	lim := benc.WireLimits()
	lim.AnyKeyOrder = true // some clients do not sort
	if err := benc.Scan(b, lim); err != nil || !benc.IsDict(b) {
		return p2p.Violation(p2p.ReasonBadMessage, "an extended handshake that is no dictionary")
	}
	var info wire.Info
	for key, value := range benc.Dict(b) {
		n, isInt := benc.Int(value)
		switch {
		case string(key) == "m":
			c.learn(value)
		case !isInt:
		case string(key) == "p" && n > 0 && n <= 0xffff:
			info.ListenPort = uint16(n)
		case string(key) == "reqq" && n > 0:
			info.MaxQueue = uint16(min(n, 0xffff))
		case string(key) == "upload_only" && n != 0:
			info.Flags |= wire.InfoUploadOnly
		case string(key) == "metadata_size" && n > 0:
			info.Metadata = uint32(min(n, 0xffffffff))
		}
	}
	r.Discard(int(size))
	if c.ids[extPEX].Load() != 0 {
		info.Flags |= wire.InfoPEX
	}
	if c.ids[extMetadata].Load() != 0 {
		info.Flags |= wire.InfoMeta
	}
	f.Type = wire.INFO
	info.Append(f.MakeHead(wire.InfoSize)[:0])
	return nil
}

// learn takes the numbers that the other side wants; 0 takes one back.
func (c *Codec) learn(m []byte) {
	for name, value := range benc.Dict(m) {
		n, ok := benc.Int(value)
		if !ok || n < 0 || n > 0xff {
			continue
		}
		for id, known := range extNames {
			if id != extHandshake && string(name) == known {
				c.ids[id].Store(uint32(n))
			}
		}
	}
}

// appendExtended appends what BEP 10 carries.
func (c *Codec) appendExtended(b []byte, m *p2p.Message) []byte {
	switch m.Type {
	case wire.INFO, wire.PEEX, wire.META, wire.DONT:
		// They come after HELO, which the reader had before: till then extended
		// is its own.
		if !c.greeted || !c.extended {
			return b
		}
	}
	switch m.Type {
	case wire.INFO:
		info, err := wire.ParseInfo(m.Head)
		if err != nil {
			return b // the engine makes no such INFO
		}
		return appendExtendedHandshake(b, &info)
	case wire.PEEX:
		return c.appendTo(b, extPEX, m.Head)
	case wire.META:
		return c.appendTo(b, extMetadata, m.Head)
	case wire.DONT:
		for h := m.Head; len(h) >= 4; h = h[4:] {
			b = c.appendTo(b, extDontHave, h[:4])
		}
	}
	return b
}

// appendTo appends an extended message by the number that the other side gave.
func (c *Codec) appendTo(b []byte, ext int, payload []byte) []byte {
	id := c.ids[ext].Load()
	if id == 0 {
		return b
	}
	b = appendHeader(b, idExtended, 1+len(payload))
	return append(append(b, byte(id)), payload...)
}

func appendExtendedHandshake(b []byte, info *wire.Info) []byte {
	at := len(b)
	b = append(appendHeader(b, idExtended, 0), extHandshake, 'd')
	b = append(benc.AppendString(b, "m"), 'd')
	b = benc.AppendInt(benc.AppendString(b, extNames[extDontHave]), extDontHave)
	if info.Flags&wire.InfoMeta != 0 {
		b = benc.AppendInt(benc.AppendString(b, extNames[extMetadata]), extMetadata)
	}
	if info.Flags&wire.InfoPEX != 0 {
		b = benc.AppendInt(benc.AppendString(b, extNames[extPEX]), extPEX)
	}
	b = append(b, 'e')
	if info.Metadata > 0 {
		b = benc.AppendInt(benc.AppendString(b, "metadata_size"), int64(info.Metadata))
	}
	if info.ListenPort > 0 {
		b = benc.AppendInt(benc.AppendString(b, "p"), int64(info.ListenPort))
	}
	b = benc.AppendInt(benc.AppendString(b, "reqq"), int64(info.MaxQueue))
	if info.Flags&wire.InfoUploadOnly != 0 {
		b = benc.AppendInt(benc.AppendString(b, "upload_only"), 1)
	}
	b = benc.AppendString(benc.AppendString(b, "v"), client)
	b = append(b, 'e')
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}
