package mse

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"starling/p2p"
)

func TestGarbage(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	for range 20 {
		b := make([]byte, 4096)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		b[0] &= 0x7f // a number of the group
		for name, run := range sides {
			conn := &script{in: b}
			expect(t, run(conn), p2p.ReasonHandshake, nil)
			if conn.read > inputSize {
				t.Errorf("the %s has read %d bytes", name, conn.read)
			}
		}
	}
}

// sides are the two that handshakes of fixed chance have.
var sides = map[string]func(net.Conn) error{
	"dialer": func(c net.Conn) error {
		_, err := client(c, testSKEY, ClientOptions{IA: []byte("ia")}, fixed(1, 40, 4))
		return err
	},
	"listener": func(c net.Conn) error {
		_, err := server(c, knows(testSKEY), ServerOptions{}, fixed(2, 4, 40))
		return err
	},
}

// said is what each of the sides hears from the other.
func said(t testing.TB) map[string][]byte {
	fromClient, fromServer := transcripts(t, ClientOptions{IA: []byte("ia")}, ServerOptions{},
		fixed(1, 40, 4), fixed(2, 4, 40))
	return map[string][]byte{"dialer": fromServer, "listener": fromClient}
}

func TestTruncation(t *testing.T) {
	for name, heard := range said(t) {
		for n := range len(heard) {
			expect(t, sides[name](&script{in: heard[:n]}), p2p.ReasonHandshake, io.ErrUnexpectedEOF)
			if t.Failed() {
				t.Fatalf("%s, %d of %d bytes", name, n, len(heard))
			}
		}
		if err := sides[name](&script{in: heard}); err != nil {
			t.Errorf("%s, all %d bytes: %v", name, len(heard), err)
		}
		reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
		expect(t, sides[name](&script{in: heard[:100], end: reset}), p2p.ReasonIO, syscall.ECONNRESET)
	}
}

func TestSmallReads(t *testing.T) {
	for name, heard := range said(t) {
		for chunk := 1; chunk < 100; chunk += 7 {
			if err := sides[name](&script{in: heard, chunk: chunk}); err != nil {
				t.Errorf("%s, %d bytes at a time: %v", name, chunk, err)
			}
		}
	}
}

// A change is noticed, but for that of a pad, of a method that nobody knows, or
// of the initial payload and its length.
func TestFlips(t *testing.T) {
	free := map[string][][2]int{ // from the end, first and past the last
		"dialer":   {{40 + 2 + 4 + vcSize + 4, 40 + 2 + 4 + vcSize}, {40, 0}}, // PadB, PadD
		"listener": {{2 + 2 + 4 + 2 + 4, 2 + 2 + 4 + 2}, {2 + 2 + 4, 0}},
	}
	for name, heard := range said(t) {
		if name == "listener" {
			free[name] = append(free[name], [2]int{len(heard) - keySize, len(heard) - keySize - 40}) // PadA
		}
		for i := range heard {
			left := len(heard) - i
			if slices.ContainsFunc(free[name], func(r [2]int) bool { return left <= r[0] && left > r[1] }) {
				continue
			}
			b := append([]byte(nil), heard...)
			b[i] ^= 0x80
			if sides[name](&script{in: b}) == nil {
				t.Errorf("%s: byte %d of %d is changed", name, i, len(b))
			}
		}
	}
}

func TestWriteFails(t *testing.T) {
	for name, heard := range said(t) {
		for allowed := range 2 {
			conn := &stuck{script: script{in: heard}, allowed: allowed}
			expect(t, sides[name](conn), p2p.ReasonTimeout, os.ErrDeadlineExceeded)
		}
	}
}

// stuck takes some writes and then none.
type stuck struct {
	script
	allowed int
}

func (s *stuck) Write(p []byte) (int, error) {
	if s.allowed == 0 {
		return len(p) / 2, os.ErrDeadlineExceeded
	}
	s.allowed--
	return s.script.Write(p)
}

