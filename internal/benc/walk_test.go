package benc

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/zeebo/bencode"
)

// message uses every kind of field that Decode takes.
type message struct {
	Interval int64               `bencode:"interval"`
	Count    uint64              `bencode:"count"`
	Ok       bool                `bencode:"ok"`
	Name     string              `bencode:"name"`
	Data     []byte              `bencode:"data"`
	Tiers    [][]string          `bencode:"tiers"`
	IDs      map[string]int64    `bencode:"ids"`
	Next     *message            `bencode:"next"`
	Peers    bencode.RawMessage  `bencode:"peers"`
	Any      any                 `bencode:"any"`
	_        [4]int8             // Decode must not look at it.
	Maps     []map[string][]byte `bencode:"maps"`
}

func TestDecode(t *testing.T) {
	in := "d3:anyi7e5:counti18446744073709551615e4:data2:\x00\xff3:idsd6:ut_pexi1ee8:intervali-9223372036854775808e" +
		"4:mapsld1:a1:bee4:name1:n4:nextd4:name1:me2:oki1e5:peersld4:porti1eee5:tiersll1:a1:bel1:ceee"
	var got message
	if err := Decode([]byte(in), WireLimits(), &got); err != nil {
		t.Fatal(err)
	}
	want := message{
		Interval: math.MinInt64, Count: math.MaxUint64, Ok: true, Name: "n", Data: []byte{0, 255},
		Tiers: [][]string{{"a", "b"}, {"c"}}, IDs: map[string]int64{"ut_pex": 1}, Next: &message{Name: "m"},
		Peers: bencode.RawMessage("ld4:porti1eee"), Any: int64(7), Maps: []map[string][]byte{{"a": []byte("b")}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// What the decoder alone does not survive, or gets wrong in silence.
func TestDecodeHostile(t *testing.T) {
	for _, in := range []string{
		"d1:ai1e1:ai2ee", // panics into any
		strings.Repeat("l", 1<<20),
		"d8:intervali9223372036854775808ee",
		"d4:name2147483647:ae",
		"d8:interval1:1e",
		"d5:counti-1ee",
		"d8:intervali1eei1e",
		"4:spam",
	} {
		var m message
		if err := Decode([]byte(in), WireLimits(), &m); err == nil {
			t.Errorf("%.40q: accepted as %+v", in, m)
		}
		var v any
		_ = Decode([]byte(in), WireLimits(), &v)
	}
}

func TestDecodeTarget(t *testing.T) {
	for _, v := range []any{
		nil, message{}, new(int8), new(int32), new(int), new(uint16), new(float64), new([2]int64), new([20]byte),
		new([]int32), new(map[string]uint8), new(struct{ Port uint16 }), new(error), new(struct{ F []struct{ F *int } }),
	} {
		if err := Decode([]byte("le"), WireLimits(), v); err == nil || !strings.HasPrefix(err.Error(), "benc: ") {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func TestRaw(t *testing.T) {
	in := []byte("d4:infod4:infoi1ee4:listli1e1:xe4:name3:abce")
	for key, want := range map[string]string{"info": "d4:infoi1ee", "list": "li1e1:xe", "name": "3:abc", "i1e": "", "abc": ""} {
		got, ok := Raw(in, key)
		if ok != (want != "") || string(got) != want {
			t.Errorf("%s: %q, %v", key, got, ok)
		}
	}
	info, _ := Raw(in, "info")
	if &info[0] != &in[7] {
		t.Error("the value was copied")
	}
	if _, ok := Raw([]byte("l4:infoi1ee"), "info"); ok {
		t.Error("found a key in a list")
	}
}

func TestWalkStopsAtFaults(t *testing.T) {
	for in, want := range map[string]int{"li1ei2": 1, "l9:a": 0, "li1ei2ex": 2, "": 0, "i1e": 0, "le": 0, "lleelee": 1, "l": 0} {
		n := 0
		for range List([]byte(in)) {
			n++
		}
		if n != want {
			t.Errorf("%q: %d values, want %d", in, n, want)
		}
	}
	for in, want := range map[string]int{"d1:ai1e1:b": 1, "di1ei2ee": 0, "d1:a": 0, "d1:ae": 0, "de": 0} {
		n := 0
		for range Dict([]byte(in)) {
			n++
		}
		if n != want {
			t.Errorf("%q: %d pairs, want %d", in, n, want)
		}
	}
}

func TestIntAndBytes(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 10, math.MaxInt64, math.MinInt64} {
		if got, ok := Int(AppendInt(nil, n)); !ok || got != n {
			t.Errorf("%d: got %d, %v", n, got, ok)
		}
	}
	for _, in := range []string{"", "i", "ie", "i01e", "i9223372036854775808e", "1:a", "i1ei2e", "le"} {
		if n, ok := Int([]byte(in)); ok {
			t.Errorf("%q is %d", in, n)
		}
	}
	for _, s := range []string{"", "a", strings.Repeat("x", 300), "\x00:e"} {
		if got, ok := Bytes(AppendString(nil, s)); !ok || string(got) != s {
			t.Errorf("%q: got %q, %v", s, got, ok)
		}
	}
	for _, in := range []string{"", "1:", "1:ab", "i1e", "le", "01:a"} {
		if s, ok := Bytes([]byte(in)); ok {
			t.Errorf("%q is %q", in, s)
		}
	}
}

// The append encoders write what the library would.
func TestAppend(t *testing.T) {
	want, err := bencode.EncodeBytes(map[string]any{"a": int64(-5), "b": "text", "c": []byte{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	got := AppendInt(AppendString([]byte("d"), "a"), -5)
	got = AppendString(AppendString(got, "b"), "text")
	got = append(AppendBytes(AppendString(got, "c"), []byte{0, 1}), 'e')
	if !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
