package tcp

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"starling/p2p"
)

// conn is one open connection. Two goroutines serve it, readLoop and writeLoop;
// whichever ends last gives up the descriptor.
type conn struct {
	host  *Host
	info  p2p.ConnInfo
	net   net.Conn
	codec Codec
	in    *Reader
	out   outbox
	w     writer

	// open is the loop's: the protocol knows this connection.
	open bool
	// closing says that the protocol has closed it, or that the host
	// stops: no event is wanted any more.
	closing atomic.Bool
	// bulk counts the bulk messages taken by Send and not yet written.
	bulk atomic.Int32
	// drained says that an evDrained is on its way to the loop.
	drained atomic.Bool
	// cause is why the writer gave up, if it did. A read that fails because
	// the socket was closed for it is only the echo.
	cause atomic.Pointer[error]
	// linger closes the socket if the last messages take too long.
	linger atomic.Pointer[time.Timer]
	// parts counts the goroutines that use the socket.
	parts   atomic.Int32
	release func() // called once when the descriptor is gone; may be nil
}

// readLoop delivers messages until the connection ends.
func (c *conn) readLoop() {
	defer c.part()
	err := c.readFrames()
	if c.closing.Load() {
		c.discard()
		return
	}
	// Nobody is there to read what still waits.
	c.out.kill()
	c.net.Close()
	cause := c.cause.Load()
	if cause != nil && (errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)) {
		err = *cause
	}
	c.host.inbox.force(&event{kind: evClosed, c: c, err: err})
}

// readFrames reads and delivers until the input ends or the protocol has closed
// the connection.
func (c *conn) readFrames() error {
	ev := event{kind: evReceived, c: c}
	ev.frame.pool = c.host.cfg.Buffers
	for {
		if p, ok := c.codec.(pender); !ok || !p.Pending() {
			if err := c.in.await(); err != nil {
				return err
			}
		}
		if c.closing.Load() {
			return nil
		}
		ev.frame.reset()
		ev.body = nil
		if err := c.readFrame(&ev); err != nil {
			ev.free()
			return err
		}
		if ev.frame.Type == 0 {
			ev.frame.releaseHead()
			continue
		}
		if !c.host.inbox.put(&ev) {
			ev.free()
			return net.ErrClosed
		}
	}
}

func (c *conn) readFrame(ev *event) error {
	f := &ev.frame
	if err := c.codec.ReadHead(c.in, f, c.host.limits); err != nil {
		return err
	}
	if f.BodyLen > 0 {
		ev.body = c.host.cfg.Buffers.Get(f.BodyLen)
		if err := c.in.ReadFull(ev.body.Bytes()); err != nil {
			return err
		}
	}
	c.in.finish()
	return nil
}

// discard reads what the other end still sends, up to a bound, so that the
// close is an orderly one. See lingerBytes.
func (c *conn) discard() {
	c.in.finish()
	for n := 0; n < lingerBytes; {
		m, err := c.net.Read(c.in.buf)
		if err != nil {
			return
		}
		n += m
	}
}

// writeLoop writes what the outbox holds until the connection ends.
func (c *conn) writeLoop() {
	defer c.part()
	var (
		control []byte
		item    bulkItem
		err     error
	)
	for {
		var ok bool
		control, ok = c.out.pop(control, &item)
		if !ok {
			closeWrite(c.net)
			return
		}
		if control != nil {
			err = c.w.write(control)
		} else {
			err = c.w.writeBulk(item.head, item.body)
			item.body.Release()
			item.body = nil
			c.bulk.Add(-1)
			if c.drained.CompareAndSwap(false, true) {
				c.host.inbox.force(&event{kind: evDrained, c: c})
			}
		}
		if err != nil {
			c.writeFailed(err)
			return
		}
	}
}

// writeFailed ends a connection that cannot be written to.
func (c *conn) writeFailed(err error) {
	c.out.kill()
	c.cause.Store(&err)
	if p2p.ReasonOf(err) != p2p.ReasonOther {
		c.net.Close()
		return
	}
	// The other end has gone. What it sent before, such as the reason, may
	// still be in the socket: let the reader come to the end of it.
	c.lingerFor(c.host.cfg.Linger)
}

// lingerFor closes the socket after d, if nobody has before.
func (c *conn) lingerFor(d time.Duration) {
	t := time.AfterFunc(d, func() { c.net.Close() })
	if old := c.linger.Swap(t); old != nil {
		old.Stop()
	}
}

// shut ends a connection on the protocol's behalf: control messages get d to
// leave. No event follows.
func (c *conn) shut(d time.Duration) {
	c.closing.Store(true)
	c.lingerFor(d)
	c.out.finish()
}

// part is the end of one of the two goroutines.
func (c *conn) part() {
	defer c.host.tasks.Done()
	if c.parts.Add(-1) > 0 {
		return
	}
	c.net.Close()
	if t := c.linger.Load(); t != nil {
		t.Stop()
	}
	c.host.live.Add(-1)
	if c.release != nil {
		c.release()
	}
}

// closeWrite tells the other end that nothing more comes.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		if half.CloseWrite() == nil {
			return
		}
	}
	c.Close()
}

// free gives back the memory that an undelivered event holds.
func (e *event) free() {
	e.frame.releaseHead()
	if e.body != nil {
		e.body.Release()
		e.body = nil
	}
}
