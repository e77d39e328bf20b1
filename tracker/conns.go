package tracker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"starling/internal/descriptors"
)

// conn is a connection of the public listener, counted until it is closed.
type conn struct {
	*net.TCPConn
	srv     *Server
	prefix  []byte // read before it was handed over, to be read again
	writeBy time.Time
	once    sync.Once
}

// Read gives back first what the front has read.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.prefix) > 0 {
		n := copy(b, c.prefix)
		if c.prefix = c.prefix[n:]; len(c.prefix) == 0 {
			c.prefix = nil
		}
		return n, nil
	}
	return c.TCPConn.Read(b)
}

// Close closes the connection and gives its place to another.
func (c *conn) Close() error {
	c.once.Do(func() { c.srv.forget(c) })
	return c.TCPConn.Close()
}

// Accept errors such as "too many open files" pass; between two attempts the loop
// waits, twice as long each time.
const (
	acceptWait    = 5 * time.Millisecond
	maxAcceptWait = time.Second
)

// pause waits, and returns how long to wait the next time; 0 when ctx has ended.
func pause(ctx context.Context, wait time.Duration) time.Duration {
	select {
	case <-time.After(wait):
		return min(2*wait, maxAcceptWait)
	case <-ctx.Done():
		return 0
	}
}

// accept serves a listener until it is closed. Each connection gets a goroutine,
// which ends with it or when net/http takes it over.
func (s *Server) accept(ctx context.Context, ln *net.TCPListener) error {
	wait, calls := acceptWait, 1
	for {
		c, err := ln.AcceptTCP()
		if ctx.Err() != nil {
			if err == nil {
				c.Close()
			}
			return nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if calls < maxLastCalls && waiting(ln) {
				calls++
				_ = ln.SetDeadline(time.Now().Add(lastCall))
				continue
			}
			return nil // nobody is left in the queue of a listener that closes
		}
		if err == nil && descriptors.Scarce(c) {
			s.metrics.refused.Inc()
			c.Close()
			err = descriptors.ErrScarce
		}
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			s.log.Warn("accept failed", "err", err, "wait", wait)
			if wait = pause(ctx, wait); wait == 0 {
				return nil
			}
			continue
		}
		wait = acceptWait
		s.admit(c)
	}
}

// admit starts serving a connection, or closes it when there are too many.
func (s *Server) admit(tcp *net.TCPConn) {
	c := &conn{TCPConn: tcp, srv: s}
	s.mu.Lock()
	ok := len(s.conns) < s.cfg.MaxConns && !s.draining.Load()
	if ok {
		s.conns[c] = struct{}{}
		s.fronts.Add(1)
	}
	s.mu.Unlock()
	if !ok {
		s.metrics.refused.Inc()
		tcp.Close()
		return
	}
	s.metrics.connections.Inc()
	go func() {
		defer s.fronts.Done()
		f := front{srv: s, conn: c, from: remoteIP(tcp)}
		f.run()
	}()
}

// forget makes room for another connection.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.metrics.connections.Dec()
}

func remoteIP(c *net.TCPConn) netip.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// handOver gives a connection to net/http, for good.
func (s *Server) handOver(c *conn) {
	_ = c.SetDeadline(time.Time{}) // net/http sets its own
	select {
	case s.handed.conns <- c:
	case <-s.handed.closed:
		c.Close()
	}
}

// handoff is the listener through which net/http gets its connections.
type handoff struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandoff(addr net.Addr) *handoff {
	return &handoff{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handoff) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *handoff) Addr() net.Addr { return h.addr }
