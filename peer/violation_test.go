package peer

import (
	"encoding/binary"
	"strings"
	"testing"

	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
)

// A violation is a message that ends its connection, for a reason.
type violation struct {
	name   string
	typ    p2p.Type
	head   string
	body   *p2ptest.Body
	reason p2p.Reason
}

const stagePieces = 10

// runViolations are runs that lie outside of the content, for every message
// that carries one.
func runViolations(t p2p.Type) []violation {
	v := func(name string, head string) violation {
		return violation{t.String() + " " + name, t, head, nil, p2p.ReasonBadMessage}
	}
	return []violation{
		v("of piece n", words(stagePieces, 0, 1)),
		v("of piece 2^32-1", words(0xffffffff, 0, 1)),
		v("that wraps by one", words(0, 0xffffffff, 1)),
		v("that wraps to its end", words(0, 0x80000000, 0x80000000)),
		v("that wraps into the piece", words(0, 0xfffff000, 0x2000)),
		v("from the end", words(0, stagePiece, 1)),
		v("over the end", words(0, 1, stagePiece)),
		v("of length 0", words(0, 0, 0)),
		v("of length 2^32-1", words(0, 0, 0xffffffff)),
		v("longer than a run", words(0, 0, wire.MaxRun+1)),
		v("cut off", words(0, 0, 1)[:11]),
		v("too long", words(0, 0, 1)+"x"),
		v("empty", ""),
	}
}

func violations() []violation {
	v := func(name string, t p2p.Type, head string, reason p2p.Reason) violation {
		return violation{name, t, head, nil, reason}
	}
	list := []violation{
		v("HAVE of piece n", wire.HAVE, words(stagePieces), p2p.ReasonBadMessage),
		v("HAVE of piece n+1", wire.HAVE, words(stagePieces+1), p2p.ReasonBadMessage),
		v("HAVE of piece 2^32-1", wire.HAVE, words(0xffffffff), p2p.ReasonBadMessage),
		v("HAVE that ends badly", wire.HAVE, words(0, 1, stagePieces), p2p.ReasonBadMessage),
		v("HAVE of nothing", wire.HAVE, "", p2p.ReasonBadMessage),
		v("HAVE cut off", wire.HAVE, words(0)[:3], p2p.ReasonBadMessage),
		v("HAVE of too many", wire.HAVE, strings.Repeat(words(0), wire.MaxIndexes+1), p2p.ReasonBadMessage),
		v("DONT of piece n", wire.DONT, words(stagePieces), p2p.ReasonBadMessage),
		v("DONT of nothing", wire.DONT, "", p2p.ReasonBadMessage),
		v("SUGG of piece n", wire.SUGG, words(stagePieces), p2p.ReasonBadMessage),
		v("SUGG cut off", wire.SUGG, words(0)[:2], p2p.ReasonBadMessage),
		v("REJE of what was not asked", wire.REJE, words(0, 0, 1), p2p.ReasonBadMessage),
		v("a second HELO", wire.HELO, helloOf(testHello(1)), p2p.ReasonBadState),
		v("a second HNON", wire.HNON, "", p2p.ReasonBadState),
		v("a late HALL", wire.HALL, "", p2p.ReasonBadState),
		v("a late BITF", wire.BITF, "\x00\x00", p2p.ReasonBadState),
		{"PIEC without bytes", wire.PIEC, words(0, 0), nil, p2p.ReasonBadMessage},
		{"PIEC with half a head", wire.PIEC, words(0), p2ptest.Blank(1), p2p.ReasonBadMessage},
		{"PIEC of piece n", wire.PIEC, words(stagePieces, 0), p2ptest.Blank(1), p2p.ReasonBadMessage},
		{"PIEC over the end", wire.PIEC, words(0, 1), p2ptest.Blank(stagePiece), p2p.ReasonBadMessage},
		{"PIEC that wraps", wire.PIEC, words(0, 0xffffffff), p2ptest.Blank(1), p2p.ReasonBadMessage},
	}
	for _, t := range []p2p.Type{wire.REQU, wire.CANC, wire.REJE} {
		list = append(list, runViolations(t)...)
	}
	return list
}

// TestViolations: each ends the connection at once, with its reason, and
// nothing is served, read or kept.
func TestViolations(t *testing.T) {
	for _, v := range violations() {
		t.Run(v.name, func(t *testing.T) {
			s := newStage(t, stagePieces, all, nil)
			c := s.meet(1, wire.HNON)
			s.h.Deliver(c, wire.INTR, "") // so that it is unchoked
			s.take()
			if v.body != nil {
				s.h.DeliverBody(c, v.typ, v.head, v.body)
			} else {
				s.h.Deliver(c, v.typ, v.head)
			}
			s.wantClosed(c, v.reason)
			if v.body != nil && v.body.Released != 1 {
				t.Errorf("its body was released %d times", v.body.Released)
			}
		})
	}
}

