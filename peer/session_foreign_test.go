package peer

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/metainfo"
	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// client is a BitTorrent client of a few lines, on bare sockets: what the session
// says to it is compared with BEP 3, 6, 9 and 10 themselves.
type client struct {
	net.Conn
	t        *testing.T
	p        *payload
	reserved [8]byte
	bits     []byte // what the session says that it has; nil: nothing yet
}

// The reserved bytes of a client without extensions, with BEP 6, and with BEP 6
// and 10.
var (
	reservedPlain = [8]byte{}
	reservedFast  = [8]byte{7: 0x04}
	reservedFull  = [8]byte{5: 0x10, 7: 0x04}
)

// shake exchanges handshakes and returns the session's reserved bytes.
func (c *client) shake(dialed bool) (theirs [8]byte) {
	c.t.Helper()
	c.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
	hash := c.p.meta.InfoHash
	id := byte('a') + c.reserved[5] + c.reserved[7] // each is somebody else
	mine := "\x13BitTorrent protocol" + string(c.reserved[:]) + string(hash[:]) + "-XX0001-abcdefghijk" + string(rune(id))
	send := func() {
		if _, err := io.WriteString(c, mine); err != nil {
			c.t.Fatal(err)
		}
	}
	if dialed {
		send()
	}
	b := c.read(68)
	if string(b[:20]) != mine[:20] || !bytes.Equal(b[28:48], hash[:]) {
		c.t.Fatalf("the handshake is %q", b)
	}
	if !dialed {
		send()
	}
	return [8]byte(b[20:28])
}

func (c *client) read(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		c.t.Fatalf("reading %d bytes: %v", n, err)
	}
	return b
}

