package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"starling/p2p/mse"
	"starling/p2p/tcp"
)

// Encryption says what a session does about message stream encryption, which hides
// what a connection is and protects nothing (package mse).
type Encryption string

// The values of Config.Encryption.
const (
	// EncryptionAccept dials in the clear and takes both. The default.
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
func (s *Session) dial(infoHash [20]byte) func(ctx context.Context, addr string) (net.Conn, error) {
	plain := tcp.DialFrom(s.LocalAddr())
	policy := s.cipher()
	if s.cfg.Encryption != EncryptionPrefer && s.cfg.Encryption != EncryptionRequire {
		return plain
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := plain(ctx, addr)
		if err != nil {
			return nil, err
		}
		if err := c.SetDeadline(time.Now().Add(hiddenWait)); err == nil {
			var hidden *mse.Conn
			if hidden, err = mse.Client(c, infoHash, mse.ClientOptions{Policy: policy}); err == nil {
				if err = c.SetDeadline(time.Time{}); err == nil {
					return hidden, nil
				}
			}
		}
		c.Close()
		if s.cfg.Encryption == EncryptionRequire {
			return nil, fmt.Errorf("encrypted handshake: %w", err)
		}
		return plain(ctx, addr)
	}
}

// cipher is how an encrypted connection may go on after the handshake.
func (s *Session) cipher() mse.Policy {
	if s.cfg.Encryption == EncryptionRequire {
		return mse.RequireRC4
	}
	return mse.PreferRC4
}

// findKey returns the torrent of an encrypted handshake; nil if none is taken.
func (s *Session) findKey() func(req2 [20]byte) ([20]byte, bool) {
	if s.cfg.Encryption == EncryptionOff || mse.Allowed() != nil {
		return nil
	}
	return func(req2 [20]byte) ([20]byte, bool) {
		for _, t := range s.list() {
			if mse.IndexKey(t.infoHash) == req2 {
				return t.infoHash, true
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
