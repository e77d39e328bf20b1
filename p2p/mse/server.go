package mse

import (
	"bytes"
	"crypto/rc4"
	"encoding/binary"
	"net"

	"starling/p2p"
)

// server is Server with what it draws at random.
func server(conn net.Conn, find func([20]byte) ([20]byte, bool), opts ServerOptions, c *chance) (*Conn, error) {
	if len(opts.Early) > MaxEarly {
		return nil, broken("%d bytes before an answer, at most %d", len(opts.Early), MaxEarly)
	}
	in := &input{conn: conn}
	in.end = copy(in.buf[:], opts.Early)
	theirs, err := in.next(keySize, doingKey)
	if err != nil {
		return nil, err
	}
	s, err := c.longSecret(theirs)
	if err != nil {
		return nil, err
	}
	public := c.public()
	if _, err := conn.Write(append(public[:], c.pad...)); err != nil {
		return nil, failed(doingKey, err)
	}

	req1 := hash("req1", s[:])
	if err := in.sync(req1[:], doingSync); err != nil {
		return nil, err
	}
	b, err := in.next(20, doingTorrent)
	if err != nil {
		return nil, err
	}
	skey, ok := find(mask([20]byte(b), &s))
	if !ok {
		return nil, p2p.Violation(p2p.ReasonUnknownTorrent, "mse: no torrent of this hash")
	}
	receive, send, err := ciphers(&s, &skey)
	if err != nil {
		return nil, err
	}
	method, ia, err := in.request(receive, opts.Policy)
	if err != nil {
		return nil, err
	}

	b = make([]byte, vcSize, vcSize+4+2+maxPad)
	b = binary.BigEndian.AppendUint32(b, uint32(method))
	b = binary.BigEndian.AppendUint16(b, uint16(c.zeros))
	b = append(b, make([]byte, c.zeros)...)
	send.XORKeyStream(b, b)
	if _, err := conn.Write(b); err != nil {
		return nil, failed(doingChoice, err)
	}
	return newConn(in, method, skey, receive, send, ia), nil
}

// request reads what a dialer offers and returns the method to select and the
// length of the initial payload, which it leaves unread; one that fits is held.
func (in *input) request(receive *rc4.Cipher, p Policy) (Method, int, error) {
	b, err := in.next(vcSize+4+2, doingChoice)
	if err != nil {
		return 0, 0, err
	}
	receive.XORKeyStream(b, b)
	if !bytes.Equal(b[:vcSize], make([]byte, vcSize)) {
		return 0, 0, broken("the verification constant is wrong")
	}
	offered := Method(binary.BigEndian.Uint32(b[vcSize:]))
	method := p.choose(offered)
	if method == 0 {
		return 0, 0, broken("methods %#x offered, none of %#x", uint32(offered), uint32(p.offer()))
	}
	if err := in.skip(b[vcSize+4:], receive); err != nil {
		return 0, 0, err
	}
	if b, err = in.next(2, doingIA); err != nil {
		return 0, 0, err
	}
	receive.XORKeyStream(b, b)
	ia := int(binary.BigEndian.Uint16(b))
	if ia <= inputSize {
		err = in.fill(ia, doingIA)
	}
	return method, ia, err
}

// skip takes a pad whose length stands in the two bytes of size, deciphered.
func (in *input) skip(size []byte, receive *rc4.Cipher) error {
	n := int(binary.BigEndian.Uint16(size))
	if n > maxPad {
		return broken("a pad of %d bytes, at most %d", n, maxPad)
	}
	b, err := in.next(n, doingPad)
	if err != nil {
		return err
	}
	receive.XORKeyStream(b, b)
	return nil
}
