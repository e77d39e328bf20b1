package tracker

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
)

// front serves one connection of the public listener for as long as it brings
// nothing but plain announces and scrapes.
type front struct {
	srv  *Server
	conn *conn
	from netip.Addr
	buf  []byte    // received and not yet answered
	late time.Time // the read deadline that is set
}

// firstRead is the room for a request: an announce has some 400 bytes. A host's
// idle connection costs this and a goroutine.
const firstRead = 1 << 10

var errNotOurs = errors.New("a request for net/http")

// run serves the connection to its end, or hands it to net/http.
func (f *front) run() {
	f.buf = make([]byte, 0, firstRead)
	for {
		end, err := f.readHead()
		if err == nil {
			err = f.answer(end)
		}
		switch {
		case err == nil:
		case errors.Is(err, errNotOurs):
			f.conn.prefix = f.buf
			f.srv.handOver(f.conn)
			return
		default:
			f.conn.Close()
			return
		}
	}
}

// readHead reads until f.buf begins with a whole head, and returns its length. The
// connection may idle for timeouts.idle before the first byte of a request; the
// rest of the head must come within timeouts.head of it.
func (f *front) readHead() (end int, err error) {
	begun := len(f.buf) > 0 // pipelined behind the request before
	called := false
	timeout := f.srv.timeouts.idle
	if begun {
		timeout = f.srv.timeouts.head
	}
	if err := f.expectWithin(timeout); err != nil {
		return 0, err
	}
	for scanned := 0; ; {
		if i := bytes.Index(f.buf[scanned:], []byte("\r\n\r\n")); i >= 0 {
			return scanned + i + 4, nil
		}
		scanned = max(0, len(f.buf)-3)
		if !maybeOurs(f.buf) || len(f.buf) >= maxHead {
			return 0, errNotOurs
		}
		if len(f.buf) == cap(f.buf) {
			f.buf = append(make([]byte, 0, min(2*cap(f.buf), maxHead)), f.buf...)
		}
		if len(f.buf) > 0 && !begun {
			begun = true
			if err := f.expectWithin(f.srv.timeouts.head); err != nil {
				return 0, err
			}
		}
		n, err := f.conn.TCPConn.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
		switch {
		case err == nil || n > 0:
		case !called && errors.Is(err, os.ErrDeadlineExceeded) && f.srv.draining.Load() && (begun || waiting(f.conn.TCPConn)):
			// The last call is for who has not begun: a head under way may end, and one
			// that has come is read.
			called = true
			if err := f.conn.SetReadDeadline(time.Now().Add(f.srv.cfg.Drain)); err != nil {
				return 0, err
			}
		default:
			return 0, err
		}
	}
}

// slack is how much a deadline may differ from its timeout. Setting one costs as
// much as parsing an announce, so on a busy connection it is set once a second.
const slack = time.Second

// expectWithin sets the read deadline to d from now, give or take slack.
func (f *front) expectWithin(d time.Duration) error {
	at := time.Now().Add(d)
	if at.Sub(f.late).Abs() > slack {
		f.late = at
		if err := f.conn.SetReadDeadline(at); err != nil {
			return err
		}
	}
	// After the deadline: Serve first says that it is draining and then sets
	// every connection's deadline to now, so one of the two ends the wait.
	if f.srv.draining.Load() {
		return f.conn.SetReadDeadline(time.Now().Add(min(d, lastCall)))
	}
	return nil
}

// answer answers the request in f.buf[:end] and takes it out of the buffer.
func (f *front) answer(end int) error {
	to, raw, closing := parseHead(f.buf[:end])
	if to == routeOther {
		return errNotOurs
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	if to == routeAnnounce {
		f.srv.announce(s, raw, f.from)
	} else {
		f.srv.scrape(s, raw)
	}
	// A server that leaves answers what has come, and asks to be asked no more.
	closing = closing || !f.srv.ready.Load() && len(f.buf) == end
	s.out = append(s.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: "...)
	s.out = f.srv.date.append(s.out)
	if closing {
		s.out = append(s.out, "\r\nConnection: close"...)
	}
	s.out = append(s.out, "\r\nContent-Length: "...)
	s.out = strconv.AppendInt(s.out, int64(len(s.body)), 10)
	s.out = append(append(s.out, "\r\n\r\n"...), s.body...)
	if err := f.write(s.out); err != nil {
		return err
	}
	if closing {
		return net.ErrClosed
	}
	f.buf = append(f.buf[:0], f.buf[end:]...)
	return nil
}

// write sends b, with a deadline that is renewed once a second.
func (f *front) write(b []byte) error {
	at := time.Now().Add(f.srv.timeouts.write)
	if at.Sub(f.conn.writeBy) > slack {
		f.conn.writeBy = at
		if err := f.conn.SetWriteDeadline(at); err != nil {
			return err
		}
	}
	_, err := f.conn.TCPConn.Write(b)
	return err
}
