package p2p

import (
	"bytes"
	"testing"
)

// Header bytes as facts of the paper: "!4sL".
func TestHeaderBytes(t *testing.T) {
	name := AppendHeader(nil, NAME, 0)
	if !bytes.Equal(name, []byte("\x4e\x41\x4d\x45\x00\x00\x00\x00")) {
		t.Errorf("NAME is % x", name)
	}
	repl := append(AppendHeader(nil, REPL, 3), "a:1"...)
	if !bytes.Equal(repl, []byte("\x52\x45\x50\x4c\x00\x00\x00\x03\x61\x3a\x31")) {
		t.Errorf("REPL is % x", repl)
	}
	if typ, n := ParseHeader([]byte("naMe\xff\xff\xff\xff")); typ != NAME || n != 1<<32-1 {
		t.Errorf("lower case: %v %d", typ, n)
	}
	for _, typ := range []Type{NAME, LIST, JOIN, QUIT, PING, REPL, ERRO, MSID} {
		if T(typ.String()) != typ {
			t.Errorf("%v", typ)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("NAME\x00\x00\x00\x00"))
	f.Add([]byte("zz{`\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < HeaderSize {
			return
		}
		typ, n := ParseHeader(b)
		again := AppendHeader(nil, typ, int(n))
		if !bytes.Equal(again, append(bytes.ToUpper(b[:4:4]), b[4:8]...)) && isASCII(b[:4]) {
			t.Errorf("% x became % x", b[:8], again)
		}
		if t2, n2 := ParseHeader(again); t2 != typ || n2 != n {
			t.Errorf("%v %d became %v %d", typ, n, t2, n2)
		}
	})
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00NAME"))
	f.Add([]byte("\x00\x00\x00\x01\x03"))
	f.Add([]byte("\x00\x00\x00\x01\x01REPLtext"))
	f.Add([]byte("\x00\x00\x00\x01\x00msid"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEnvelope(b)
		if err != nil {
			if r := ReasonOf(err); r != ReasonBadMessage {
				t.Errorf("reason %v", r)
			}
			return
		}
		var flags byte
		if e.reply {
			flags |= envReply
		}
		if e.last {
			flags |= envLast
		}
		again := appendEnvelope(nil, e.id, flags, e.typ)
		if !e.full {
			again = again[:envHeader]
		}
		again = append(again, e.data...)
		if len(b) >= envOverhead {
			copy(b[envHeader:], again[envHeader:envOverhead]) // the type was upper-cased
		}
		if !bytes.Equal(again, b) {
			t.Errorf("% x became % x", b, again)
		}
	})
}

func FuzzPeer(f *testing.F) {
	for _, s := range []string{"a:1 a 1", "six fe80::1 80", " x\ty\n3 ", "a b", "a b 65536", "a b +1", "a b:c: 7"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parsePeer(b)
		if !ok {
			return
		}
		if !validID(p.ID) {
			t.Errorf("id %q", p.ID)
		}
		if _, _, ok := splitAddr(p.Addr); !ok {
			t.Errorf("address %q", p.Addr)
		}
		if again, ok := parsePeer(appendPeer(nil, p)); !ok || again != p {
			t.Errorf("%v became %v", p, again)
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add([]byte("2\na:1 a 1\nb:1 b 1"))
	f.Add([]byte("1\nnonsense\na:1 a 1"))
	f.Add([]byte("-1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var replies []Message
		for line := range bytes.SplitSeq(b, []byte("\n")) {
			replies = append(replies, Message{Type: REPL, Head: line})
		}
		peers, ok := ParseList(replies)
		if !ok && peers != nil || len(peers) >= len(replies) {
			t.Errorf("%d peers of %d replies, %v", len(peers), len(replies), ok)
		}
	})
}

func TestListType(t *testing.T) {
	one, a := Message{Type: REPL, Head: []byte("1")}, Message{Type: REPL, Head: []byte("a a 1")}
	for _, tc := range []struct {
		replies []Message
		peers   int
		ok      bool
	}{
		{nil, 0, false},
		{[]Message{{Type: ERRO, Head: []byte("1")}, a}, 0, false},
		{[]Message{one, {Type: ERRO, Head: a.Head}, a}, 1, true},
	} {
		if peers, ok := ParseList(tc.replies); len(peers) != tc.peers || ok != tc.ok {
			t.Errorf("%v: %v, %v", tc.replies, peers, ok)
		}
	}
}
