package mse

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"starling/p2p"
)

// Debian's interpreter has Debian's libtorrent, another may not.
const python = "/usr/bin/python3"

const (
	interopPiece = 16 << 10
	interopSize  = 8 * interopPiece
)

// foreign is a libtorrent that seeds a torrent and takes nothing but MSE.
type foreign struct {
	t       *testing.T
	port    string
	skey    [20]byte
	content []byte
	in      io.Writer
	out     *bufio.Scanner
	peers   byte // makes each of our peer ids another
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	if err := exec.Command(python, "-c", "import libtorrent").Run(); err != nil {
		const why = "libtorrent for Python is missing: Debian's package python3-libtorrent"
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	f := &foreign{t: t, content: make([]byte, interopSize)}
	rng := rand.New(rand.NewPCG(68, 96))
	for i := range f.content {
		f.content[i] = byte(rng.Uint32())
	}
	var pieces []byte
	for i := 0; i < interopSize; i += interopPiece {
		sum := sha1.Sum(f.content[i : i+interopPiece])
		pieces = append(pieces, sum[:]...)
	}
	info := fmt.Sprintf("d6:lengthi%de4:name4:data12:piece lengthi%de6:pieces%d:%se",
		interopSize, interopPiece, len(pieces), pieces)
	f.skey = sha1.Sum([]byte(info))
	dir := t.TempDir()
	torrent := filepath.Join(dir, "x.torrent")
	for name, b := range map[string][]byte{
		torrent: []byte("d4:info" + info + "e"), filepath.Join(dir, "data"): f.content,
	} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.start(torrent, dir)
	return f
}

// start runs the program until the end of the test.
func (f *foreign) start(args ...string) {
	cmd := exec.Command(python, append([]string{"testdata/libtorrent_peer.py"}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	hung := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	f.t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			f.t.Errorf("libtorrent: %v", err)
		}
		hung.Stop()
	})
	f.in, f.out = in, bufio.NewScanner(out)
	version, port, ok := strings.Cut(f.line(), " ")
	if !ok {
		f.t.Fatalf("%q is no version and port", version)
	}
	f.t.Logf("libtorrent %s", version)
	f.port = port
}

func (f *foreign) line() string {
	f.t.Helper()
	if !f.out.Scan() {
		f.t.Fatalf("libtorrent has ended: %v", f.out.Err())
	}
	return f.out.Text()
}

func (f *foreign) do(format string, args ...any) string {
	f.t.Helper()
	if _, err := fmt.Fprintf(f.in, format+"\n", args...); err != nil {
		f.t.Fatal(err)
	}
	return f.line()
}

// bep3 returns a handshake of a new peer.
func (f *foreign) bep3() []byte {
	f.peers++
	b := append([]byte("\x13BitTorrent protocol\x00\x00\x00\x00\x00\x00\x00\x00"), f.skey[:]...)
	return append(append(b, "-XX0001-mse-interop"...), f.peers)
}

// check reads libtorrent's handshake, downloads a piece, and looks how libtorrent
// sees the connection.
func (f *foreign) check(c *Conn) {
	f.t.Helper()
	b := make([]byte, 68)
	if _, err := io.ReadFull(c, b); err != nil {
		f.t.Fatal(err)
	}
	if want := f.bep3(); !bytes.Equal(b[:20], want[:20]) || !bytes.Equal(b[28:48], want[28:48]) || !bytes.HasPrefix(b[48:], []byte("-LT")) {
		f.t.Fatalf("libtorrent's handshake is %q", b)
	}
	const interested, unchoke, request, piece = 2, 1, 6, 7
	f.send(c, interested)
	f.await(c, unchoke)
	index := uint32(f.peers) % (interopSize / interopPiece)
	f.send(c, request, index, 0, interopPiece)
	block := f.await(c, piece)
	from := int(index) * interopPiece
	if len(block) != 8+interopPiece || !bytes.Equal(block[8:], f.content[from:from+interopPiece]) {
		f.t.Errorf("piece %d is another", index)
	}
	// By now its side of the handshake is over too.
	if got := f.do("peers"); got != c.Method().String() {
		f.t.Errorf("libtorrent speaks %q with us, we %v", got, c.Method())
	}
	// The next connection is to be the only one: this one must end for both.
	if err := c.CloseWrite(); err != nil {
		f.t.Error(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		f.t.Error(err)
	}
	c.Close()
	for deadline := time.Now().Add(time.Minute); f.do("peers") != ""; {
		if time.Now().After(deadline) {
			f.t.Fatal("libtorrent keeps a connection that is closed")
		}
	}
}

func (f *foreign) send(c net.Conn, kind byte, numbers ...uint32) {
	f.t.Helper()
	b := append(binary.BigEndian.AppendUint32(nil, uint32(1+4*len(numbers))), kind)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	if _, err := c.Write(b); err != nil {
		f.t.Fatal(err)
	}
}

// await returns the body of the next message of a kind.
func (f *foreign) await(c net.Conn, kind byte) []byte {
	f.t.Helper()
	for {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			f.t.Fatal(err)
		}
		n := binary.BigEndian.Uint32(size[:])
		if n > interopPiece+100 {
			f.t.Fatalf("a message of %d bytes", n)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(c, b); err != nil {
			f.t.Fatal(err)
		}
		if n > 0 && b[0] == kind {
			return b[1:]
		}
	}
}

// dial connects to libtorrent.
func (f *foreign) dial() net.Conn {
	f.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+f.port)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	soon(f.t, conn)
	return conn
}

