package mse

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// over makes a handshake over TCP.
func over(t testing.TB, p Policy) (c, s *Conn) {
	t.Helper()
	a, b := loopback(t)
	return shake(t, a, b, ClientOptions{Policy: p}, ServerOptions{Policy: p}, draw(), draw())
}

func TestWriteLeavesThePayload(t *testing.T) {
	for _, p := range []Policy{RequireRC4, PreferPlaintext} {
		c, s := over(t, p)
		text := []byte(strings.Repeat("a block of data ", 10_000))
		before := bytes.Clone(text)
		sent := make(chan error, 1)
		go func() {
			_, err := c.Write(text)
			sent <- errors.Join(err, c.CloseWrite())
		}()
		got, err := io.ReadAll(s)
		if err := errors.Join(err, <-sent); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, before) || !bytes.Equal(got, before) {
			t.Errorf("%v: the payload is another", c.Method())
		}
	}
}

// What is on the wire is not the payload, or is.
func TestWire(t *testing.T) {
	for _, p := range []Policy{RequireRC4, PreferPlaintext} {
		a, b := pipe(t)
		r := &recorder{Conn: a}
		c, s := shake(t, r, b, ClientOptions{}, ServerOptions{Policy: p}, draw(), draw())
		r.out = nil
		say(t, c, s, "BitTorrent protocol")
		if plain := string(r.out) == "BitTorrent protocol"; plain != (c.Method() == Plaintext) {
			t.Errorf("%v: %q is on the wire", c.Method(), r.out)
		}
		if n := len("BitTorrent protocol"); len(r.out) != n {
			t.Errorf("%v: %d bytes for %d", c.Method(), len(r.out), n)
		}
	}
}

// lame takes at most so many bytes a write, and says why or does not.
type lame struct {
	net.Conn
	most int
	err  error
}

func (l *lame) Write(p []byte) (int, error) {
	if len(p) <= l.most {
		return l.Conn.Write(p)
	}
	n, err := l.Conn.Write(p[:l.most])
	return n, errors.Join(err, l.err)
}

// A write that was cut short can be resumed, with other bytes too.
func TestResumedWrite(t *testing.T) {
	for _, cause := range []error{os.ErrDeadlineExceeded, nil} {
		for _, most := range []int{0, 1, 7, 1000, chunkSize - 1, chunkSize} {
			c, s := over(t, RequireRC4)
			c.Conn = &lame{c.Conn, most, cause}
			text := []byte(strings.Repeat("0123456789", chunkSize/4))
			got := make(chan []byte)
			go func() {
				b, _ := io.ReadAll(s)
				got <- b
			}()
			var want []byte
			for calls := 0; len(text) > 0 && calls < 50; calls++ {
				n, err := c.Write(text)
				want = append(want, text[:n]...)
				text = text[n:]
				if len(text) == 0 {
					break
				}
				if n > 0 && n%chunkSize != most%chunkSize {
					t.Errorf("%d bytes written, %d at most", n, most)
				}
				if cause != nil && !errors.Is(err, cause) || cause == nil && !errors.Is(err, io.ErrShortWrite) {
					t.Fatalf("%d bytes of %d: %v", n, len(text), err)
				}
				text[0] ^= byte(calls) // what comes next is the caller's choice
			}
			c.Close()
			if b := <-got; !bytes.Equal(b, want) {
				t.Errorf("with %d bytes a write by %v: %d bytes arrived of %d, or others", most, cause, len(b), len(want))
			}
		}
	}
}

