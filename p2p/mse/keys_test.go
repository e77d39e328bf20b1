package mse

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"starling/p2p"
)

func TestPrime(t *testing.T) {
	half := new(big.Int).Rsh(prime, 1)
	if prime.BitLen() != 8*keySize || !prime.ProbablyPrime(8) || !half.ProbablyPrime(8) {
		t.Errorf("%x is not a safe prime of %d bits", prime, 8*keySize)
	}
}

// The values of two private keys and an infohash, computed by another program.
func TestVector(t *testing.T) {
	const wantS = "478531421d985de779c1fd27f0fe13f8a8e15b9e171f3d1bb7d2830b0f8c9424" +
		"1a5fe6560179bae85b6143d1b35e936ec89d2493892249207efd26e998332ed8" +
		"35dd7a90481517d4c9e58175d644e232317e1e970e55b48ec7cbe8fab193d842"
	a, b := fixed(1, 0, 0), fixed(2, 0, 0)
	ya, yb := a.public(), b.public()
	abbreviated := func(name string, b []byte, first, last string) {
		t.Helper()
		if s := hex.EncodeToString(b); !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
			t.Errorf("%s is %s", name, s)
		}
	}
	abbreviated("Ya", ya[:], "d0e3956c", "0b387720")
	abbreviated("Yb", yb[:], "2cbb4686", "3d189bf2")
	s, err := a.secret(yb[:])
	if err != nil {
		t.Fatal(err)
	}
	if other, err := b.secret(ya[:]); err != nil || other != s {
		t.Errorf("the other side's S is %x: %v", other, err)
	}
	var skey [20]byte
	for i := range skey {
		skey[i] = 0xaa
	}
	send, receive, err := ciphers(&s, &skey)
	if err != nil {
		t.Fatal(err)
	}
	var vcA, vcB [vcSize]byte
	send.XORKeyStream(vcA[:], vcA[:])
	receive.XORKeyStream(vcB[:], vcB[:])
	req1, torrent := hash("req1", s[:]), mask(IndexKey(skey), &s)
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"S", s[:], wantS},
		{"req1", req1[:], "0a6d483c3bc61484a210fa0f37d99062fd569483"},
		{"req2^req3", torrent[:], "6c6816e45dd786ccc916483dbf61bf2eac1d7b9b"},
		{"ENC(VC) of A", vcA[:], "29f82066c2916234"},
		{"ENC(VC) of B", vcB[:], "4e1a0ab34843e109"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s is %s, not %s", c.name, got, c.want)
		}
	}
	if mask(torrent, &s) != IndexKey(skey) {
		t.Error("a hash that is masked twice is another")
	}
}

// A shared secret that begins with zeros has all its bytes.
func TestSecretKeepsItsLength(t *testing.T) {
	c := fixed(0, 0, 0)
	c.private[privateSize-1] = 1 // S is the other's key
	key := make([]byte, keySize)
	key[keySize-1] = 2
	s, err := c.secret(key)
	if err != nil || string(s[:]) != string(key) {
		t.Errorf("S is %x: %v", s, err)
	}
}

// short returns a dialer's chance whose secret with fixed(2, ...) begins with a
// zero byte.
func short(t *testing.T) *chance {
	t.Helper()
	yb := fixed(2, 0, 0).public()
	c := fixed(1, 5, 5)
	for i := range 1 << 14 {
		binary.BigEndian.PutUint16(c.private[:], uint16(i))
		if s, err := c.secret(yb[:]); err != nil {
			t.Fatal(err)
		} else if s[0] == 0 {
			return c
		}
	}
	t.Fatal("no such key in 16,384")
	return nil
}

// A secret that begins with a zero is avoided by the listener, and explains a
// failure of the dialer.
func TestShortSecret(t *testing.T) {
	dialer, listener := short(t), fixed(2, 5, 5)
	a, b := pipe(t)
	r := &recorder{Conn: b}
	c, s := shake(t, a, r, ClientOptions{}, ServerOptions{}, dialer, listener)
	say(t, c, s, "all is well")
	yb := fixed(2, 0, 0).public()
	if bytes.HasPrefix(r.out, yb[:]) {
		t.Error("the listener keeps a key that makes the secret short")
	}

	_, err := client(&script{in: yb[:]}, testSKEY, ClientOptions{}, dialer)
	expect(t, err, p2p.ReasonHandshake, ErrShortSecret)
	if _, err = client(&script{in: yb[:]}, testSKEY, ClientOptions{}, fixed(1, 5, 5)); errors.Is(err, ErrShortSecret) {
		t.Errorf("a long secret: %v", err)
	}
}

func TestKeysOutsideOfTheGroup(t *testing.T) {
	at := func(n *big.Int) []byte { return n.FillBytes(make([]byte, keySize)) }
	one := big.NewInt(1)
	less := new(big.Int).Sub(prime, one)
	over := new(big.Int).Sub(new(big.Int).Lsh(one, 8*keySize), one)
	for _, n := range []*big.Int{new(big.Int), one, less, prime, over} {
		_, err := fixed(3, 0, 0).secret(at(n))
		expect(t, err, p2p.ReasonHandshake, nil)
	}
	for _, n := range []*big.Int{generator, lastKey} {
		if _, err := fixed(3, 0, 0).secret(at(n)); err != nil {
			t.Errorf("%x: %v", n, err)
		}
	}
}

func TestDraw(t *testing.T) {
	seen := map[[privateSize]byte]bool{}
	pads, zeros := map[int]bool{}, map[int]bool{}
	for range 200 {
		c := draw()
		seen[c.private] = true
		pads[len(c.pad)], zeros[c.zeros] = true, true
		if len(c.pad) > maxPad || c.zeros < 0 || c.zeros > maxPad {
			t.Fatalf("pads of %d and %d bytes", len(c.pad), c.zeros)
		}
	}
	// That 200 of 513 lengths are fewer than 100 different ones does not happen.
	if len(seen) != 200 || len(pads) < 100 || len(zeros) < 100 {
		t.Errorf("%d keys, %d and %d lengths in 200 draws", len(seen), len(pads), len(zeros))
	}
	if padLen([]byte{0, 0, 2, 0}) != 512 || padLen([]byte{0, 0, 2, 1}) != 0 {
		t.Error("the lengths are not 0 to 512")
	}
}
