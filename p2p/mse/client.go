package mse

import (
	"encoding/binary"
	"fmt"
	"net"
)

// vcSize is the length of the verification constant, which is zeros.
const vcSize = 8

// What a step was about, in errors.
const (
	doingKey     = "public key"
	doingSync    = "end of the pad"
	doingChoice  = "choice of a method"
	doingPad     = "pad"
	doingTorrent = "torrent's hash"
	doingIA      = "initial payload"
)

// client is Client with what it draws at random.
func client(conn net.Conn, skey [20]byte, opts ClientOptions, c *chance) (*Conn, error) {
	public := c.public()
	if _, err := conn.Write(append(public[:], c.pad...)); err != nil {
		return nil, failed(doingKey, err)
	}
	in := &input{conn: conn}
	theirs, err := in.next(keySize, doingKey)
	if err != nil {
		return nil, err
	}
	s, err := c.secret(theirs)
	if err != nil {
		return nil, err
	}
	send, receive, err := ciphers(&s, &skey)
	if err != nil {
		return nil, err
	}

	b := make([]byte, 0, 20+20+vcSize+4+2+maxPad+2+len(opts.IA))
	req1, torrent := hash("req1", s[:]), mask(IndexKey(skey), &s)
	b = append(append(b, req1[:]...), torrent[:]...)
	secret := len(b)
	b = append(b, make([]byte, vcSize)...)
	b = binary.BigEndian.AppendUint32(b, uint32(opts.Policy.offer()))
	b = binary.BigEndian.AppendUint16(b, uint16(c.zeros))
	b = append(b, make([]byte, c.zeros)...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(opts.IA)))
	b = append(b, opts.IA...)
	send.XORKeyStream(b[secret:], b[secret:])
	if _, err := conn.Write(b); err != nil {
		return nil, failed(doingTorrent, err)
	}

	var mark [vcSize]byte
	receive.XORKeyStream(mark[:], mark[:])
	if err := in.sync(mark[:], doingSync); err != nil {
		if s[0] == 0 {
			err = fmt.Errorf("%w: %w", err, ErrShortSecret)
		}
		return nil, err
	}
	b, err = in.next(4+2, doingChoice)
	if err != nil {
		return nil, err
	}
	receive.XORKeyStream(b, b)
	method := Method(binary.BigEndian.Uint32(b))
	if method&opts.Policy.offer() == 0 || method&(method-1) != 0 {
		return nil, broken("method %#x selected of %#x", uint32(method), uint32(opts.Policy.offer()))
	}
	if err := in.skip(b[4:], receive); err != nil {
		return nil, err
	}
	return newConn(in, method, skey, receive, send, 0), nil
}