func TestUnknownTorrent(t *testing.T) {
	asked := 0
	find := func([20]byte) (skey [20]byte, ok bool) { asked++; return }
	_, err := server(&script{in: said(t)["listener"]}, find, ServerOptions{}, fixed(2, 4, 40))
	expect(t, err, p2p.ReasonUnknownTorrent, nil)
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// An index that answers with another torrent, or a dialer that does.
func TestWrongTorrent(t *testing.T) {
	other := [20]byte{1}
	find := func([20]byte) ([20]byte, bool) { return other, true }
	_, err := server(&script{in: said(t)["listener"]}, find, ServerOptions{}, fixed(2, 4, 40))
	expect(t, err, p2p.ReasonHandshake, nil)
	if !strings.Contains(err.Error(), "verification constant") {
		t.Error(err)
	}
	_, err = client(&script{in: said(t)["dialer"]}, other, ClientOptions{}, fixed(1, 40, 4))
	expect(t, err, p2p.ReasonHandshake, io.ErrUnexpectedEOF)
}

// A remote that sends a byte now and then is bounded by the deadline, wherever
// it is in the handshake.
func TestDribble(t *testing.T) {
	heard := said(t)
	for name := range sides {
		for _, limit := range []time.Duration{0, 50 * time.Second, 100 * time.Second, 110 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				var others sync.WaitGroup
				defer others.Wait()
				defer a.Close()
				others.Go(func() { _, _ = io.Copy(io.Discard, a) })
				others.Go(func() {
					for _, c := range heard[name] {
						time.Sleep(time.Second)
						if _, err := a.Write([]byte{c}); err != nil {
							return
						}
					}
				})
				began := time.Now()
				if err := b.SetDeadline(began.Add(limit)); err != nil {
					t.Fatal(err)
				}
				expect(t, sides[name](b), p2p.ReasonTimeout, os.ErrDeadlineExceeded)
				if d := time.Since(began); d != limit {
					t.Errorf("the %s gave up after %v of %v", name, d, limit)
				}
			})
		}
	}
}

// What the other side claims does not decide what is allocated.
func TestMemory(t *testing.T) {
	allocated := func(heard []byte) uint64 {
		conn := &script{in: heard}
		conn.out = make([]byte, 0, 4<<10)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := server(conn, knows(testSKEY), ServerOptions{}, fixed(2, 0, 0))
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		runtime.KeepAlive(c)
		return after.TotalAlloc - before.TotalAlloc
	}
	small := asDialer(t, testSKEY, request(3, 0, 0))
	large := asDialer(t, testSKEY, request(3, maxPad, MaxIA))
	allocated(small) // what is made once
	a, b := allocated(small), allocated(large)
	// Other goroutines of the test may allocate a little meanwhile.
	if a > 32<<10 || b > a+8<<10 {
		t.Errorf("%d bytes for a small request, %d for the largest", a, b)
	}
}

// An initial payload that does not fit in the buffer passes all the same.
func TestLargeIA(t *testing.T) {
	for _, listener := range []Policy{PreferRC4, PreferPlaintext} {
		for _, n := range []int{inputSize - 1, inputSize, inputSize + 1, MaxIA} {
			a, b := loopback(t)
			ia := strings.Repeat("initial.", n/8+1)[:n]
			c, s := shake(t, a, b, ClientOptions{IA: []byte(ia)}, ServerOptions{Policy: listener},
				fixed(1, 100, 100), fixed(2, 100, 100))
			_, _, raw := s.Raw()
			if want := listener == PreferPlaintext && n <= inputSize; raw != want {
				t.Errorf("raw is %v with an IA of %d bytes, %v", raw, n, s.Method())
			}
			say(t, s, c, "hello")
			sent := make(chan error, 1)
			go func() {
				_, err := c.Write([]byte("after it"))
				sent <- errors.Join(err, c.CloseWrite())
			}()
			got, err := io.ReadAll(s)
			if err != nil || string(got) != ia+"after it" {
				t.Errorf("%d bytes of %d: %v", len(got), n, err)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
			if _, _, raw := s.Raw(); raw != (listener == PreferPlaintext) {
				t.Errorf("raw is %v at the end, %v", raw, s.Method())
			}
		}
	}
}
