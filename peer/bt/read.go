package bt

import (
	"encoding/binary"

	"starling/p2p"
	"starling/p2p/tcp"
	"starling/peer/wire"
)

// The messages of BEP 3, 6, 10 and 52.
const (
	idChoke = iota
	idUnchoke
	idInterested
	idNotInterested
	idHave
	idBitfield
	idRequest
	idPiece
	idCancel
	idPort
	idSuggest     = 13
	idHaveAll     = 14
	idHaveNone    = 15
	idReject      = 16
	idAllowedFast = 17
	idExtended    = 20
	idHashRequest = 21
	idHashes      = 22
	idHashReject  = 23
)

// maxUnknown bounds a message that is passed over.
const maxUnknown = 64 << 10

// form is what a message looks like.
type form struct {
	typ  p2p.Type // zero: passed over
	size int      // of the payload; -1: any
	fast bool     // only where both have BEP 6
}

var forms = map[byte]form{
	idChoke:         {typ: wire.CHOK},
	idUnchoke:       {typ: wire.UNCH},
	idInterested:    {typ: wire.INTR},
	idNotInterested: {typ: wire.NINT},
	idHave:          {typ: wire.HAVE, size: 4},
	idBitfield:      {typ: wire.BITF, size: -1},
	idRequest:       {typ: wire.REQU, size: wire.RequestHead},
	idPiece:         {typ: wire.PIEC, size: -1},
	idCancel:        {typ: wire.CANC, size: wire.RequestHead},
	idPort:          {size: 2},
	idSuggest:       {size: 4, fast: true},
	idHaveAll:       {typ: wire.HALL, fast: true},
	idHaveNone:      {typ: wire.HNON, fast: true},
	idReject:        {typ: wire.REJE, size: wire.RequestHead, fast: true},
	idAllowedFast:   {size: 4, fast: true},
	idHashRequest:   {typ: wire.HREQ, size: wire.HashHead},
	idHashes:        {typ: wire.HASH, size: -1},
	idHashReject:    {typ: wire.HREJ, size: wire.HashHead},
}

// readMessage reads one message after the handshake.
func (c *Codec) readMessage(r *tcp.Reader, f *tcp.Frame, lim *p2p.Limits) error {
	b, err := r.Peek(4)
	if err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(b)
	if length == 0 { // keep-alive
		r.Discard(4)
		return nil
	}
	if b, err = r.Peek(5); err != nil {
		return err
	}
	id, size := b[4], length-1
	if id == idExtended && c.extended {
		return c.readExtended(r, f, lim, size)
	}
	m, known := forms[id]
	switch {
	case !known:
		if size > maxUnknown {
			return p2p.Violation(p2p.ReasonTooLarge, "a message %d of %d bytes", id, size)
		}
		r.Discard(5)
		return skip(r, int(size))
	case m.fast && !c.fast:
		return p2p.Violation(p2p.ReasonBadMessage, "message %d without the fast extension", id)
	case m.size >= 0 && size != uint32(m.size):
		return p2p.Violation(p2p.ReasonBadMessage, "message %d of %d bytes", id, size)
	case !c.declared && m.typ != 0 && !wire.Declares(m.typ):
		c.declareNone(f)
		return nil
	}
	r.Discard(5)
	if m.typ == 0 {
		return skip(r, m.size)
	}
	return c.deliver(r, f, lim, m.typ, size)
}

// deliver reads the payload of a message into f.
func (c *Codec) deliver(r *tcp.Reader, f *tcp.Frame, lim *p2p.Limits, typ p2p.Type, size uint32) error {
	spec, err := tcp.Bound(lim, typ, size)
	if err != nil {
		return err
	}
	if typ == wire.BITF && c.declared {
		// It came after we said HNON in its name; or it stands for many
		// HAVEs, as aria2 sends it.
		if size == 0 {
			return nil
		}
		c.bits, c.at = make([]byte, size), 0
		return r.ReadFull(c.bits)
	}
	if typ == wire.HNON && c.declared {
		return nil // as we have said in its name; libtorrent asks for metadata before
	}
	c.declared = c.declared || wire.Declares(typ)
	return f.Fill(r, typ, int(size), spec)
}

// declareNone says that the other side has nothing, as far as it has said.
func (c *Codec) declareNone(f *tcp.Frame) {
	c.declared = true
	f.Type = wire.HNON
	f.MakeHead(0)
}

// nextHaves tells the next pieces of a bitfield that came late.
func (c *Codec) nextHaves(f *tcp.Frame) {
	var found [wire.MaxIndexes]int
	n := 0
	for ; c.at < 8*len(c.bits) && n < len(found); c.at++ {
		if c.bits[c.at/8]&(0x80>>(c.at%8)) != 0 {
			found[n] = c.at
			n++
		}
	}
	if c.at == 8*len(c.bits) {
		c.bits = nil
	}
	if n > 0 {
		f.Type = wire.HAVE
		wire.AppendIndexes(f.MakeHead(4 * n)[:0], found[:n])
	}
}

// skip passes over n bytes.
func skip(r *tcp.Reader, n int) error {
	for n > 0 {
		k := min(n, 4096)
		if _, err := r.Peek(k); err != nil {
			return err
		}
		r.Discard(k)
		n -= k
	}
	return nil
}