// The same with a socket that is full.
func TestDeadlineOfAFullSocket(t *testing.T) {
	a, b := loopback(t)
	if err := errors.Join(a.SetWriteBuffer(16<<10), b.SetReadBuffer(16<<10)); err != nil {
		t.Fatal(err)
	}
	c, s := shake(t, a, b, ClientOptions{}, ServerOptions{}, draw(), draw())
	text := bytes.Repeat([]byte("full"), 1<<20/4)
	written, full := 0, 0
	got := make(chan []byte, 1)
	for written < len(text) {
		if err := c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := c.Write(text[written:])
		written += n
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if full++; full == 2 {
			go func() {
				b, _ := io.ReadAll(s)
				got <- b
			}()
		}
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if full < 2 {
		t.Fatal("the socket took everything unread")
	}
	if b := <-got; !bytes.Equal(b, text) {
		t.Errorf("%d bytes arrived of %d, or others", len(b), len(text))
	}
}

// Raw gives the connection itself and what was read from it.
func TestRaw(t *testing.T) {
	const ia = "initial payload"
	fromClient, _ := transcripts(t, ClientOptions{IA: []byte(ia)}, ServerOptions{Policy: PreferPlaintext},
		fixed(1, 9, 9), fixed(2, 9, 9))
	conn := &script{in: append(fromClient, " and more"...)}
	s, err := server(conn, knows(testSKEY), ServerOptions{Policy: PreferPlaintext}, fixed(2, 9, 9))
	if err != nil {
		t.Fatal(err)
	}
	raw, early, ok := s.Raw()
	if !ok || raw != net.Conn(conn) || string(early) != ia+" and more" {
		t.Errorf("%v, %q, %v", raw, early, ok)
	}
	b := make([]byte, 7)
	if n, err := s.Read(b); n != 7 || err != nil {
		t.Fatal(n, err)
	}
	if _, early, _ := s.Raw(); string(early) != ia[7:]+" and more" {
		t.Errorf("%q after %q", early, b)
	}
	if s.NetConn() != net.Conn(conn) {
		t.Error("NetConn is another")
	}
	c, _ := over(t, RequireRC4)
	if raw, early, ok := c.Raw(); raw != nil || early != nil || ok {
		t.Error("a raw connection under RC4")
	}
}

// Plaintext costs nothing: no copy, no lock, no memory.
func TestPlaintextAllocs(t *testing.T) {
	conn := &zeros{}
	c := &Conn{Conn: conn, method: Plaintext}
	c.settle()
	b := make([]byte, 16<<10)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = c.Read(b)
		_, _ = c.Write(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if conn.last != &b[0] {
		t.Error("the payload was copied")
	}
}

// zeros is an endless source and sink.
type zeros struct {
	net.Conn
	last *byte
}

func (z *zeros) Read(p []byte) (int, error) { z.last = &p[0]; return len(p), nil }

func (z *zeros) Write(p []byte) (int, error) { z.last = &p[0]; return len(p), nil }

func TestRC4Allocs(t *testing.T) {
	c := sealed(t, &zeros{})
	b := make([]byte, 16<<10)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = c.Read(b)
		_, _ = c.Write(b)
	}); n != 0 { // an average that is rounded down, for pools forget at times
		t.Errorf("%v allocations", n)
	}
}

// sealed is a Conn with RC4 over any connection.
func sealed(t testing.TB, conn net.Conn) *Conn {
	s := [keySize]byte{1}
	receive, send, err := ciphers(&s, &testSKEY)
	if err != nil {
		t.Fatal(err)
	}
	return newConn(&input{conn: conn}, RC4, testSKEY, receive, send, 0)
}

func TestCloseWriteUnsupported(t *testing.T) {
	a, b := pipe(t)
	c, _ := shake(t, a, b, ClientOptions{}, ServerOptions{}, draw(), draw())
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// A connection may be used by many at once.
func TestConcurrentUse(t *testing.T) {
	for _, p := range []Policy{RequireRC4, PreferPlaintext} {
		c, s := over(t, p)
		var writers, readers sync.WaitGroup
		var mu sync.Mutex
		count := 0
		for range 4 {
			writers.Go(func() {
				for range 100 {
					if _, err := c.Write(bytes.Repeat([]byte{'x'}, 1000)); err != nil {
						t.Error(err)
						return
					}
				}
			})
			readers.Go(func() {
				b := make([]byte, 700)
				for {
					n, err := s.Read(b)
					if strings.Trim(string(b[:n]), "x") != "" {
						t.Error("other bytes arrived")
					}
					mu.Lock()
					count += n
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		writers.Wait()
		if err := c.CloseWrite(); err != nil {
			t.Error(err)
		}
		readers.Wait()
		if count != 4*100*1000 {
			t.Errorf("%v: %d bytes", c.Method(), count)
		}
	}
}
