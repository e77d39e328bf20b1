package mse

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"starling/p2p"
)

// Method is how the payload travels after the handshake: the bits of
// crypto_provide and crypto_select.
type Method uint32

// The methods that the protocol knows.
const (
	Plaintext Method = 1
	RC4       Method = 2
)

// String returns the method's name in lower case.
func (m Method) String() string {
	switch m {
	case Plaintext:
		return "plaintext"
	case RC4:
		return "rc4"
	}
	return fmt.Sprintf("Method(%#x)", uint32(m))
}

// Policy says which methods are acceptable. The listener chooses among those
// that the dialer offers, so a preference counts with a Server only.
type Policy uint8

// The policies.
const (
	// PreferRC4 takes both and chooses RC4. Transmission 4.0 goes on with RC4
	// whatever is selected, so this is what works with everybody.
	PreferRC4 Policy = iota
	// PreferPlaintext takes both and chooses plaintext: only the handshake is
	// hidden, and the payload costs nothing.
	PreferPlaintext
	// RequireRC4 takes RC4 only.
	RequireRC4
)

// offer returns the methods that are acceptable.
func (p Policy) offer() Method {
	if p == RequireRC4 {
		return RC4
	}
	return Plaintext | RC4
}

// choose returns the method to select of those offered, or 0.
func (p Policy) choose(offered Method) Method {
	both := offered & p.offer()
	if both == Plaintext|RC4 {
		if p == PreferPlaintext {
			return Plaintext
		}
		return RC4
	}
	return both
}

// Bounds of the protocol, in bytes.
const (
	// MaxIA is the longest initial payload.
	MaxIA = 1<<16 - 1
	// MaxEarly is the most that a dialer may have sent before it got an
	// answer: its public key and PadA.
	MaxEarly = keySize + maxPad

	maxPad = 512
)

// ErrShortSecret is in the error of a Client whose handshake failed as it does
// by a known fault of others: the shared secret of the two began with a zero
// byte, as one in 256 does, and libtorrent (mended by its pull request 8434) and
// rTorrent (894) then look for the hash of something else. A caller should try
// once more before it thinks ill of the other end: a new connection has another
// secret.
var ErrShortSecret = errors.New("the shared secret begins with a zero, which some clients get wrong; another try has another")

// ClientOptions are the dialer's. The zero value offers both methods and has no
// initial payload.
type ClientOptions struct {
	Policy Policy
	// IA is the initial payload, the first bytes of the stream, which spares
	// a round trip. At most MaxIA bytes; aria2 refuses more than the 68 of a
	// BEP 3 handshake.
	IA []byte
}

// ServerOptions are the listener's. The zero value takes both methods and
// chooses RC4.
type ServerOptions struct {
	Policy Policy
	// Early are the bytes that have been read from the connection already,
	// at most MaxEarly of an honest dialer.
	Early []byte
}

// Client makes the dialer's handshake on conn for the torrent skey. The caller
// sets conn's deadlines, and closes conn where the error is not nil.
//
// An error is a *p2p.ProtocolError of reason timeout (conn's deadline), io (conn
// failed) or handshake (the other end sent something else or closed, which is
// what it does with a torrent it does not have); or it says that the options are
// wrong or that RC4 is forbidden here.
func Client(conn net.Conn, skey [20]byte, opts ClientOptions) (*Conn, error) {
	if len(opts.IA) > MaxIA {
		return nil, fmt.Errorf("mse: an initial payload of %d bytes, at most %d", len(opts.IA), MaxIA)
	}
	if err := check(opts.Policy); err != nil {
		return nil, err
	}
	return client(conn, skey, opts, draw())
}

// Server makes the listener's handshake on conn. find returns the infohash whose
// IndexKey is req2; it is called at most once. The caller sets conn's deadlines,
// and closes conn where the error is not nil.
//
// The errors are those of Client; one of reason unknown_torrent says that find
// knew nothing.
func Server(conn net.Conn, find func(req2 [20]byte) (skey [20]byte, ok bool), opts ServerOptions) (*Conn, error) {
	if err := check(opts.Policy); err != nil {
		return nil, err
	}
	return server(conn, find, opts, draw())
}

func check(p Policy) error {
	if p > RequireRC4 {
		return fmt.Errorf("mse: no policy %d", p)
	}
	return Allowed()
}

// Allowed returns nil, or why this process can make no handshake: FIPS 140-3 is
// enforced in it.
func Allowed() error {
	if fips140.Enforced() {
		return errors.New("mse: FIPS 140-3 is enforced, and RC4 and SHA-1 are not allowed there")
	}
	return nil
}

// broken is the error of what the other end sent.
func broken(format string, args ...any) error {
	return p2p.Violation(p2p.ReasonHandshake, "mse: "+format, args...)
}

// failed names an error of the connection.
func failed(doing string, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		// An end is never in order here.
		return broken("%s: %w", doing, io.ErrUnexpectedEOF)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return p2p.Violation(p2p.ReasonTimeout, "mse: %s: %w", doing, err)
	}
	return p2p.Violation(p2p.ReasonIO, "mse: %s: %w", doing, err)
}
