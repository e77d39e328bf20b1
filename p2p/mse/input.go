package mse

import (
	"bytes"
	"net"
)

// inputSize is what a handshake holds of what it has read, in bytes: more than
// the longest wait of the protocol, and any initial payload that clients send.
const inputSize = 4 << 10

// input reads a handshake. It reads what there is, so that it may hold the
// beginning of the payload at the end.
type input struct {
	conn     net.Conn
	pos, end int // what is held is buf[pos:end]
	buf      [inputSize]byte
}

// fill waits until n bytes are held, at most inputSize.
func (in *input) fill(n int, doing string) error {
	if in.pos+n > len(in.buf) {
		in.end = copy(in.buf[:], in.buf[in.pos:in.end])
		in.pos = 0
	}
	for in.end-in.pos < n {
		m, err := in.conn.Read(in.buf[in.end:])
		in.end += m
		if err != nil && in.end-in.pos < n {
			return failed(doing, err)
		}
	}
	return nil
}

// next takes n bytes, which are valid until the next call.
func (in *input) next(n int, doing string) ([]byte, error) {
	if err := in.fill(n, doing); err != nil {
		return nil, err
	}
	b := in.buf[in.pos : in.pos+n]
	in.pos += n
	return b, nil
}

// sync takes everything up to and with mark, before which a pad of at most
// maxPad bytes may stand.
func (in *input) sync(mark []byte, doing string) error {
	for seen := 0; ; {
		held := in.buf[in.pos:min(in.end, in.pos+maxPad+len(mark))]
		if i := bytes.Index(held[seen:], mark); i >= 0 {
			in.pos += seen + i + len(mark)
			return nil
		}
		if len(held) == maxPad+len(mark) {
			return broken("%s: no mark after a pad of %d bytes", doing, maxPad)
		}
		seen = max(0, len(held)-len(mark)+1)
		if err := in.fill(len(held)+1, doing); err != nil {
			return err
		}
	}
}

// rest takes all that is held.
func (in *input) rest() []byte {
	b := in.buf[in.pos:in.end]
	in.pos = in.end
	return b
}
