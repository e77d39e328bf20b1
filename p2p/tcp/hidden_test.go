package tcp

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/mse"
)

var hiddenKey = [20]byte{7}

// hiddenDoor serves h behind an Acceptor that takes encrypted connections for
// hiddenKey, and says why it refuses others.
func hiddenDoor(t *testing.T, policy mse.Policy, route func(f *FirstMessage) *Host) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := serve(t, ln, AcceptorConfig{
		Legacy: func() Codec { return &lengthCodec{} }, Route: route, Cipher: policy,
		FindKey: func(req2 [20]byte) ([20]byte, bool) { return hiddenKey, req2 == mse.IndexKey(hiddenKey) },
	})
	return a.Addr().String()
}

// dialHidden makes the encrypted handshake of a torrent.
func dialHidden(t *testing.T, addr string, key [20]byte, o mse.ClientOptions) (*mse.Conn, error) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	hidden, err := mse.Client(c, key, o)
	for tries := 0; errors.Is(err, mse.ErrShortSecret) && tries < 3; tries++ {
		return dialHidden(t, addr, key, o)
	}
	return hidden, err
}

const (
	lengthHello = "\x13BitTorrent protocol"
	lengthHi    = "\x00\x00\x00\x03\x00hi"
)

// TestHidden: a connection behind the encrypted handshake reaches its host, which
// hears and answers as on any other; in RC4, and in plain text after it, where the
// socket is again the host's own, with all that it can do.
func TestHidden(t *testing.T) {
	if mse.Allowed() != nil {
		t.Skip("RC4 is forbidden here")
	}
	path := filepath.Join(t.TempDir(), "file")
	content := strings.Repeat("content ", 10<<10)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tt := range []struct {
		name           string
		client, server mse.Policy
		ia             string // what comes along with the handshake
		method         mse.Method
	}{
		{"rc4", mse.RequireRC4, mse.PreferRC4, "", mse.RC4},
		{"rc4, with the first message", mse.RequireRC4, mse.RequireRC4, lengthHello + lengthHi, mse.RC4},
		{"plain", mse.PreferPlaintext, mse.PreferPlaintext, "", mse.Plaintext},
		{"plain, with the first message", mse.PreferPlaintext, mse.PreferPlaintext, lengthHello + lengthHi, mse.Plaintext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &hooks{}
			h := start(t, Config{}, p)
			type state struct{ raw, sendfile bool }
			states := make(chan state, 10)
			do(t, h, func() {
				p.received = func(c p2p.ConnID, m *p2p.Message) {
					if string(m.Head) != "hi" {
						return
					}
					_, raw := h.conns[c].net.(*net.TCPConn)
					states <- state{raw, h.conns[c].w.file != nil}
					h.Send(c, *m)
					h.Send(c, p2p.Message{Type: typeBulk, Body: &fileBody{spans: []span{{file, 0, int64(len(content))}}}})
				}
			})
			addr := hiddenDoor(t, tt.server, func(f *FirstMessage) *Host {
				if f.Key == nil || *f.Key != hiddenKey || f.Type != typeCtl {
					t.Errorf("routing %v for %v", f.Type, f.Key)
				}
				return h
			})
			c, err := dialHidden(t, addr, hiddenKey, mse.ClientOptions{Policy: tt.client, IA: []byte(tt.ia)})
			if err != nil {
				t.Fatal(err)
			}
			if c.Method() != tt.method {
				t.Errorf("it goes on in %v", c.Method())
			}
			if tt.ia == "" {
				if _, err := io.WriteString(c, lengthHello+lengthHi); err != nil {
					t.Fatal(err)
				}
			}
			// The host says nothing to the first message.
			want := lengthHi + "\x00\x01\x40\x01\x07" + content
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Fatalf("%v; got %.20q, want %.20q", err, got, want)
			}
			s, plain := get(t, states), tt.method == mse.Plaintext
			if s.raw != plain || s.sendfile != (plain && runtime.GOOS == "linux") {
				t.Errorf("its own socket %v, sendfile %v", s.raw, s.sendfile)
			}
		})
	}
}

// TestHiddenRefused: an unknown torrent, garbage, a native frame or garbage behind
// the encryption are closed, and routed nowhere.
func TestHiddenRefused(t *testing.T) {
	if mse.Allowed() != nil {
		t.Skip("RC4 is forbidden here")
	}
	addr := hiddenDoor(t, mse.PreferRC4, func(f *FirstMessage) *Host {
		t.Errorf("routing %v %q", f.Type, f.Head)
		return nil
	})
	if c, err := dialHidden(t, addr, [20]byte{8}, mse.ClientOptions{}); p2p.ReasonOf(err) != p2p.ReasonHandshake {
		t.Errorf("an unknown torrent: %v, %v", c, err)
	}
	for name, inside := range map[string]string{
		"a native frame":     string(frame(typeCtl, "hi")),
		"garbage":            "\x00\x01\x02\x03\x00\x00\x00\x02hi",
		"a second handshake": strings.Repeat("\x99", 96),
	} {
		for _, early := range []bool{false, true} {
			o := mse.ClientOptions{Policy: mse.RequireRC4}
			if early {
				o.IA = []byte(inside)
			}
			c, err := dialHidden(t, addr, hiddenKey, o)
			if err != nil {
				t.Fatal(err)
			}
			if !early {
				if _, err := io.WriteString(c, inside); err != nil {
					t.Fatal(err)
				}
			}
			if b, _ := io.ReadAll(c); len(b) > 0 { // its socket may be reset
				t.Errorf("%s was answered with %q", name, b)
			}
		}
	}
	// More than a padded key, and no key: it is closed without waiting for more.
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("\xff" + strings.Repeat("garbage", 400)))
	_, err = io.Copy(io.Discard, c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Error("garbage was not closed")
	}
}

// splitCodec is a wire on which one byte is that many messages.
type splitCodec struct{ left byte }

func (c *splitCodec) Pending() bool { return c.left > 0 }

func (c *splitCodec) ReadHead(r *Reader, f *Frame, _ *p2p.Limits) error {
	if c.left == 0 {
		b, err := r.Peek(1)
		if err != nil {
			return err
		}
		c.left = b[0]
		r.Discard(1)
		return nil // a message of nothing, like a keep-alive
	}
	c.left--
	f.Type = typeCtl
	f.MakeHead(1)[0] = c.left
	return nil
}

func (c *splitCodec) AppendHead(b []byte, _ *p2p.Message) []byte { return b }

// TestPending: what a codec still has to deliver is delivered before the connection
// waits for more bytes.
func TestPending(t *testing.T) {
	heard := make(chan byte, 100)
	h := start(t, Config{DialCodec: func(string) Codec { return &splitCodec{} }}, &hooks{
		received: func(_ p2p.ConnID, m *p2p.Message) { heard <- m.Head[0] },
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	do(t, h, func() { h.Dial(ln.Addr().String()) })
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, n := range []byte{5, 1, 40} {
		if _, err := c.Write([]byte{n}); err != nil {
			t.Fatal(err)
		}
		for i := n; i > 0; i-- {
			if got := get(t, heard); got != i-1 {
				t.Fatalf("message %d, want %d", got, i-1)
			}
		}
	}
}
