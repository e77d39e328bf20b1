package lsd

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"starling/metainfo"
)

const (
	hexA = "0123456789abcdef0123456789abcdef01234567"
	hexB = "89abcdef0123456789abcdef0123456789abcdef"
)

func hashOf(s string) metainfo.Hash {
	h, err := metainfo.ParseHash(s)
	if err != nil {
		panic(err)
	}
	return h
}

// hashN returns the nth of many hashes.
func hashN(n int) metainfo.Hash { return metainfo.Hash{byte(n >> 8), byte(n), 1} }

func TestAppend(t *testing.T) {
	m := Message{Port: 6881, Hashes: []metainfo.Hash{hashOf(hexA), hashOf(hexB)}, Cookie: "c0ffee"}
	want := "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: " + hexA +
		"\r\nInfohash: " + hexB + "\r\ncookie: c0ffee\r\n\r\n\r\n"
	if got := string(m.Append(nil, groups[0].String())); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := groups[1].String(); got != "[ff15::efc0:988f]:6771" {
		t.Errorf("the IPv6 group is %s", got)
	}
}

// TestPacketFits: MaxHashes is what the longest packet has room for.
func TestPacketFits(t *testing.T) {
	m := Message{Port: 65535, Cookie: strings.Repeat("f", 16)}
	for n := range MaxHashes + 1 {
		if size := len(m.Append(nil, groups[1].String())); size > MaxPacket {
			t.Errorf("%d hashes take %d bytes", n, size)
		}
		m.Hashes = append(m.Hashes, hashN(n))
	}
	if size := len(m.Append(nil, groups[1].String())); size <= MaxPacket {
		t.Errorf("%d hashes take only %d bytes", len(m.Hashes), size)
	}
}

