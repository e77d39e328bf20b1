package benc

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

var small = Limits{Depth: 3, Tokens: 8}

func TestScan(t *testing.T) {
	for _, c := range []struct{ in, why string }{
		{"i0e", ""}, {"i-1e", ""}, {"i18446744073709551615e", ""}, {"i-9223372036854775808e", ""},
		{"0:", ""}, {"3:abc", ""}, {"le", ""}, {"de", ""}, {"llleee", ""},
		{"d0:i1e1:ai2e2:aai3ee", ""},
		{"li1ei2ei3ei4ei5ei6ei7ee", ""},

		{"", whyTruncated}, {"i", whyTruncated}, {"i-", whyTruncated}, {"i12", whyTruncated}, {"3", "longer"}, {"0", whyTruncated},
		{"l", whyTruncated}, {"d1:a", whyTruncated}, {"li1e", whyTruncated},
		{"i-0e", "leading zero"}, {"i03e", "leading zero"}, {"i00e", "leading zero"}, {"i-03e", "leading zero"},
		{"ie", "not made of digits"}, {"i-e", "not made of digits"}, {"i+1e", "not made of digits"},
		{"i1.5e", "not made of digits"}, {"i 1e", "not made of digits"}, {"i--1e", "not made of digits"},
		{"i184467440737095516150e", "too many digits"},
		{"i" + strings.Repeat("9", 10_000) + "e", "too many digits"},
		{"03:abc", "leading zero"}, {"00:", "leading zero"}, {"3abc", "colon"},
		{"-1:a", whyNotString}, {":", whyNotString}, {"x", whyNotString}, {"+3:abc", whyNotString},
		{"4:abc", "longer than what is left"}, {"2147483647:", "longer"}, {"18446744073709551617:a", "longer"},
		{strings.Repeat("9", 10_000) + ":", "longer"},
		{"e", "an end without"}, {"d1:ae", "a key without a value"},
		{"di1ei2ee", whyNotString}, {"dlei1ee", whyNotString},
		{"d1:ai1e1:ai2ee", "comes twice"}, {"d0:i1e0:i2ee", "comes twice"},
		{"d1:bi1e1:ai2ee", "not sorted"}, {"d2:aai1e1:ai2ee", "not sorted"},
		{"i1ei2e", "follow"}, {"3:abcd", "follow"}, {"lee", "follow"}, {"i1e\n", "follow"},
		{"lllleeee", "nested too deeply"}, {"dddd", whyNotString}, {"d0:d0:d0:d", "nested too deeply"},
		{"li1ei2ei3ei4ei5ei6ei7ei8ee", "too many values"}, {"d1:ai1e1:bi1e1:ci1e1:di1ee", "too many values"},
	} {
		err := Scan([]byte(c.in), small)
		var syntax *SyntaxError
		switch {
		case c.why == "" && err != nil:
			t.Errorf("%q: %v", c.in, err)
		case c.why != "" && (!errors.As(err, &syntax) || !strings.Contains(syntax.Why, c.why)):
			t.Errorf("%.40q: %v, want %q", c.in, err, c.why)
		}
	}
}