func (c *client) say(id byte, payload string) {
	c.t.Helper()
	b := append(binary.BigEndian.AppendUint32(nil, uint32(1+len(payload))), id)
	if _, err := c.Write(append(b, payload...)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next message but keep-alives; the messages of an extension that
// was not agreed fail the test.
func (c *client) next() (id byte, payload []byte) {
	c.t.Helper()
	for {
		n := binary.BigEndian.Uint32(c.read(4))
		if n == 0 {
			continue
		}
		if n > 300<<10 {
			c.t.Fatalf("a message of %d bytes", n)
		}
		b := c.read(int(n))
		fast := b[0] >= 13 && b[0] <= 17
		if fast && c.reserved[7] == 0 || b[0] == 20 && c.reserved[5] == 0 || b[0] > 9 && !fast && b[0] != 20 {
			c.t.Fatalf("message %d to one with reserved bytes %x", b[0], c.reserved)
		}
		c.learn(b[0], b[1:])
		return b[0], b[1:]
	}
}

// learn notes what the session says that it has.
func (c *client) learn(id byte, payload []byte) {
	n := c.p.meta.Info.NumPieces()
	switch id {
	case 4:
		i := binary.BigEndian.Uint32(payload)
		c.bits[i/8] |= 0x80 >> (i % 8)
	case 5:
		c.bits = payload
	case 14:
		c.bits = bytes.Repeat([]byte{0xff}, (n+7)/8)
	case 15:
		c.bits = make([]byte, (n+7)/8)
	}
}

// wait returns the payload of the next message with an id, and passes over others.
func (c *client) wait(want byte) []byte {
	c.t.Helper()
	for {
		if id, payload := c.next(); id == want {
			return payload
		}
	}
}

// fetch gets a piece, block by block.
func (c *client) fetch(i int) []byte {
	c.t.Helper()
	var got []byte
	for begin := 0; begin < int(c.p.meta.Info.PieceLength); begin += piece.BlockSize {
		c.say(6, words(uint32(i), uint32(begin), piece.BlockSize))
		b := c.wait(7)
		if string(b[:8]) != words(uint32(i), uint32(begin)) {
			c.t.Fatalf("the piece of %x", b[:8])
		}
		got = append(got, b[8:]...)
	}
	return got
}

// serve gives all that is asked for, until the session has everything.
func (c *client) serve() {
	c.t.Helper()
	n := c.p.meta.Info.NumPieces()
	if c.reserved[7] != 0 {
		c.say(14, "")
	} else {
		c.say(5, string(c.p.allBits()))
	}
	c.wait(2) // interested
	c.say(1, "")
	for have := 0; have < n; {
		switch id, b := c.next(); id {
		case 6:
			i, begin, length := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
			if length > piece.BlockSize {
				c.t.Fatalf("a request for %d bytes", length)
			}
			from := int64(i)*c.p.meta.Info.PieceLength + int64(begin)
			c.say(7, words(i, begin)+string(c.p.data[from:from+int64(length)]))
		case 4:
			have++
		case 3: // not interested: it has all, and does not say so by HAVE to a seed
			return
		}
	}
}

func (p *payload) allBits() []byte {
	bf := piece.NewBitfield(p.meta.Info.NumPieces())
	bf.SetAll()
	return bf.Bytes()
}

// dialClient connects a client to a session.
func dialClient(t *testing.T, s *Session, p *payload, reserved [8]byte) *client {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &client{Conn: nc, t: t, p: p, reserved: reserved}
	theirs := c.shake(true)
	if theirs != reservedFull {
		t.Errorf("the answer has reserved bytes %x", theirs)
	}
	return c
}

var clients = []struct {
	name     string
	reserved [8]byte
}{{"plain", reservedPlain}, {"fast", reservedFast}, {"full", reservedFull}}

// TestClientFetches: a client that dials a seed of ours gets pieces, and with BEP 10
// the info dictionary.
func TestClientFetches(t *testing.T) {
	p := newPayload(t, "content", 1<<20, 64<<10)
	s := testSession(t, 1, nil)
	p.seed(t, s)
	for _, cl := range clients {
		t.Run(cl.name, func(t *testing.T) {
			c := dialClient(t, s, p, cl.reserved)
			if cl.reserved[7] == 0 {
				c.say(3, "") // some say so at once
			} else {
				c.say(15, "")
			}
			c.say(2, "")
			c.wait(1)
			if !bytes.Equal(c.bits, p.allBits()) {
				t.Errorf("it has %x", c.bits)
			}
			for _, i := range []int{0, 7, 15} {
				if got := c.fetch(i); !bytes.Equal(got, p.data[i<<16:(i+1)<<16]) {
					t.Errorf("piece %d is wrong", i)
				}
			}
			if cl.reserved[5] != 0 {
				c.metadata()
			}
		})
	}
}

// metadata asks for the info dictionary. Our number for ut_metadata is 3.
func (c *client) metadata() {
	c.t.Helper()
	c.say(20, "\x00d1:md11:ut_metadatai3eee")
	c.say(20, "\x02d8:msg_typei0e5:piecei0ee")
	b := c.wait(20)
	for b[0] == 0 { // its handshake
		if size := fmt.Sprintf("13:metadata_sizei%de", len(c.p.meta.InfoBytes)); !strings.Contains(string(b), size) {
			c.t.Errorf("its handshake is %q, and lacks %q", b, size)
		}
		b = c.wait(20)
	}
	head := fmt.Sprintf("\x03d8:msg_typei1e5:piecei0e10:total_sizei%dee", len(c.p.meta.InfoBytes))
	if !bytes.HasPrefix(b, []byte(head)) || metainfo.Hash(sha1.Sum(b[len(head):])) != c.p.meta.InfoHash {
		c.t.Errorf("the dictionary came as %q", b)
	}
}

// TestClientServes: a leecher of ours completes from a client, whoever dialed.
func TestClientServes(t *testing.T) {
	p := newPayload(t, "content", 1<<20, 64<<10)
	for _, cl := range clients {
		for _, dials := range []string{"the client", "the session"} {
			t.Run(cl.name+", "+dials+" dials", func(t *testing.T) {
				s := testSession(t, 2, nil)
				var tor *Torrent
				if dials == "the client" {
					tor = p.leech(t, s)
					c := dialClient(t, s, p, cl.reserved)
					c.serve()
				} else {
					ln, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					defer ln.Close()
					tor = p.leech(t, s, ln.Addr().String())
					nc, err := ln.Accept()
					if err != nil {
						t.Fatal(err)
					}
					c := &client{Conn: nc, t: t, p: p, reserved: cl.reserved}
					theirs := c.shake(false)
					if theirs[0] != 'S' || theirs[5] != 0x10 || theirs[7] != 0x04 {
						t.Errorf("it dials with reserved bytes %x", theirs)
					}
					c.serve()
				}
				p.wait(t, tor)
				if st := tor.Stats(); st.ReceivedPayload != uint64(len(p.data)) {
					t.Errorf("%d bytes came, of %d", st.ReceivedPayload, len(p.data))
				}
			})
		}
	}
}

// recorder passes bytes on between two sessions and keeps the first of each way.
type recorder struct {
	mu          sync.Mutex
	there, back []byte
}

// between listens for one connection and passes it on to addr.
func (r *recorder) between(t *testing.T, addr string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		a, err := ln.Accept()
		if err != nil {
			return
		}
		defer a.Close()
		b, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer b.Close()
		go r.copy(b, a, &r.there)
		r.copy(a, b, &r.back)
	}()
	return ln.Addr().String()
}

func (r *recorder) copy(to, from net.Conn, first *[]byte) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		r.mu.Lock()
		*first = append(*first, buf[:min(n, max(0, 200-len(*first)))]...)
		r.mu.Unlock()
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// TestOursGoNative: of two sessions of ours the dialer begins as BEP 3 has it, and
// from its answer on both speak frames.
func TestOursGoNative(t *testing.T) {
	p := newPayload(t, "content", 1<<20, 256<<10)
	s, l := testSession(t, 1, nil), testSession(t, 2, nil)
	p.seed(t, s)
	var r recorder
	p.wait(t, p.leech(t, l, r.between(t, s.Addr().String())))
	r.mu.Lock()
	defer r.mu.Unlock()
	port := binary.BigEndian.AppendUint16(nil, l.Addr().Port())
	hash := p.meta.InfoHash
	id := [20]byte{2}
	there := "\x13BitTorrent protocolS" + string([]byte{wire.CapSuggest}) + string(port) + "\x00\x10\x00\x04" + string(hash[:]) + string(id[:]) +
		string(frame(wire.HNON, ""))
	if !bytes.HasPrefix(r.there, []byte(there)) {
		t.Errorf("the dialer said %q, want %q", r.there, there)
	}
	back := string(p2p.AppendHeader(nil, wire.HELO, wire.HelloSize))
	if !bytes.HasPrefix(r.back, []byte(back)) || string(r.back[8+wire.HelloSize:][:4]) != "HALL" {
		t.Errorf("the answer is %q", r.back)
	}
}