// client makes a handshake, and another where libtorrent's fault with short
// secrets is what made the first fail.
func (f *foreign) client(opts ClientOptions) (*Conn, error) {
	f.t.Helper()
	for {
		c, err := Client(f.dial(), f.skey, opts)
		if !errors.Is(err, ErrShortSecret) {
			return c, err
		}
		f.t.Log(err)
	}
}

// accept makes libtorrent connect to us, and says what Sniff makes of it.
func (f *foreign) accept() (conn net.Conn, early []byte) {
	f.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	defer ln.Close()
	f.do("connect %d", ln.Addr().(*net.TCPAddr).Port)
	if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute)); err != nil {
		f.t.Fatal(err)
	}
	if conn, err = ln.Accept(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	soon(f.t, conn)
	early = make([]byte, 0, SniffSize)
	for Sniff(early) == Unknown {
		n, err := conn.Read(early[len(early) : len(early)+1])
		if err != nil {
			f.t.Fatal(err)
		}
		early = early[:len(early)+n]
	}
	if kind := Sniff(early); kind != Hidden {
		f.t.Fatalf("what begins with %q is %v", early, kind)
	}
	return conn, early
}

func TestLibtorrentIsDialed(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	for _, c := range []struct {
		level  Method
		prefer bool
		policy Policy
		want   Method // 0: none
	}{
		{RC4, true, PreferRC4, RC4},
		{RC4, true, PreferPlaintext, RC4},
		{RC4, false, RequireRC4, RC4},
		{Plaintext, true, PreferRC4, Plaintext},
		{Plaintext, true, RequireRC4, 0},
		{Plaintext | RC4, false, PreferRC4, Plaintext},
		{Plaintext | RC4, true, PreferPlaintext, RC4},
		{Plaintext | RC4, false, RequireRC4, RC4},
	} {
		for _, withIA := range []bool{true, false} {
			t.Logf("level %d, prefers RC4 %v, our policy %d, IA %v", c.level, c.prefer, c.policy, withIA)
			f.do("level %d %v", c.level, c.prefer)
			opts := ClientOptions{Policy: c.policy}
			if withIA {
				opts.IA = f.bep3()
			}
			conn, err := f.client(opts)
			if c.want == 0 {
				expect(t, err, p2p.ReasonHandshake, nil)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if conn.Method() != c.want {
				t.Errorf("%v, want %v", conn.Method(), c.want)
			}
			if !withIA {
				if _, err := conn.Write(f.bep3()); err != nil {
					t.Fatal(err)
				}
			}
			f.check(conn)
		}
	}
	_, err := Client(f.dial(), [20]byte{1}, ClientOptions{})
	if err == nil || p2p.ReasonOf(err) == p2p.ReasonTimeout {
		t.Errorf("a torrent that libtorrent does not have: %v", err)
	}
}

func TestLibtorrentDials(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	for _, c := range []struct {
		level  Method
		policy Policy
		want   Method // 0: none
	}{
		// libtorrent dials once a second.
		{RC4, PreferPlaintext, RC4},
		{Plaintext, PreferRC4, Plaintext},
		{Plaintext, RequireRC4, 0},
		{Plaintext | RC4, PreferRC4, RC4},
		{Plaintext | RC4, PreferPlaintext, Plaintext},
	} {
		t.Logf("level %d, our policy %d", c.level, c.policy)
		f.do("level %d true", c.level)
		raw, early := f.accept()
		conn, err := Server(raw, knows(f.skey), ServerOptions{Policy: c.policy, Early: early})
		if c.want == 0 {
			expect(t, err, p2p.ReasonHandshake, nil)
			raw.Close()
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if conn.Method() != c.want || conn.SKEY() != f.skey {
			t.Errorf("%v of %x, want %v of %x", conn.Method(), conn.SKEY(), c.want, f.skey)
		}
		if _, err := conn.Write(f.bep3()); err != nil {
			t.Fatal(err)
		}
		f.check(conn)
	}
	raw, early := f.accept()
	_, err := Server(raw, knows([20]byte{1}), ServerOptions{Early: early})
	expect(t, err, p2p.ReasonUnknownTorrent, nil)
}