func TestScanOffset(t *testing.T) {
	err := Scan([]byte("d1:ai1e1:bi01ee"), small)
	if want := "bencode: at byte 10: an integer has a leading zero or is minus zero"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestScanAnyKeyOrder(t *testing.T) {
	lim := Limits{Depth: 4, Tokens: 100, AnyKeyOrder: true}
	for in, ok := range map[string]bool{
		"d1:bi1e1:ai2ee":                       true,
		"d1:ci1e1:ai2e1:bi3ee":                 true,
		"d1:bd1:bi1e1:ai2ee1:ad1:bi1e1:ai2eee": true,
		"d1:bi1e1:ai2e1:bi3ee":                 false,
		"d1:bi1e1:ai2e1:ai3ee":                 false,
		"d1:bl1:ae1:ai2e1:ai3ee":               false,
		"d1:bd1:bi1e1:ai2e1:ai3eee":            false,
	} {
		if err := Scan([]byte(in), lim); (err == nil) != ok {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestScanPrefix(t *testing.T) {
	const head = "d8:msg_typei1e5:piecei0ee"
	n, err := ScanPrefix([]byte(head+"\x00raw bytes"), WireLimits())
	if err != nil || n != len(head) {
		t.Errorf("got %d, %v, want %d", n, err, len(head))
	}
}

// The limits of the fault list, row 1: deep nesting costs neither time nor
// memory, whatever depth the caller allows. Scan is done at the 101st byte.
func TestScanDeep(t *testing.T) {
	in := bytes.Repeat([]byte("l"), 10<<20)
	for _, lim := range []Limits{MetainfoLimits(), {Depth: 1 << 30, Tokens: 1 << 30}} {
		var syntax *SyntaxError
		grown := allocated(func() {
			if err := Scan(in, lim); !errors.As(err, &syntax) || syntax.Offset != 100 {
				t.Errorf("got %v, want an error at the 101st list", err)
			}
		})
		if grown > 64<<10 {
			t.Errorf("%d bytes allocated", grown)
		}
	}
}

// Row 2: a promised length is not believed.
func TestPromisedLength(t *testing.T) {
	in := []byte("d3:key2147483647:ab")
	grown := allocated(func() {
		var v any
		if Scan(in, WireLimits()) == nil || Decode(in, WireLimits(), &v) == nil {
			t.Error("accepted")
		}
		if _, ok := Raw(in, "key"); ok {
			t.Error("found a value that is not there")
		}
	})
	if grown > 64<<10 {
		t.Errorf("%d bytes allocated", grown)
	}
}

// allocated returns the bytes that f allocates, and what else runs then.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestScanAllocatesNothing(t *testing.T) {
	in := sample(200)
	if n := testing.AllocsPerRun(100, func() {
		if err := Scan(in, MetainfoLimits()); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// sample is a tracker's reply of n peers in dictionary form.
func sample(n int) []byte {
	b := []byte("d8:intervali1800e5:peersl")
	for i := range n {
		b = fmt.Appendf(b, "d2:ip9:127.0.0.17:peer id20:-ST0001-%012d4:porti%dee", i, 1024+i)
	}
	return append(b, "ee"...)
}

// Scan accepts exactly what the model does: on random values, and on those
// values with a few bytes changed.
func TestScanAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	for range 20_000 {
		in := random(rng, nil, 0)
		for range rng.IntN(3) {
			const letters = "ilde0123456789:-a"
			in[rng.IntN(len(in))] = letters[rng.IntN(len(letters))]
		}
		lim := Limits{Depth: 3, Tokens: 12, AnyKeyOrder: rng.IntN(2) == 0}
		if checkScan(t, in, lim) {
			accepted++
		} else {
			refused++
		}
	}
	if accepted < 1000 || refused < 1000 {
		t.Errorf("%d accepted and %d refused: the test has lost its balance", accepted, refused)
	}
}

// random appends a value that is mostly canonical.
func random(rng *rand.Rand, b []byte, depth int) []byte {
	kind := rng.IntN(4)
	if depth > 3 {
		kind = rng.IntN(2)
	}
	switch kind {
	case 0:
		return AppendInt(b, rng.Int64N(2000)-1000)
	case 1:
		return AppendString(b, strings.Repeat("b", rng.IntN(4)))
	case 2:
		b = append(b, 'l')
		for range rng.IntN(4) {
			b = random(rng, b, depth+1)
		}
	default:
		b = append(b, 'd')
		for _, key := range []string{"", "a", "aa", "b"}[rng.IntN(4):] {
			if rng.IntN(12) == 0 {
				key = "a"
			}
			b = random(rng, AppendString(b, key), depth+1)
		}
	}
	return append(b, 'e')
}

// checkScan compares Scan with the model and returns the verdict.
func checkScan(t *testing.T, in []byte, lim Limits) bool {
	t.Helper()
	var m model
	err := Scan(in, lim)
	if want := m.accepts(in, lim); want != (err == nil) {
		t.Fatalf("%q with %+v: Scan says %v, the model %v", in, lim, err, want)
	}
	return err == nil
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{
		"d1:ai1e1:bli2e3:abcee", "d1:bi1e1:ai2ee", "i-0e", "2147483647:", "lllleeee",
		"d1:ad1:bd1:cd1:dleeeee", "d1:ai1e1:ai2ee", "i18446744073709551616e", "le tail",
	} {
		f.Add([]byte(s), false)
	}
	f.Add(sample(2), true)
	f.Fuzz(func(t *testing.T, in []byte, anyOrder bool) {
		if len(in) > 1<<16 {
			return // the model recurses
		}
		lim := Limits{Depth: 20, Tokens: 500, AnyKeyOrder: anyOrder}
		ok := checkScan(t, in, lim)
		size := 2
		for k, v := range Dict(in) {
			size += len(AppendBytes(nil, k)) + len(v)
		}
		for v := range List(in) {
			size += len(v)
		}
		if ok && (IsDict(in) || IsList(in)) && size != len(in) {
			t.Errorf("%q: walked over %d of %d bytes", in, size, len(in))
		}
		var v any
		if err := Decode(in, lim, &v); err != nil && ok && !strings.Contains(err.Error(), "out of range") {
			t.Errorf("%q: scanned, but not decoded: %v", in, err)
		}
		var msg message
		_ = Decode(in, lim, &msg)
	})
}

func BenchmarkScan(b *testing.B) {
	for _, n := range []int{50, 1000} {
		in := sample(n)
		b.Run(fmt.Sprintf("peers=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if err := Scan(in, MetainfoLimits()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
