package mse

import (
	"math/rand/v2"
	"testing"
)

func TestSniff(t *testing.T) {
	for _, c := range []struct {
		b    string
		want Kind
	}{
		{"", Unknown},
		{"\x13", Unknown},
		{"\x13BitTorrent protoco", Unknown},
		{"\x13BitTorrent protocol", BEP3},
		{"\x13BitTorrent protocol\x00\x00", BEP3},
		{"\x13BitTorrent protocoL", Hidden},
		{"\x13\x13", Hidden},
		{"\x12BitTorrent protocol", Hidden},
		{"H", Unknown},
		{"HELO", Unknown},
		{"HELO\x00", Unknown},
		{"HELO\x00\x00", Native},
		{"HELO\x00\x00\x00\x34", Native},
		{"helo\x00\x00\xff\xff", Native},
		{"zAqZ\x00\x00", Native},
		{"HELO\x00\x01\x00\x00", Hidden},
		{"HELO\x01", Hidden},
		{"HEL0", Hidden},
		{"GET / HTTP/1.1\r\n", Hidden},
		{"@", Hidden}, {"[", Hidden}, {"`", Hidden}, {"{", Hidden},
		{"\x00", Hidden}, {"\xff", Hidden},
	} {
		if got := Sniff([]byte(c.b)); got != c.want {
			t.Errorf("%q is %v, not %v", c.b, got, c.want)
		}
	}
}

// An answer stays what it is when more bytes come, and there is one in the end.
func TestSniffIsConsistent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for range 20_000 {
		b := []byte("\x13BitTorrent protocol....")
		if rng.IntN(2) == 0 {
			b = []byte("NAME\x00\x00\x00\x10................")
		}
		for range rng.IntN(3) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		checkSniff(t, b)
	}
}

func checkSniff(t *testing.T, b []byte) {
	t.Helper()
	last := Unknown
	for n := range len(b) + 1 {
		kind := Sniff(b[:n])
		if last != Unknown && kind != last || n >= SniffSize && kind == Unknown {
			t.Fatalf("%q is %v after %v", b[:n], kind, last)
		}
		last = kind
	}
}

// Keys of dialers are taken for what they are.
func TestSniffKeys(t *testing.T) {
	for i := range 100 {
		c := fixed(byte(i+1), 0, 0)
		c.private[7] = 99
		if key := c.public(); Sniff(key[:]) != Hidden {
			t.Errorf("%x is %v", key, Sniff(key[:]))
		}
	}
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("\x13BitTorrent protocol"))
	f.Add([]byte("HELO\x00\x00\x00\x34"))
	f.Add([]byte("helo\x00\x01\x00\x00"))
	f.Fuzz(checkSniff)
}
