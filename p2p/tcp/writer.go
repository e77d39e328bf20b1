package tcp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"starling/p2p"
)

// FileBody is a Body that is made of sections of files, in order. It is sent
// without passing through this process's memory where the system can do that.
type FileBody interface {
	p2p.Payload
	// Spans calls fn for each section, off and n in bytes, and returns the
	// first error. f stays open during the call. The n add up to Size.
	Spans(fn func(f *os.File, off, n int64) error) error
}

// BytesBody is a Body in memory. A received Buffer is one.
type BytesBody interface {
	p2p.Payload
	// Bytes returns the body's Size bytes, which stay unchanged until
	// Release.
	Bytes() []byte
}

// writeSlices is into how many deadlines WriteTimeout is divided. A slice in
// which a byte went out starts the count afresh, so that the timeout bounds a
// standstill and not a transfer.
const writeSlices = 4

// writer puts bytes on a connection, however slow, as long as it moves.
type writer struct {
	conn    net.Conn
	timeout time.Duration
	pool    *BufferPool   // for files where there is no sendfile
	sent    atomic.Uint64 // bytes given to the socket so far
	file    *fileSender   // nil where the connection has none
	depth   depth

	due   time.Time // the deadline set on the socket
	mark  uint64    // sent when it was set
	still int       // slices in a row without progress

	vec     [2][]byte   // memory of bufs
	bufs    net.Buffers // in the struct because it escapes
	span    func(f *os.File, off, n int64) error
	pending int64 // bytes of the body that Spans still owes
}

func (w *writer) init(c net.Conn, timeout time.Duration, pool *BufferPool) {
	w.conn, w.timeout, w.pool = c, timeout, pool
	w.file = newFileSender(w)
	w.span = w.writeSpan
}

// write sends p.
func (w *writer) write(p []byte) error {
	w.begin()
	for {
		n, err := w.conn.Write(p)
		w.sent.Add(uint64(n))
		p = p[n:]
		if err == nil {
			return nil
		}
		if err := w.retry(err); err != nil {
			return err
		}
	}
}

// writeBulk sends head and then body.
func (w *writer) writeBulk(head []byte, body p2p.Payload) error {
	switch body := body.(type) {
	case BytesBody:
		return w.writePair(head, body.Bytes())
	case FileBody:
		w.pending = int64(body.Size())
		begun := time.Now()
		if err := w.writeHead(head); err != nil {
			return err
		}
		if err := body.Spans(w.span); err != nil {
			return bodyError(err)
		}
		if w.pending != 0 {
			return bodyError(fmt.Errorf("spans are %d bytes short of the size", w.pending))
		}
		w.depth.sent(w.conn, body.Size(), time.Since(begun))
		return nil
	}
	return bodyError(fmt.Errorf("a %T has neither Bytes nor Spans", body))
}

// writePair sends two pieces of memory in one call.
func (w *writer) writePair(a, b []byte) error {
	w.begin()
	w.vec = [2][]byte{a, b}
	w.bufs = w.vec[:]
	for {
		// A call that ends early has cut what it wrote off bufs.
		n, err := w.bufs.WriteTo(w.conn)
		w.sent.Add(uint64(n))
		if err == nil {
			return nil
		}
		if err := w.retry(err); err != nil {
			return err
		}
	}
}

// writeHead sends the bytes before a file's.
func (w *writer) writeHead(head []byte) error {
	if w.file == nil || w.pending == 0 {
		return w.write(head)
	}
	w.begin()
	return w.file.sendMore(head)
}

// writeSpan sends a section of a file.
func (w *writer) writeSpan(f *os.File, off, n int64) error {
	if n < 0 || n > w.pending {
		return fmt.Errorf("a span of %d bytes where %d are left", n, w.pending)
	}
	w.pending -= n
	if w.file != nil {
		w.begin()
		done, err := w.file.send(f, off, n)
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		off, n = off+done, n-done
	}
	return w.copySpan(f, off, n)
}

// copySpan sends a section of a file by way of memory.
func (w *writer) copySpan(f *os.File, off, n int64) error {
	b := w.pool.Get(int(min(n, 64<<10)))
	defer b.Release()
	for n > 0 {
		p := b.Bytes()[:min(n, int64(b.Size()))]
		if _, err := f.ReadAt(p, off); err != nil {
			return shortFile(err)
		}
		if err := w.write(p); err != nil {
			return err
		}
		off, n = off+int64(len(p)), n-int64(len(p))
	}
	return nil
}

// begin makes sure that a deadline lies ahead. It is not set anew for each
// write: that would cost more than a small write's own work.
func (w *writer) begin() {
	if slice := w.timeout / writeSlices; time.Until(w.due) < slice/2 {
		w.still = 0
		w.renew(slice)
	}
}

func (w *writer) renew(slice time.Duration) {
	w.mark = w.sent.Load()
	w.due = time.Now().Add(slice)
	// A socket that refuses a deadline is closed, and the write says so.
	_ = w.conn.SetWriteDeadline(w.due)
}

// retry judges an error of a write: nil means that the slice's deadline passed
// and that the write shall go on.
func (w *writer) retry(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	w.still++
	if w.sent.Load() != w.mark {
		w.still = 0
	}
	if w.still > writeSlices {
		return &p2p.ProtocolError{Reason: p2p.ReasonSlowReader,
			Detail: fmt.Sprintf("took no byte for %v", w.timeout), Err: err}
	}
	w.renew(w.timeout / writeSlices)
	return nil
}

// bodyError names a failure of our own side: the frame has begun and cannot be
// completed, so the connection's framing is lost.
func bodyError(err error) error {
	if p2p.ReasonOf(err) != p2p.ReasonOther || errors.As(err, new(*net.OpError)) || errors.Is(err, io.ErrClosedPipe) {
		return err // the socket's
	}
	return &p2p.ProtocolError{Reason: p2p.ReasonIO, Detail: "cannot read a body", Err: err}
}

// shortFile names the end of a file inside a section of it.
func shortFile(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
