package tcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"starling/p2p"
)

// Reader is the buffered input of one connection. Only its reader goroutine
// uses it.
type Reader struct {
	conn     net.Conn
	buf      []byte
	pos, end int           // what is buffered is buf[pos:end]
	read     atomic.Uint64 // bytes taken from the socket so far

	// timeout bounds a frame from its first byte to its last; 0 leaves the
	// socket's deadline alone.
	timeout time.Duration
	// armed says that deadline is set on the socket.
	armed    bool
	deadline time.Time
}

// NewReader returns a Reader of a connection.
func NewReader(c net.Conn) *Reader {
	return &Reader{conn: c, buf: make([]byte, readBuffer)}
}

// preload puts bytes that have been read already before what the socket brings.
// There are no more than readBuffer.
func (r *Reader) preload(b []byte) { r.end = copy(r.buf, b) }

// buffered returns a copy of what has been read and not consumed.
func (r *Reader) buffered() []byte { return bytes.Clone(r.buf[r.pos:r.end]) }

// Peek returns the next n bytes, at most 16 KiB, without consuming them. They
// are valid until the next call.
func (r *Reader) Peek(n int) ([]byte, error) {
	if n > len(r.buf) {
		return nil, fmt.Errorf("peek of %d bytes with a buffer of %d", n, len(r.buf))
	}
	for r.end-r.pos < n {
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	return r.buf[r.pos : r.pos+n], nil
}

// Discard consumes n bytes that a Peek has returned.
func (r *Reader) Discard(n int) { r.pos += n }

// ReadFull fills p: from the buffer, and past it straight from the socket.
func (r *Reader) ReadFull(p []byte) error {
	n := copy(p, r.buf[r.pos:r.end])
	r.pos += n
	if small := len(p) - n; small > 0 && small < len(r.buf)/4 {
		// The rest is little: what comes after it may as well come along.
		b, err := r.Peek(small)
		if err != nil {
			return err
		}
		copy(p[n:], b)
		r.Discard(small)
		return nil
	}
	if n < len(p) {
		r.extend(len(p) - n)
		r.arm(len(p) - n)
	}
	for n < len(p) {
		m, err := r.conn.Read(p[n:])
		r.read.Add(uint64(m))
		n += m
		if err != nil && n < len(p) {
			return midFrame(err)
		}
	}
	return nil
}

// await waits, for as long as it takes, for the first byte of a frame. An end
// of input here is in order: io.EOF.
func (r *Reader) await() error {
	for r.pos == r.end {
		r.pos, r.end = 0, 0
		n, err := r.conn.Read(r.buf)
		r.read.Add(uint64(n))
		r.end = n
		if err != nil && n == 0 {
			return err
		}
	}
	return nil
}

// finish ends a frame: none is under way, so nothing is late.
func (r *Reader) finish() {
	if !r.armed {
		return
	}
	r.armed = false
	// A connection that is closed meanwhile refuses. That must not cost the
	// message that has just been read; the next read says it.
	_ = r.conn.SetReadDeadline(time.Time{})
}

// fill reads more, so that n bytes from pos on fit in the buffer.
func (r *Reader) fill(n int) error {
	if r.pos+n > len(r.buf) || r.pos == r.end {
		r.end = copy(r.buf, r.buf[r.pos:r.end])
		r.pos = 0
	}
	r.arm(0)
	m, err := r.conn.Read(r.buf[r.end:])
	r.read.Add(uint64(m))
	r.end += m
	if err != nil && m == 0 {
		return midFrame(err)
	}
	return nil
}

// arm sets the deadline of the frame under way where there is none yet; n of
// its bytes are known to be missing.
func (r *Reader) arm(n int) {
	if r.timeout == 0 || r.armed {
		return
	}
	r.armed = true
	r.deadline = time.Now().Add(r.timeout)
	r.extend(n)
}

// extend allows the frame under way the time that n more bytes may take.
func (r *Reader) extend(n int) {
	if !r.armed {
		return
	}
	r.deadline = r.deadline.Add(time.Duration(n) * time.Second / minRate)
	// A socket that refuses a deadline is closed, and the read says so.
	_ = r.conn.SetReadDeadline(r.deadline)
}

// midFrame names what ends the input inside a frame.
func midFrame(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &p2p.ProtocolError{Reason: p2p.ReasonTimeout, Detail: "a message that began did not end", Err: err}
	}
	return err
}
