package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"starling/p2p/mse"
	"starling/p2p/tcp"
	"starling/peer/bt"
)

// Encryption says what a session does about message stream encryption, which hides
// what a connection is and protects nothing (package mse).
type Encryption string

// The values of Config.Encryption.
const (
	// EncryptionAccept takes both, and dials in the clear; and encrypted, the
	// next time, who then said nothing. The default.
	EncryptionAccept Encryption = "accept"
	// EncryptionOff takes and makes connections in the clear only.
	EncryptionOff Encryption = "off"
	// EncryptionPrefer dials encrypted, and again in the clear where that fails.
	EncryptionPrefer Encryption = "prefer"
	// EncryptionRequire takes and makes encrypted connections only. They cost
	// CPU for every byte.
	EncryptionRequire Encryption = "require"
)

// Encryptions lists the values of Config.Encryption.
func Encryptions() []Encryption {
	return []Encryption{EncryptionAccept, EncryptionOff, EncryptionPrefer, EncryptionRequire}
}

// hiddenWait bounds the encrypted handshake of a connection that we dial.
const hiddenWait = 5 * time.Second

// dial returns how a torrent's host makes connections.
func (s *Session) dial(to *callees) func(ctx context.Context, addr string) (net.Conn, error) {
	return dialer(s.cfg.Encryption, s.LocalAddr(), to, &s.mute)
}

// Dialer returns how connections for a torrent are made from an address, if it is
// valid: for those who ask its peers for something without a session.
func Dialer(e Encryption, from netip.Addr, infoHash [20]byte) func(ctx context.Context, addr string) (net.Conn, error) {
	return dialer(e, from, &callees{usual: infoHash}, &mute{})
}

func dialer(e Encryption, from netip.Addr, to *callees, silent *mute) dialFunc {
	plain := tcp.DialFrom(from)
	hide := func(string) bool { return true }
	switch {
	case e == EncryptionOff, mse.Allowed() != nil:
		return plain
	case e == EncryptionAccept:
		hide = silent.take
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		infoHash := to.take(addr)
		if !hide(addr) {
			c, err := plain(ctx, addr)
			if err == nil {
				silent.dialed(addr)
			}
			return c, err
		}
		var c net.Conn
		var err error
		// A secret that begins with a zero byte is one that some get wrong:
		// the next has another.
		for range 2 {
			if c, err = hidden(ctx, plain, addr, infoHash, e.cipher()); !errors.Is(err, mse.ErrShortSecret) {
				break
			}
		}
		if !errors.Is(err, errHidden) || e == EncryptionRequire {
			return c, err
		}
		return plain(ctx, addr)
	}
}

// hidden makes a connection with an encrypted handshake.
func hidden(ctx context.Context, dial dialFunc, addr string, infoHash [20]byte, policy mse.Policy) (net.Conn, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	err = c.SetDeadline(time.Now().Add(hiddenWait))
	var h *mse.Conn
	if err == nil {
		h, err = mse.Client(c, infoHash, mse.ClientOptions{Policy: policy})
	}
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("%w: %w", errHidden, err)
	}
	if raw, early, ok := h.Raw(); ok && len(early) == 0 {
		return raw, nil // with all that a socket can do
	}
	return h, nil
}

// callees are the infohashes by which addresses will be called: the key of the
// encrypted handshake must be that of the other one.
type callees struct {
	usual [20]byte
	mu    sync.Mutex
	other map[string][20]byte // of dials under way, those that are not the usual
}

// call notes that an address is about to be dialed.
func (c *callees) call(addr string, infoHash [20]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if infoHash == c.usual {
		delete(c.other, addr)
		return
	}
	if c.other == nil {
		c.other = map[string][20]byte{}
	}
	c.other[addr] = infoHash
}

// take returns by what an address is called that is dialed now.
func (c *callees) take(addr string) [20]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.other[addr]; ok {
		delete(c.other, addr)
		return h
	}
	return c.usual
}

var errHidden = errors.New("encrypted handshake")

type dialFunc = func(ctx context.Context, addr string) (net.Conn, error)

// maxMute bounds the addresses that are remembered for having said nothing.
const maxMute = 1000

// mute is the addresses that took a connection in the clear and have said nothing
// yet. A client that takes encrypted connections only closes others without a
// word. One that is not there is not mute.
type mute struct {
	mu    sync.Mutex
	addrs map[string]bool
}

// take says whether addr is mute, and counts it so no longer: after an attempt that
// is hidden comes one that is not.
func (m *mute) take(addr string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.addrs[addr]
	delete(m.addrs, addr)
	return was
}

// dialed notes a connection in the clear.
func (m *mute) dialed(addr string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.addrs == nil || len(m.addrs) >= maxMute {
		m.addrs = map[string]bool{}
	}
	m.addrs[addr] = true
}

// heard notes that addr speaks in the clear.
func (m *mute) heard(addr string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.addrs, addr)
}

// cipher is how an encrypted connection may go on after the handshake.
func (e Encryption) cipher() mse.Policy {
	if e == EncryptionRequire {
		return mse.RequireRC4
	}
	return mse.PreferRC4
}

// dialCodec is the wire of a connection that we dialed.
func (s *Session) dialCodec(addr string) tcp.Codec {
	return bt.Dialer(func() { s.mute.heard(addr) })
}

// findKey returns the torrent of an encrypted handshake; nil if none is taken.
func (s *Session) findKey() func(req2 [20]byte) ([20]byte, bool) {
	if s.cfg.Encryption == EncryptionOff || mse.Allowed() != nil {
		return nil
	}
	return func(req2 [20]byte) ([20]byte, bool) {
		for _, t := range s.list() {
			for _, h := range [...][20]byte{t.infoHash, t.other} {
				if mse.IndexKey(h) == req2 {
					return h, true
				}
			}
		}
		return [20]byte{}, false
	}
}

// checkEncryption refuses what cannot work.
func (c *Config) checkEncryption() error {
	for _, e := range Encryptions() {
		if c.Encryption != e {
			continue
		}
		if err := mse.Allowed(); err != nil && (e == EncryptionPrefer || e == EncryptionRequire) {
			return fmt.Errorf("peer: encryption %s: %w", e, err)
		}
		return nil
	}
	return errors.New("peer: encryption is accept, off, prefer or require")
}
