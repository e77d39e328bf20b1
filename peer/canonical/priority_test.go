package canonical

import (
	"encoding/hex"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"testing"
)

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// TestVectors has the two of BEP 40 and those of libtorrent's own test.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want uint32
	}{
		{"123.213.32.10:0", "98.76.54.32:0", 0xec2d7224},
		{"123.213.32.10:0", "123.213.32.234:0", 0x99568189},
		{"230.12.123.3:1234", "230.12.123.3:300", 0xae8b7034},
		{"230.12.123.1:1234", "230.12.123.3:300", 0x99c54d79},
		{"230.12.23.1:1234", "230.12.123.3:300", 0x21fd5f80},
		{"230.120.23.1:1234", "230.12.123.3:300", 0xfa9a860e},
	} {
		if got := Priority(addrPort(c.a), addrPort(c.b)); got != c.want {
			t.Errorf("%s and %s: %08x, want %08x", c.a, c.b, got, c.want)
		}
		if got := Priority(addrPort(c.b), addrPort(c.a)); got != c.want {
			t.Errorf("%s and %s: %08x, want %08x", c.b, c.a, got, c.want)
		}
	}
}

// TestMasks says which bytes the CRC is over.
func TestMasks(t *testing.T) {
	for _, c := range []struct{ name, a, b, bytes string }{
		{"IPv4, nothing shared", "123.213.32.10:1", "98.76.54.32:1", "624c14007bd50000"},
		{"IPv4, one byte shared", "10.255.255.255:1", "10.1.255.254:1", "0a0155540aff5555"},
		{"IPv4, a /16", "10.1.255.255:1", "10.1.1.255:1", "0a0101550a01ff55"},
		{"IPv4, a /24", "10.1.1.255:1", "10.1.1.254:1", "0a0101fe0a0101ff"},
		{"IPv6, nothing shared", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1", "[2001:db8:1:ffff:ffff:ffff:ffff:ffff]:1",
			"20010db80001" + "55555555555555555555" + "ffffffffffff" + "55555555555555555555"},
		{"IPv6, a /40", "[2001:db8:1:ffff::ff]:1", "[2001:db8:2:ffff::ff]:1",
			"20010db80001" + "55550000000000000055" + "20010db80002" + "55550000000000000055"},
		{"IPv6, a /48", "[2001:db8:1:ffff::ff]:1", "[2001:db8:1:00ff::ff]:1",
			"20010db80001" + "00550000000000000055" + "20010db80001" + "ff550000000000000055"},
		{"IPv6, a /56", "[2001:db8:1:ffff:ff00::ff]:1", "[2001:db8:1:ff0f:ff00::ff]:1",
			"20010db80001" + "ff0f5500000000000055" + "20010db80001" + "ffff5500000000000055"},
		{"IPv6, all but the last byte", "[2001:db8:1:ffff::ff]:1", "[2001:db8:1:ffff::aa]:1",
			"20010db80001" + "ffff00000000000000aa" + "20010db80001" + "ffff00000000000000ff"},
		{"equal addresses", "10.0.0.1:6889", "10.0.0.1:6881", "1ae11ae9"},
		{"equal addresses and ports", "10.0.0.1:1", "10.0.0.1:1", "00010001"},
		{"IPv4 in IPv6 form", "[::ffff:10.0.0.1]:6889", "10.0.0.1:6881", "1ae11ae9"},
		{"zones do not count", "[fe80::1%a]:2", "[fe80::1%b]:1", "00010002"},
	} {
		over, err := hex.DecodeString(c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		want := crc32.Checksum(over, crc32.MakeTable(crc32.Castagnoli))
		if got := Priority(addrPort(c.a), addrPort(c.b)); got != want {
			t.Errorf("%s: %08x, want %08x", c.name, got, want)
		}
	}
}

// TestOrderOfSorting: it is the same to sort before and after masking, so that
// clients of both opinions agree.
func TestOrderOfSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 40))
	for range 20_000 {
		a, b := randomPair(rng)
		lo, hi := a, b
		if hi.Less(lo) {
			lo, hi = hi, lo
		}
		x, y := lo.As16(), hi.As16()
		over := append(masked(x[:], y[:], a.Is4()), masked(y[:], x[:], a.Is4())...)
		want := crc32.Checksum(over, crc32.MakeTable(crc32.Castagnoli))
		if got := Priority(netip.AddrPortFrom(a, 1), netip.AddrPortFrom(b, 2)); got != want {
			t.Fatalf("%v and %v: %08x, sorted before masking %08x", a, b, got, want)
		}
	}
}

// masked is the BEP's table of masks, by prefixes that are shared.
func masked(x, other []byte, is4 bool) []byte {
	whole := 6
	if is4 {
		x, other, whole = x[12:], other[12:], 2
	}
	for whole < len(x) && string(x[:whole]) == string(other[:whole]) {
		whole++
	}
	out := append([]byte(nil), x...)
	for i := whole; i < len(out); i++ {
		out[i] &= 0x55
	}
	return out
}

// randomPair returns two different addresses of one family that share the bits
// of a random prefix.
func randomPair(rng *rand.Rand) (a, b netip.Addr) {
	size := 4
	if rng.IntN(2) == 0 {
		size = 16
	}
	x := make([]byte, size)
	for i := range x {
		x[i] = byte(rng.Uint32())
	}
	y := append([]byte(nil), x...)
	from := rng.IntN(size)
	for i := from; i < size; i++ {
		y[i] = byte(rng.Uint32())
	}
	if y[from] == x[from] {
		y[from] ^= 0xff
	}
	a, _ = netip.AddrFromSlice(x)
	b, _ = netip.AddrFromSlice(y)
	return a, b
}

func TestNoCommonFamily(t *testing.T) {
	for _, c := range [][2]netip.AddrPort{
		{addrPort("10.0.0.1:1"), addrPort("[2001:db8::1]:1")},
		{{}, addrPort("10.0.0.1:1")},
		{{}, {}},
	} {
		if got := Priority(c[0], c[1]); got != 0 {
			t.Errorf("%v: %08x, want 0", c, got)
		}
	}
}
