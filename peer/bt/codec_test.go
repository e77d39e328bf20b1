package bt

import (
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/tcp"
	"starling/peer/wire"
)

// feed is a connection that has all its input already.
type feed struct {
	net.Conn
	io.Reader
}

func (f feed) Read(p []byte) (int, error)      { return f.Reader.Read(p) }
func (f feed) SetReadDeadline(time.Time) error { return nil }

// limits are those of a torrent of 20 pieces.
var limits = &p2p.Limits{Specs: map[p2p.Type]p2p.Spec{
	wire.HELO: {Max: wire.MaxHello}, wire.BITF: {Max: 3}, wire.HAVE: {Max: 4 * wire.MaxIndexes}, wire.DONT: {Max: 4 * wire.MaxIndexes},
	wire.REQU: {Max: wire.RequestHead}, wire.CANC: {Max: wire.RequestHead}, wire.REJE: {Max: wire.RequestHead},
	wire.PIEC: {Max: wire.PieceHead + wire.MaxRun, Head: wire.PieceHead},
	wire.INFO: {Max: 64}, wire.PEEX: {Max: 4096}, wire.META: {Max: 17 << 10},
}, Unknown: 1 << 16}

func unhex(t testing.TB, s string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// read returns the messages that a codec makes of its input, one a line.
func read(c *Codec, input string) (lines []string, err error) {
	r := tcp.NewReader(feed{Reader: strings.NewReader(input)})
	for {
		f := tcp.NewFrame(tcp.NewBufferPool(0))
		if err := c.ReadHead(r, f, limits); err != nil {
			return lines, err
		}
		if f.Type == (p2p.Type(0)) {
			continue
		}
		line := f.Type.String()
		if len(f.Head()) > 0 {
			line += " " + hex.EncodeToString(f.Head())
		}
		body := make([]byte, f.BodyLen)
		if err := r.ReadFull(body); err != nil {
			return lines, err
		}
		if len(body) > 0 {
			line += " + " + hex.EncodeToString(body)
		}
		lines = append(lines, line)
	}
}

func handshake(reserved string) string {
	r, err := hex.DecodeString(reserved)
	if err != nil || len(r) != 8 {
		panic(reserved)
	}
	return protocol + string(r) + strings.Repeat("\xaa", 20) + "-XX0001-abcdefghijkl"
}

const (
	plain = "0000000000000000"
	full  = "0000000000100004"
)

// hello is the HELO of a handshake with these capabilities.
func hello(caps, port, queue uint16, longest uint32) string {
	h := wire.Hello{Version: 1, Caps: caps, ListenPort: port, MaxQueue: queue, MaxRequest: longest}
	copy(h.InfoHash[:], strings.Repeat("\xaa", 20))
	copy(h.PeerID[:], "-XX0001-abcdefghijkl")
	return "HELO " + hex.EncodeToString(h.Append(nil))
}

func TestRead(t *testing.T) {
	silent := hello(wire.CapBlocks|wire.CapSilent, 0, 250, 16384)
	fast := hello(wire.CapBlocks|wire.CapInfo, 0, 250, 16384)
	ext := func(id byte, payload string) string {
		return string(appendHeader(nil, idExtended, 1+len(payload))) + string(id) + payload
	}
	for _, tt := range []struct {
		name, reserved, input string
		want                  []string
	}{
		{"plain, and nothing more", plain, "", []string{silent, "HNON"}},
		{"plain, a bitfield is told as HAVEs", plain, unhex(t, "00000004 05 a00010 00000001 02"),
			[]string{silent, "HNON", "HAVE 000000000000000200000013", "INTR"}},
		{"plain, an empty bitfield", plain, unhex(t, "00000004 05 000000 00000001 01"), []string{silent, "HNON", "UNCH"}},
		{"all messages of BEP 3", plain, unhex(t, `00000000 00000001 00 00000001 01 00000001 02 00000001 03
			00000005 04 00000007 0000000d 06 000000010000400000004000 0000000b 07 0000000100004000 abcd
			0000000d 08 000000010000400000004000 00000003 09 1ae1 00000002 63 ff`),
			[]string{silent, "HNON", "CHOK", "UNCH", "INTR", "NINT", "HAVE 00000007", "REQU 000000010000400000004000",
				"PIEC 0000000100004000 + abcd", "CANC 000000010000400000004000"}},
		{"fast: have all", full, unhex(t, "00000001 0e"), []string{fast, "HALL"}},
		{"fast: have none, suggest, allowed fast, reject", full,
			unhex(t, "00000001 0f 00000005 0d 00000001 00000005 11 00000002 0000000d 10 000000010000400000004000"),
			[]string{fast, "HNON", "REJE 000000010000400000004000"}},
		{"fast: a bitfield", full, unhex(t, "00000004 05 a00010"), []string{fast, "BITF a00010"}},
		{"fast: a bitfield for many HAVEs", full, unhex(t, "00000001 0f 00000004 05 a00010"), []string{fast, "HNON", "HAVE 000000000000000200000013"}},
		{"fast: have none after a message", full, ext(2, "xy") + unhex(t, "00000001 0f 00000001 02"), []string{fast, "HNON", "META 7879", "INTR"}},
		{"fast, but it says nothing of what it has", full, unhex(t, "00000001 02"), []string{fast, "HNON", "INTR"}},
		{"an extended handshake first", full,
			ext(0, "d1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei31235e1:pi6881e4:reqqi500e11:upload_onlyi1ee") + unhex(t, "00000001 0f"),
			[]string{fast, "INFO 1ae101f4000700007a03", "HNON"}},
		{"extended messages", full, unhex(t, "00000001 0f") + ext(1, "de") + ext(2, "xy") + ext(3, "\x00\x00\x00\x05") + ext(99, "zz"),
			[]string{fast, "HNON", "PEEX 6465", "META 7879", "DONT 00000005"}},
		{"an extended message says nothing of what it has", full, ext(1, "de"), []string{fast, "HNON", "PEEX 6465"}},
		{"one of ours", "5301c80000100004", unhex(t, "48414c4c 00000000"), []string{hello(wire.CapSuggest, 0xc800, 64, 256<<10), "HALL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(Listener(), handshake(tt.reserved)+tt.input)
			if !ended(err) {
				t.Errorf("ended with %v", err)
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestRefused: what ends a connection, and why.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, input, why string
		reason           p2p.Reason
	}{
		{"another protocol", "\x13BitTorrent protokol", "neither", p2p.ReasonHandshake},
		{"a short HAVE", handshake(plain) + unhex(t, "00000004 04 000000"), "message 4 of 3 bytes", p2p.ReasonBadMessage},
		{"fast, not agreed", handshake(plain) + unhex(t, "00000001 0e"), "without the fast extension", p2p.ReasonBadMessage},
		{"a long bitfield", handshake(full) + unhex(t, "00000005 05 00000000"), "at most 3", p2p.ReasonTooLarge},
		{"a piece of a gigabyte", handshake(full) + unhex(t, "00000001 0f 40000000 07"), "at most", p2p.ReasonTooLarge},
		{"an unknown message of a gigabyte", handshake(full) + unhex(t, "40000000 63"), "a message 99", p2p.ReasonTooLarge},
		{"an extended message of a gigabyte", handshake(full) + unhex(t, "00000001 0f 40000000 1409"), "extended message", p2p.ReasonTooLarge},
		{"an extended message of nothing", handshake(full) + unhex(t, "00000001 0f 00000001 14 00000000"), "without its number", p2p.ReasonBadMessage},
		{"an extended handshake of letters", handshake(full) + unhex(t, "00000004 1400 6162"), "no dictionary", p2p.ReasonBadMessage},
		{"a large extended handshake", handshake(full) + unhex(t, "00008000 1400"), "extended handshake", p2p.ReasonTooLarge},
		{"lt_donthave of two bytes", handshake(full) + unhex(t, "00000001 0f 00000004 1403 0000"), "lt_donthave", p2p.ReasonBadMessage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(Listener(), tt.input)
			if p2p.ReasonOf(err) != tt.reason || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("%v, want %v: %s", err, tt.reason, tt.why)
			}
		})
	}
}

// say returns the bytes of messages.
func say(c *Codec, ms ...p2p.Message) string {
	var b []byte
	for i := range ms {
		b = c.AppendHead(b, &ms[i])
	}
	return string(b)
}

func helloMessage(port uint16) p2p.Message {
	h := wire.Hello{Version: 1, Caps: wire.CapSuggest, ListenPort: port, MaxQueue: 64, MaxRequest: 256 << 10}
	copy(h.InfoHash[:], strings.Repeat("\xaa", 20))
	copy(h.PeerID[:], "-XX0001-abcdefghijkl")
	return p2p.Message{Type: wire.HELO, Head: h.Append(nil)}
}

func TestAppend(t *testing.T) {
	run := []byte(unhex(t, "000000010000400000004000"))
	some := []p2p.Message{
		{Type: wire.BITF, Head: []byte{0xa0, 0, 0}}, {Type: wire.INTR}, {Type: wire.NINT}, {Type: wire.CHOK}, {Type: wire.UNCH},
		{Type: wire.HAVE, Head: []byte(unhex(t, "0000000100000002"))}, {Type: wire.REQU, Head: run}, {Type: wire.CANC, Head: run},
		{Type: p2p.PING}, {Type: wire.PIEC, Head: run[:8]}, {Type: p2p.ERRO, Head: []byte("no")}, {Type: wire.SUGG, Head: run[:4]},
	}
	common := unhex(t, `00000004 05 a00000 00000001 02 00000001 03 00000001 00 00000001 01 00000005 04 00000001 00000005 04 00000002
		0000000d 06 000000010000400000004000 0000000d 08 000000010000400000004000 00000000 00000009 07 0000000100004000`)
	t.Run("plain", func(t *testing.T) {
		c := Listener()
		if _, err := read(c, handshake(plain)); !ended(err) {
			t.Fatal(err)
		}
		if got := say(c, helloMessage(7000)); got != handshake("0000000000100004") {
			t.Errorf("handshake %x", got)
		}
		if got := say(c, some...); got != common {
			t.Errorf("got  %x\nwant %x", got, common)
		}
		none := []p2p.Message{{Type: wire.HALL}, {Type: wire.HNON}, {Type: wire.REJE, Head: run}, {Type: wire.INFO, Head: make([]byte, wire.InfoSize)}}
		if got := say(c, none...); got != "" {
			t.Errorf("without BEP 6 and 10: %x", got)
		}
	})
	t.Run("full", func(t *testing.T) {
		c := Dialer(nil)
		if got := say(c, helloMessage(7000)); got != handshake("53011b5800100004") {
			t.Errorf("handshake %x", got)
		}
		their := "d1:md11:lt_donthavei7e11:ut_metadatai3e6:ut_pexi9eee"
		input := handshake(full) + unhex(t, "00000001 0e") + string(appendHeader(nil, idExtended, 1+len(their))) + "\x00" + their
		if _, err := read(c, input); !ended(err) {
			t.Fatal(err)
		}
		info := wire.Info{ListenPort: 7000, MaxQueue: 512, Flags: wire.InfoPEX | wire.InfoMeta | wire.InfoUploadOnly, Metadata: 31235}
		got := say(c, p2p.Message{Type: wire.HNON}, p2p.Message{Type: wire.HALL}, p2p.Message{Type: wire.REJE, Head: run},
			p2p.Message{Type: wire.INFO, Head: info.Append(nil)}, p2p.Message{Type: wire.PEEX, Head: []byte("de")},
			p2p.Message{Type: wire.META, Head: []byte("xy")}, p2p.Message{Type: wire.DONT, Head: run[:8]})
		hs := "d1:md11:lt_donthavei3e11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei31235e1:pi7000e4:reqqi512e11:upload_onlyi1e1:v8:starlinge"
		want := unhex(t, "00000001 0f 00000001 0e 0000000d 10 000000010000400000004000") +
			string(appendHeader(nil, idExtended, 1+len(hs))) + "\x00" + hs +
			unhex(t, "00000004 1409 6465 00000004 1403 7879 00000006 1407 00000001 00000006 1407 00004000")
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
	t.Run("one of ours", func(t *testing.T) {
		c := Dialer(nil)
		say(c, helloMessage(7000))
		answer := helloMessage(7001)
		native := tcp.Native{}.AppendHead(nil, &answer)
		got, err := read(c, string(native))
		if !ended(err) || len(got) != 1 || !strings.HasPrefix(got[0], "HELO ") {
			t.Fatalf("%v, %v", got, err)
		}
		if got := say(c, some[1], p2p.Message{Type: p2p.ERRO, Head: []byte("no")}); got != "INTR\x00\x00\x00\x00ERRO\x00\x00\x00\x02no" {
			t.Errorf("frames %q", got)
		}
	})
}

// FuzzRead: whatever comes, a codec makes messages of it within their bounds, or
// ends the connection.
func FuzzRead(f *testing.F) {
	f.Add([]byte(handshake(plain)+unhex(f, "00000004 05 a00010 00000001 02")), false)
	f.Add([]byte(handshake(full)+unhex(f, "00000001 0f 0000000d 10 000000010000400000004000 0000001a 1400 64313a6d6431313a75745f6d65746164617461693365656565")), false)
	f.Add([]byte("HELO\x00\x00\x00\x00"), true)
	f.Fuzz(func(t *testing.T, input []byte, dialed bool) {
		c := &Codec{dialed: dialed}
		say(c, helloMessage(1))
		lines, err := read(c, string(input))
		if err == nil {
			t.Fatal("no end")
		}
		if len(lines) > 2+len(input) {
			t.Fatalf("%d messages of %d bytes", len(lines), len(input))
		}
		declared := 0
		for _, l := range lines {
			typ, _, _ := strings.Cut(l, " ")
			if typ == "HNON" || typ == "HALL" || typ == "BITF" {
				declared++
			}
		}
		if !c.native.Load() && !strings.Contains(string(input), "\x0e") && !strings.Contains(string(input), "\x0f") && declared > 1 {
			t.Fatalf("what it has is said %d times: %v", declared, lines)
		}
	})
}

// ended says whether the input was all read.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
