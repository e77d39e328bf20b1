package peer

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"starling/metainfo"
	"starling/p2p/mse"
	"starling/peer/wire"
)

// TestEncryption: which sessions find each other, and whether what passes between
// them is in the clear.
func TestEncryption(t *testing.T) {
	if mse.Allowed() != nil {
		t.Skip("RC4 is forbidden here")
	}
	const off, accept, prefer, require = EncryptionOff, EncryptionAccept, EncryptionPrefer, EncryptionRequire
	for _, tt := range []struct {
		dialer, listener Encryption
		hidden           bool
	}{
		{accept, accept, false}, {accept, off, false}, {off, accept, false}, {prefer, accept, true}, {prefer, prefer, true},
		{require, accept, true}, {require, require, true}, {accept, prefer, false},
	} {
		t.Run(string(tt.dialer)+" to "+string(tt.listener), func(t *testing.T) {
			p := newPayload(t, "content", 1<<20, 256<<10)
			s := testSession(t, 1, func(c *Config) { c.Encryption = tt.listener })
			l := testSession(t, 2, func(c *Config) { c.Encryption = tt.dialer })
			p.seed(t, s)
			var r recorder
			p.wait(t, p.leech(t, l, r.between(t, s.Addr().String())))
			r.mu.Lock()
			defer r.mu.Unlock()
			if clear := bytes.HasPrefix(r.there, []byte("\x13BitTorrent protocol")); clear == tt.hidden {
				t.Errorf("in the clear: %v", clear)
			}
		})
	}
	t.Run("prefer to off", func(t *testing.T) { // refused at first, and dialed again
		p := newPayload(t, "content", 1<<20, 256<<10)
		s := testSession(t, 1, func(c *Config) { c.Encryption = off })
		l := testSession(t, 2, func(c *Config) { c.Encryption = prefer })
		p.seed(t, s)
		p.wait(t, p.leech(t, l, s.Addr().String()))
	})
}

// TestEncryptionRefused: a connection of the kind that is not taken is closed
// without an answer.
func TestEncryptionRefused(t *testing.T) {
	if mse.Allowed() != nil {
		t.Skip("RC4 is forbidden here")
	}
	p := newPayload(t, "content", 1<<20, 256<<10)
	require := testSession(t, 1, func(c *Config) { c.Encryption = EncryptionRequire })
	p.seed(t, require)
	hash := p.meta.InfoHash
	shake := "\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x04" + string(hash[:]) + "-XX0001-abcdefghijkl"
	if got := talk(t, require, []byte(shake)); len(got) != 0 {
		t.Errorf("BEP 3 in the clear was answered with %q", got)
	}
	if got := talk(t, require, frame(wire.HELO, helloOf(&wire.Hello{
		Version: 1, InfoHash: hash, PeerID: [20]byte{9}, MaxQueue: 64, MaxRequest: wire.MaxRun,
	}))); len(got) != 0 {
		t.Errorf("HELO in the clear was answered with %q", got)
	}
	for _, tt := range []struct {
		enc Encryption
		key metainfo.Hash
		in  string
	}{
		{EncryptionOff, hash, ""}, {EncryptionAccept, metainfo.Hash{1}, ""},
		{EncryptionAccept, hash, "\x13BitTorrent protocol" + string(make([]byte, 8)) + strings.Repeat("\x01", 20) + "-XX0001-abcdefghijkl"},
	} {
		s := testSession(t, 2, func(c *Config) { c.Encryption = tt.enc })
		p.seed(t, s)
		nc, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		c, err := mse.Client(nc, tt.key, mse.ClientOptions{})
		if tt.in == "" {
			if err == nil {
				t.Errorf("%s takes a connection that is encrypted for %x", tt.enc, tt.key)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, tt.in); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(c); len(got) != 0 {
			t.Errorf("a handshake for another torrent than it is encrypted for was answered with %q", got)
		}
	}
}

// TestMute: an address that says nothing in the clear is dialed encrypted the next
// time, and one that does in the clear again.
func TestMute(t *testing.T) {
	if mse.Allowed() != nil {
		t.Skip("RC4 is forbidden here")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	key := [20]byte{5}
	hears := make(chan byte, 1) // what each connection begins with
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			first := make([]byte, 1)
			if _, err := io.ReadFull(c, first); err == nil && first[0] != 'c' {
				find := func(req2 [20]byte) ([20]byte, bool) { return key, req2 == mse.IndexKey(key) }
				if _, err := mse.Server(c, find, mse.ServerOptions{Early: first}); err == nil {
					first[0] = 'h'
				}
			}
			hears <- first[0]
			c.Close()
		}
	}()
	var m mute
	dial := dialer(EncryptionAccept, netip.Addr{}, &callees{usual: key}, &m)
	got := ""
	for i := range 6 {
		c, err := dial(t.Context(), ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("clear")); err != nil {
			t.Fatal(err)
		}
		got += string(rune(<-hears))
		c.Close()
		if i >= 4 {
			m.heard(ln.Addr().String())
		}
	}
	if got != "chchcc" {
		t.Errorf("connections in the clear and hidden: %s", got)
	}
	// One that is not there yet is dialed in the clear when it comes.
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	if _, err := dial(t.Context(), gone.Addr().String()); err == nil || m.take(gone.Addr().String()) {
		t.Errorf("who refuses is taken for mute: %v", err)
	}
	for i := range 3 * maxMute {
		m.dialed(fmt.Sprint(i))
		if len(m.addrs) > maxMute {
			t.Fatalf("%d addresses", len(m.addrs))
		}
	}
}
