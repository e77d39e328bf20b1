package wire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"starling/p2p"
)

// TestInfo: an INFO is these bytes, comes back the same, and may be longer.
func TestInfo(t *testing.T) {
	for _, tt := range []struct {
		info Info
		want string
	}{
		{Info{}, "00000000000000000000"},
		{Info{ListenPort: 6881, MaxQueue: 500, Flags: InfoUploadOnly | InfoMeta, Metadata: 31235}, "1ae101f4000500007a03"},
		{Info{ListenPort: 0xffff, MaxQueue: 0xffff, Flags: 0xffff, Metadata: 0xffffffff}, "ffffffffffffffffffff"},
	} {
		b := tt.info.Append([]byte("before"))
		if got := hex.EncodeToString(b[6:]); got != tt.want || string(b[:6]) != "before" {
			t.Errorf("%+v is %s, want %s", tt.info, got, tt.want)
		}
		for _, later := range []string{"", "what a later version says"} {
			if got, err := ParseInfo(append(bytes.Clone(b[6:]), later...)); got != tt.info || err != nil {
				t.Errorf("%+v came back as %+v, %v", tt.info, got, err)
			}
		}
		if _, err := ParseInfo(b[6 : 6+InfoSize-1]); p2p.ReasonOf(err) != p2p.ReasonBadMessage {
			t.Errorf("a short INFO: %v", err)
		}
	}
}

// TestMeta: the three kinds of BEP 9, as its examples have them.
func TestMeta(t *testing.T) {
	for _, tt := range []struct {
		meta Meta
		want string
	}{
		{Meta{Kind: MetaRequest, Part: 0}, "d8:msg_typei0e5:piecei0ee"},
		{Meta{Kind: MetaData, Part: 0, Total: 34256, Data: []byte("xxxxxxxx")}, "d8:msg_typei1e5:piecei0e10:total_sizei34256eexxxxxxxx"},
		{Meta{Kind: MetaReject, Part: 7}, "d8:msg_typei2e5:piecei7ee"},
	} {
		b := tt.meta.Append(nil)
		if string(b) != tt.want {
			t.Errorf("%+v is %q, want %q", tt.meta, b, tt.want)
		}
		got, err := ParseMeta(b)
		want := tt.meta
		if want.Kind != MetaData {
			want.Total = -1
		}
		if err != nil || got.Kind != want.Kind || got.Part != want.Part || got.Total != want.Total || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%q came back as %+v, %v", b, got, err)
		}
	}
	if n := len((&Meta{Kind: MetaData, Part: 1 << 40, Total: 1 << 40, Data: make([]byte, MetaPart)}).Append(nil)); n > MaxMeta {
		t.Errorf("a META of %d bytes, more than %d", n, MaxMeta)
	}
}

// TestMetaForeign: what other clients may write, and what is none.
func TestMetaForeign(t *testing.T) {
	for head, want := range map[string]Meta{
		"de":                                   {Kind: -1, Part: -1, Total: -1},
		"d8:msg_typei9e5:piecei-3ee":           {Kind: 9, Part: -3, Total: -1},
		"d8:msg_type1:x5:piecei1ee":            {Kind: -1, Part: 1, Total: -1},
		"d1:ai1e8:msg_typei0e5:piecei1e1:zlee": {Kind: 0, Part: 1, Total: -1},
	} {
		got, err := ParseMeta([]byte(head))
		if err != nil || got.Kind != want.Kind || got.Part != want.Part || got.Total != want.Total || len(got.Data) != 0 {
			t.Errorf("%q is %+v, %v", head, got, err)
		}
	}
	for _, head := range []string{
		"", "x", "i1e", "le", "4:spam", "d", "d8:msg_typei0e", "d8:msg_typei0e5:piece", "d5:pieceie8:msg_typei0ee",
		strings.Repeat("d1:a", 1000) + strings.Repeat("e", 1000),
	} {
		if m, err := ParseMeta([]byte(head)); p2p.ReasonOf(err) != p2p.ReasonBadMessage {
			t.Errorf("%.40q was taken: %+v, %v", head, m, err)
		}
	}
}

// FuzzInfo: what parses comes back the same.
func FuzzInfo(f *testing.F) {
	f.Add([]byte("\x1a\xe1\x01\xf4\x00\x07\x00\x00\x7a\x03"))
	f.Add([]byte("\x1a\xe1\x01\xf4\x00\x07\x00\x00\x7a\x03later"))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, head []byte) {
		i, err := ParseInfo(head)
		if (err != nil) != (len(head) < InfoSize) {
			t.Fatalf("%d bytes: %v", len(head), err)
		}
		if err == nil && !bytes.Equal(i.Append(nil), head[:InfoSize]) {
			t.Errorf("%x came back as %x", head, i.Append(nil))
		}
	})
}

// FuzzMeta: what parses has its data within the message, and means the same when we
// write it.
func FuzzMeta(f *testing.F) {
	for _, s := range []string{
		"d8:msg_typei0e5:piecei0ee", "d8:msg_typei1e5:piecei0e10:total_sizei34256eexxxxxxxx", "d8:msg_typei2e5:piecei7ee",
		"d8:msg_typei1e5:piecei-1e10:total_sizei-5ee", "d1:ad1:ad1:aleeee", "i1e", "d9:msg_type0i1ee",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		m, err := ParseMeta(head)
		if err != nil {
			if p2p.ReasonOf(err) != p2p.ReasonBadMessage {
				t.Errorf("%v", err)
			}
			return
		}
		if !bytes.HasSuffix(head, m.Data) || len(m.Data) > len(head)-2 {
			t.Fatalf("data of %d bytes in %d", len(m.Data), len(head))
		}
		again, err := ParseMeta(m.Append(nil))
		if m.Kind != MetaData {
			m.Total = -1
		}
		if err != nil || again.Kind != m.Kind || again.Part != m.Part || again.Total != m.Total || !bytes.Equal(again.Data, m.Data) {
			t.Errorf("%+v came back as %+v, %v", m, again, err)
		}
	})
}
