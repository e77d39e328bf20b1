package mse

import (
	"crypto/rc4"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// chunkSize bounds what is enciphered at once, in bytes: a block of 16 KiB and
// its header go out in one write.
const chunkSize = 32 << 10

// chunks lends the memory in which writes are enciphered.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// Conn is a connection after the handshake: what is read from it and written to
// it is the payload in the clear. Its deadlines and its Close are those of the
// connection below. It is safe for use by several goroutines.
type Conn struct {
	net.Conn
	method Method
	skey   [20]byte

	// direct says that reads have nothing to do but to read.
	direct atomic.Bool
	rmu    sync.Mutex
	early  []byte      // deciphered and not yet read
	in     *rc4.Cipher // nil where what comes is plain
	ia     int         // bytes of the initial payload still to come

	wmu sync.Mutex
	out *rc4.Cipher // nil where what goes is plain
}

// newConn takes over from a handshake that has read all but an initial payload
// of ia bytes.
func newConn(in *input, method Method, skey [20]byte, receive, send *rc4.Cipher, ia int) *Conn {
	c := &Conn{Conn: in.conn, method: method, skey: skey, in: receive, out: send}
	c.early = in.rest()
	secret := c.early
	if method == Plaintext {
		secret = secret[:min(ia, len(secret))]
		c.ia = ia - len(secret)
		c.out = nil
	}
	receive.XORKeyStream(secret, secret)
	c.settle()
	return c
}

// settle notes what has come to an end.
func (c *Conn) settle() {
	if len(c.early) == 0 {
		c.early = nil // it holds the handshake's buffer
	}
	if c.method == Plaintext && c.ia == 0 {
		c.in = nil
		c.direct.Store(c.early == nil)
	}
}

// Method returns how the payload travels.
func (c *Conn) Method() Method { return c.method }

// SKEY returns the infohash that the handshake was about.
func (c *Conn) SKEY() [20]byte { return c.skey }

// NetConn returns the connection below, for its options: payload that passes by
// c breaks the stream.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Raw returns, where the payload is plain, the connection below and the bytes
// that have been read from it and belong to the payload: with both a caller can
// do without c and have all that the connection below can do, such as sendfile.
// Not ok where the payload is RC4, or where an initial payload of more than 4
// KiB has not been read to its end.
func (c *Conn) Raw() (conn net.Conn, early []byte, ok bool) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if c.method != Plaintext || c.in != nil {
		return nil, nil, false
	}
	return c.Conn, c.early, true
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if c.direct.Load() {
		return c.Conn.Read(p)
	}
	c.rmu.Lock()
	defer c.rmu.Unlock()
	defer c.settle()
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	if c.in == nil {
		return c.Conn.Read(p)
	}
	if c.method == Plaintext {
		p = p[:min(len(p), c.ia)]
	}
	n, err := c.Conn.Read(p)
	c.in.XORKeyStream(p[:n], p[:n])
	if c.method == Plaintext {
		c.ia -= n
	}
	return n, err
}

// Write implements net.Conn. It leaves p as it is. After an error the next call
// goes on behind the bytes that were written, as on the connection below: a
// write that a deadline cut short can be resumed.
func (c *Conn) Write(p []byte) (n int, err error) {
	if c.out == nil {
		return c.Conn.Write(p)
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	chunk := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(chunk)
	for {
		part := p[n:min(len(p), n+chunkSize)]
		secret := chunk[:len(part)]
		before := *c.out
		c.out.XORKeyStream(secret, part)
		m, err := c.Conn.Write(secret)
		n += m
		if m < len(part) {
			// The keystream stands where the other end's will.
			*c.out = before
			c.out.XORKeyStream(secret[:m], secret[:m])
			if err == nil {
				err = io.ErrShortWrite
			}
		}
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// CloseWrite tells the other end that nothing more comes. The error is
// errors.ErrUnsupported where the connection below cannot do that.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