func TestParse(t *testing.T) {
	a, b := hashOf(hexA), hashOf(hexB)
	const head = "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n"
	for _, c := range []struct {
		name, in string
		want     Message
	}{
		{"one", head + "Port: 6881\r\nInfohash: " + hexA + "\r\ncookie: 1a2b\r\n\r\n\r\n", Message{6881, []metainfo.Hash{a}, "1a2b"}},
		{"two", head + "Port: 6881\r\nInfohash: " + hexA + "\r\nInfohash: " + hexB + "\r\n\r\n\r\n", Message{6881, []metainfo.Hash{a, b}, ""}},
		{"twice", head + "Port: 6881\r\nInfohash: " + hexA + "\r\nInfohash: " + hexA + "\r\n\r\n\r\n", Message{6881, []metainfo.Hash{a}, ""}},
		{"one empty line", head + "Port: 6881\r\nInfohash: " + hexA + "\r\n\r\n", Message{6881, []metainfo.Hash{a}, ""}},
		{"capital digits", head + "Port: 1\r\nInfohash: " + strings.ToUpper(hexB) + "\r\n\r\n\r\n", Message{1, []metainfo.Hash{b}, ""}},
		{"names in any case", "BT-SEARCH * HTTP/1.1\r\nhost: x\r\nPORT: 65535\r\ninfoHash: " + hexA + "\r\nCookie: Z\r\n\r\n\r\n", Message{65535, []metainfo.Hash{a}, "Z"}},
		{"any order, odd blanks", "BT-SEARCH * HTTP/1.1\r\nInfohash:" + hexA + "\r\nPort: \t 6881 \r\nHost:\r\n\r\n\r\n", Message{6881, []metainfo.Hash{a}, ""}},
		{"unknown headers", head + "X-Other: a:b:c\r\nPort: 6881\r\nInfohash: " + hexA + "\r\nX-Other: d\r\n\r\n\r\n", Message{6881, []metainfo.Hash{a}, ""}},
	} {
		got, err := Parse([]byte(c.in))
		if err != nil || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const line, host, port, hash, end = "BT-SEARCH * HTTP/1.1\r\n", "Host: x\r\n", "Port: 6881\r\n", "Infohash: " + hexA + "\r\n", "\r\n\r\n"
	for _, c := range []struct{ name, in, why string }{
		{"nothing", "", "does not end"},
		{"no end of line", strings.TrimSuffix(line, "\r\n"), "does not end"},
		{"only ends", "\r\n\r\n", "not a BT-SEARCH"},
		{"no empty line", line + host + port + hash, "does not end"},
		{"three empty lines", line + host + port + hash + "\r\n\r\n\r\n", "does not end"},
		{"something behind", line + host + port + hash + end + "x", "does not end"},
		{"an empty line within", line + host + "\r\n" + port + hash + end, "a line that is no header"},
		{"bare line feeds", strings.ReplaceAll(line+host+port+hash+end, "\r", ""), "does not end"},
		{"a bare line feed", line + "Host: x\nPort: 6881\r\n" + hash + end, "not printable"},
		{"another method", "GET" + line[9:] + host + port + hash + end, "not a BT-SEARCH"},
		{"another version", "BT-SEARCH * HTTP/2.0\r\n" + host + port + hash + end, "not a BT-SEARCH"},
		{"small method", strings.ToLower(line) + host + port + hash + end, "not a BT-SEARCH"},
		{"no Host", line + port + hash + end, "no Host"},
		{"no Port", line + host + hash + end, "no Port"},
		{"no Infohash", line + host + port + end, "no Infohash"},
		{"Host twice", line + host + host + port + hash + end, "Host comes twice"},
		{"Port twice", line + host + port + port + hash + end, "Port comes twice"},
		{"cookie twice", line + host + port + hash + "cookie: \r\ncookie: a\r\n" + end, "cookie comes twice"},
		{"port 0", line + host + "Port: 0\r\n" + hash + end, "Port is not"},
		{"port 65536", line + host + "Port: 65536\r\n" + hash + end, "Port is not"},
		{"a leading zero", line + host + "Port: 06881\r\n" + hash + end, "Port is not"},
		{"a sign", line + host + "Port: +6881\r\n" + hash + end, "Port is not"},
		{"an underscore", line + host + "Port: 6_881\r\n" + hash + end, "Port is not"},
		{"an empty port", line + host + "Port:\r\n" + hash + end, "Port is not"},
		{"39 digits", line + host + port + "Infohash: " + hexA[1:] + "\r\n" + end, "40 digits"},
		{"64 digits", line + host + port + "Infohash: " + hexA + hexA[:24] + "\r\n" + end, "40 digits"},
		{"no digits", line + host + port + "Infohash: " + strings.Repeat("g", 40) + "\r\n" + end, "not hexadecimal"},
		{"one of two is wrong", line + host + port + hash + "Infohash: x\r\n" + end, "40 digits"},
		{"no colon", line + host + port + "Infohash " + hexA + "\r\n" + end, "no header"},
		{"no name", line + host + port + ": x\r\n" + hash + end, "no header"},
		{"a blank in the name", line + "Host : x\r\n" + port + hash + end, "no header"},
		{"a folded line", line + host + " more: x\r\n" + port + hash + end, "no header"},
		{"a long name", line + host + strings.Repeat("n", 33) + ": x\r\n" + port + hash + end, "no header"},
		{"a zero byte", line + host + port + hash + "cookie: a\x00b\r\n" + end, "not printable"},
		{"a long cookie", line + host + port + hash + "cookie: " + strings.Repeat("c", 65) + "\r\n" + end, "a cookie of more"},
		{"many lines", line + host + port + hash + strings.Repeat("a: \r\n", 70) + end, "more than 64 lines"},
		{"too long", line + host + port + strings.Repeat(hash, 26) + "a: \r\n" + end, "more than 1400 bytes"},
	} {
		m, err := Parse([]byte(c.in))
		if m != nil || !strings.Contains(fmt.Sprint(err), c.why) {
			t.Errorf("%s: %v, %v, want %q", c.name, m, err, c.why)
		}
	}
}

// FuzzParse: what parses is bounded and printable, and means the same when we say
// it.
func FuzzParse(f *testing.F) {
	m := Message{Port: 6881, Hashes: []metainfo.Hash{hashOf(hexA), hashOf(hexB)}, Cookie: "c0ffee"}
	f.Add(m.Append(nil, groups[0].String()))
	f.Add(bytes.ReplaceAll(m.Append(nil, groups[1].String()), []byte("\r\n\r\n\r\n"), []byte("\r\n\r\n")))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := Parse(in)
		if err != nil {
			return
		}
		if len(in) > MaxPacket || m.Port == 0 || len(m.Hashes) == 0 || len(m.Hashes)*40 > len(in) || len(m.Cookie) > maxCookie {
			t.Fatalf("%+v of %d bytes", m, len(in))
		}
		host := groups[0].String()
		if len(m.Append(nil, host)) > MaxPacket {
			return // it was written more tightly than we write
		}
		again, err := Parse(m.Append(nil, host))
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if !reflect.DeepEqual(again, m) {
			t.Errorf("%+v came back as %+v", m, again)
		}
	})
}