// wantClosed checks that all that happened is the end of c.
func (s *stage) wantClosed(c p2p.ConnID, reason p2p.Reason) {
	s.t.Helper()
	msgs, closed := s.take()
	if closed[c] != reason.String() {
		s.t.Errorf("closed with %q, want %q", closed[c], reason)
	}
	if got := names(msgs); got != "ERRO" {
		s.t.Errorf("sent %q, want one ERRO", got)
	}
	if n := len(s.order); n != 0 {
		s.t.Errorf("%d remotes are left", n)
	}
	if s.h.Jobs() != 0 {
		s.t.Errorf("%d jobs were started", s.h.Jobs())
	}
	s.sound()
}

var swarmTypes = []p2p.Type{
	wire.HAVE, wire.DONT, wire.INTR, wire.NINT, wire.CHOK, wire.UNCH,
	wire.REQU, wire.CANC, wire.REJE, wire.SUGG,
}

// TestOrderOfTheHandshake: nothing comes before HELO, and nothing between HELO
// and what the remote has.
func TestOrderOfTheHandshake(t *testing.T) {
	for _, typ := range append(swarmTypes, wire.BITF, wire.HALL, wire.HNON) {
		s := newStage(t, stagePieces, all, nil)
		c := s.h.Accept("10.0.0.1:40000")
		s.h.Deliver(c, typ, words(0, 0, 1))
		if _, closed := s.take(); closed[c] != p2p.ReasonHandshake.String() {
			t.Errorf("%v before HELO: closed with %q", typ, closed[c])
		}
	}
	for _, typ := range swarmTypes {
		s := newStage(t, stagePieces, all, nil)
		c := s.greetFrom(1)
		s.h.Deliver(c, typ, words(0, 0, 1))
		if _, closed := s.take(); closed[c] != p2p.ReasonBadState.String() {
			t.Errorf("%v after HELO: closed with %q", typ, closed[c])
		}
	}
	s := newStage(t, stagePieces, all, nil)
	c := s.greetFrom(1)
	body := p2ptest.Blank(1)
	s.h.DeliverBody(c, wire.PIEC, words(0, 0), body)
	if _, closed := s.take(); closed[c] != p2p.ReasonBadState.String() || body.Released != 1 {
		t.Errorf("PIEC after HELO: closed with %q, released %d", closed[c], body.Released)
	}
}

func TestBitfields(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		ok   bool
	}{
		"right":               {"\xff\xc0", true},
		"short":               {"\xff", false},
		"long":                {"\xff\xc0\x00", false},
		"empty":               {"", false},
		"with a spare bit":    {"\xff\xe0", false},
		"with the last spare": {"\x00\x01", false},
	} {
		s := newStage(t, stagePieces, nothing, nil)
		id := s.greetFrom(1)
		s.h.Deliver(id, wire.BITF, c.head)
		want := ""
		if !c.ok {
			want = p2p.ReasonBadMessage.String()
		}
		if _, closed := s.take(); closed[id] != want {
			t.Errorf("a bitfield that is %s: closed with %q, want %q", name, closed[id], want)
		}
		s.sound()
	}
}

func TestHellos(t *testing.T) {
	mod := func(fn func(h *wire.Hello)) string {
		h := testHello(1)
		fn(h)
		return helloOf(h)
	}
	good := helloOf(testHello(1))
	ext := func(key, length uint16, data string) string {
		b := binary.BigEndian.AppendUint16([]byte(good), key)
		return string(binary.BigEndian.AppendUint16(b, length)) + data
	}
	for name, c := range map[string]struct {
		head string
		want string
	}{
		"right":                  {good, ""},
		"of a later version":     {mod(func(h *wire.Hello) { h.Version = 9 }), ""},
		"with unknown bits":      {mod(func(h *wire.Hello) { h.Caps = 0xfff0 }), ""},
		"with an extension":      {ext(7, 2, "ab"), ""},
		"with an empty one":      {ext(7, 0, ""), ""},
		"cut off":                {good[:wire.HelloSize-1], "handshake"},
		"empty":                  {"", "handshake"},
		"too long":               {ext(7, wire.MaxHello-wire.HelloSize-3, strings.Repeat("x", wire.MaxHello-wire.HelloSize-3)), "handshake"},
		"with half an extension": {ext(7, 3, "ab"), "handshake"},
		"with one byte more":     {good + "x", "handshake"},
		"of version 0":           {mod(func(h *wire.Hello) { h.Version = 0 }), "handshake"},
		"without a queue":        {mod(func(h *wire.Hello) { h.MaxQueue = 0 }), "handshake"},
		"with short requests":    {mod(func(h *wire.Hello) { h.MaxRequest = 1 }), "handshake"},
		"for another torrent":    {mod(func(h *wire.Hello) { h.InfoHash[3] ^= 1 }), "unknown_torrent"},
		"from ourselves":         {mod(func(h *wire.Hello) { h.PeerID = stageID }), "self"},
	} {
		s := newStage(t, stagePieces, nothing, nil)
		id := s.h.Accept("10.0.0.1:40000")
		s.h.Deliver(id, wire.HELO, c.head)
		msgs, closed := s.take()
		if closed[id] != c.want {
			t.Errorf("a HELO %s: closed with %q, want %q", name, closed[id], c.want)
		}
		if got := names(msgs); c.want == "" && got != "HELO HNON" {
			t.Errorf("a HELO %s: answered with %q", name, got)
		}
	}
}
