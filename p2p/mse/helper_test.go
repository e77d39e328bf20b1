package mse

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"starling/p2p"
)

var testSKEY = [20]byte([]byte("an infohash of tests"))

// knows returns a find function with one torrent.
func knows(skey [20]byte) func([20]byte) ([20]byte, bool) {
	key := IndexKey(skey)
	return func(req2 [20]byte) ([20]byte, bool) { return skey, req2 == key }
}

// fixed is a chance without chance: pad and zeros are lengths.
func fixed(key byte, pad, zeros int) *chance {
	c := &chance{pad: make([]byte, pad), zeros: zeros}
	for i := range c.private {
		c.private[i] = key
	}
	for i := range c.pad {
		c.pad[i] = key ^ byte(i*7)
	}
	return c
}

type result struct {
	conn *Conn
	err  error
}

// shake makes a handshake over two ends of a connection.
func shake(t testing.TB, dialer, listener net.Conn, co ClientOptions, so ServerOptions, cc, sc *chance) (*Conn, *Conn) {
	t.Helper()
	done := make(chan result, 1)
	go func() {
		c, err := server(listener, knows(testSKEY), so, sc)
		if err != nil {
			listener.Close()
		}
		done <- result{c, err}
	}()
	c, err := client(dialer, testSKEY, co, cc)
	if err != nil {
		dialer.Close()
	}
	s := <-done
	if err != nil || s.err != nil {
		t.Fatalf("client: %v, server: %v", err, s.err)
	}
	return c, s.conn
}

// pipe returns the ends of a net.Pipe that have a deadline.
func pipe(t testing.TB) (a, b net.Conn) {
	a, b = net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	soon(t, a, b)
	return a, b
}

// loopback returns the ends of a TCP connection that have a deadline.
func loopback(t testing.TB) (dialer, listener *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	soon(t, a, b)
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// soon makes a test that hangs fail.
func soon(t testing.TB, conns ...net.Conn) {
	t.Helper()
	for _, c := range conns {
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
}

// script is a connection whose other end says what it is given, in reads of at
// most chunk bytes, and then nothing more; what is written to it is kept.
type script struct {
	net.Conn // nil: nothing else is called
	in       []byte
	chunk    int
	end      error
	out      []byte
	read     int
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		if s.end != nil {
			return 0, s.end
		}
		return 0, io.EOF
	}
	if s.chunk > 0 {
		p = p[:min(len(p), s.chunk)]
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	s.read += n
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	s.out = append(s.out, p...)
	return len(p), nil
}

// recorder keeps what is written to a connection.
type recorder struct {
	net.Conn
	out []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.Conn.Write(p)
	r.out = append(r.out, p[:n]...)
	return n, err
}

// transcripts returns what the two sides of a handshake say that draw as given.
func transcripts(t testing.TB, co ClientOptions, so ServerOptions, cc, sc *chance) (fromClient, fromServer []byte) {
	t.Helper()
	a, b := pipe(t)
	ra, rb := &recorder{Conn: a}, &recorder{Conn: b}
	shake(t, ra, rb, co, so, cc, sc)
	return ra.out, rb.out
}

// expect checks an error's reason and cause.
func expect(t testing.TB, err error, reason p2p.Reason, cause error) {
	t.Helper()
	if err == nil || p2p.ReasonOf(err) != reason || cause != nil && !errors.Is(err, cause) {
		t.Errorf("error %v, not a %v by %v", err, reason, cause)
	}
}

// say writes to one end and checks what the other reads.
func say(t testing.TB, from, to net.Conn, text string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := from.Write([]byte(text))
		sent <- err
	}()
	b := make([]byte, len(text))
	if _, err := io.ReadFull(to, b); err != nil || string(b) != text {
		t.Errorf("read %.60q of %.60q: %v", b, text, err)
		from.Close()
	}
	if err := <-sent; err != nil && !errors.Is(err, os.ErrClosed) {
		t.Errorf("write: %v", err)
	}
}
