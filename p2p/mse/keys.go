package mse

import (
	"crypto/rand"
	"crypto/rc4"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"math/big"
)

const (
	keySize     = 96   // of a public key and of the shared secret, in bytes
	privateSize = 20   // of a private key
	dropSize    = 1024 // bytes of keystream that are never used
)

var (
	generator = big.NewInt(2)
	prime     = mustHex("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1" +
		"29024e088a67cc74020bbea63b139b22514a08798e3404dd" +
		"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245" +
		"e485b576625e7ec6f44c42e9a63a36210000000000090563")
	// A public key is in [2, lastKey]. Those outside have a shared secret that
	// everybody knows, and no client makes them.
	lastKey = new(big.Int).Sub(prime, big.NewInt(2))
)

func mustHex(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("mse: the prime is not a number")
	}
	return n
}

// chance is what one side of a handshake draws at random.
type chance struct {
	private [privateSize]byte
	pad     []byte // PadA or PadB
	zeros   int    // the length of PadC or PadD, which are zeros
}

func draw() *chance {
	c := new(chance)
	var b [8 + maxPad]byte
	rand.Read(c.private[:])
	rand.Read(b[:])
	c.pad = b[8 : 8+padLen(b[:4])]
	c.zeros = padLen(b[4:8])
	return c
}

// padLen makes a length in [0, maxPad] of four random bytes.
func padLen(b []byte) int {
	return int(binary.BigEndian.Uint32(b) % (maxPad + 1))
}

// public returns the public key of a private one.
func (c *chance) public() (key [keySize]byte) {
	x := new(big.Int).SetBytes(c.private[:])
	x.Exp(generator, x, prime).FillBytes(key[:])
	return key
}

// secret returns what the two sides share, S: theirs has keySize bytes.
func (c *chance) secret(theirs []byte) (s [keySize]byte, err error) {
	y := new(big.Int).SetBytes(theirs)
	if y.Cmp(generator) < 0 || y.Cmp(lastKey) > 0 {
		return s, broken("a public key outside of the group")
	}
	x := new(big.Int).SetBytes(c.private[:])
	x.Exp(y, x, prime).FillBytes(s[:])
	return s, nil
}

// longSecret is secret with a private key that makes S begin with another byte
// than zero: rTorrent, and libtorrent in part, hash an S without the zeros, and
// one in 256 handshakes with them fails. Only who knows the other's key before
// it tells its own can do that, so the listener.
func (c *chance) longSecret(theirs []byte) (s [keySize]byte, err error) {
	s, err = c.secret(theirs)
	for tries := 0; err == nil && s[0] == 0 && tries < 3; tries++ {
		c.private[privateSize-1]++
		s, err = c.secret(theirs)
	}
	return s, err
}

// IndexKey returns the hash by which a Server asks for a torrent. It is a SHA-1,
// which panics where Allowed is not nil.
func IndexKey(skey [20]byte) (req2 [20]byte) { return hash("req2", skey[:]) }

// hash returns the SHA-1 of a name and of what follows it.
func hash(name string, parts ...[]byte) [20]byte {
	b := make([]byte, 0, 4+keySize+20)
	b = append(b, name...)
	for _, p := range parts {
		b = append(b, p...)
	}
	return sha1.Sum(b)
}

// mask hides the IndexKey of a torrent, or uncovers it.
func mask(req2 [20]byte, s *[keySize]byte) (masked [20]byte) {
	req3 := hash("req3", s[:])
	subtle.XORBytes(masked[:], req2[:], req3[:])
	return masked
}

// ciphers returns those of the dialer's stream and of the listener's.
func ciphers(s *[keySize]byte, skey *[20]byte) (a, b *rc4.Cipher, err error) {
	if a, err = cipher("keyA", s, skey); err != nil {
		return nil, nil, err
	}
	b, err = cipher("keyB", s, skey)
	return a, b, err
}

func cipher(name string, s *[keySize]byte, skey *[20]byte) (*rc4.Cipher, error) {
	key := hash(name, s[:], skey[:])
	c, err := rc4.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	var drop [dropSize]byte
	c.XORKeyStream(drop[:], drop[:])
	return c, nil
}
