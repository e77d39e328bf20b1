package peer

import (
	"slices"
	"strings"
	"testing"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// say is the step of a script in which the oldest connection sends a message.
func say(t p2p.Type, head string) []byte {
	return append([]byte{opMessage, byte(slices.Index(fuzzTypes, t)), byte(len(head))}, head...)
}

func cat(parts ...[]byte) (out []byte) { return slices.Concat(parts...) }

// fuzzScripts are where the search begins: a leecher that is served, a seed
// that serves, one that lies, remotes of another wire, and each message alone.
func fuzzScripts() [][]byte {
	info := infoForFuzz()
	meta := string((&wire.Meta{Kind: wire.MetaRequest, Part: 1}).Append(nil))
	peersOf := func(addrs ...string) string { return string(peersOf(addrs...).Append(nil)) }
	request := words(1, 0, piece.BlockSize)
	scripts := [][]byte{
		cat([]byte{opAccept, 0x17 | 8}, say(wire.REQU, request), []byte{opDrain, 0}, say(wire.CANC, request), []byte{opTime, 200}),
		cat([]byte{opAccept, 0x23 | 8, opAnswer, 0, opAnswer, 0, opJob, 0, opJob, 0, opTime, 1}, say(wire.DONT, words(3))),
		cat([]byte{opAccept, 0x33 | 8, opAccept, 0x43 | 8, opAnswer, 8, opAnswer, 9, opJob, 1, opJob, 0, opHangup, 0, opTime, 50}),
		cat([]byte{opAccept, 1}, say(wire.BITF, "\xff\xc0"), say(wire.HAVE, words(9, 10)), []byte{opFill, 128, opTime, 255}),
		// Of another wire: one that says all of it, one that is silent.
		cat([]byte{opAccept, 0xf7 | 8}, say(wire.INFO, info), say(wire.PEEX, peersOf("10.3.0.1:1001")), say(wire.META, meta), say(wire.META, meta),
			say(wire.HREQ, strings.Repeat("\x00", 40)+words(1, 0)), []byte{opJob, 0, opTime, 100}, say(wire.INFO, info[:2]+"\x00\x01"+info[4:]), say(wire.HALL, "")),
		cat([]byte{opAccept, 0xc3 | 8, opAccept, 0x23 | 8, opAnswer, 1, opAnswer, 1, opTime, 255}, say(wire.CHOK, ""), []byte{opTime, 30}, say(wire.UNCH, ""), []byte{opAnswer, 0}),
	}
	for _, s := range typeSeeds() {
		scripts = append(scripts, s.script)
	}
	return scripts
}

func infoForFuzz() string {
	return string((&wire.Info{ListenPort: 5555, MaxQueue: 500, Flags: wire.InfoPEX | wire.InfoMeta}).Append(nil))
}

// typeSeed is a script in which a message comes as it may, over a connection that it
// does not end.
type typeSeed struct {
	t      p2p.Type
	script []byte
	conn   byte
}

// alone is a message of one that opened its connection as far as an argument of
// opAccept says.
func alone(open byte, t p2p.Type, head string) typeSeed {
	return typeSeed{t, cat([]byte{opAccept, open}, say(t, head), []byte{opJob, 0, opDrain, 0, opTime, 20}), 0}
}

// typeSeeds has one for each of fuzzTypes.
func typeSeeds() []typeSeed {
	const (
		silent  = 0x10     // has not said HELO
		greeted = 0x11     // but not what it has
		seed    = 0x13 | 8 // has all, wants some and serves
		leecher = 0x17 | 8 // has nothing
		foreign = 0xf7 | 8 // is of another wire, and knows all extensions
	)
	run := words(1, 0, piece.BlockSize)
	// One who has what we have, and a seed of whom single blocks are asked for him.
	parts := cat([]byte{opAccept, 0xa1}, say(wire.BITF, "\xe0\x00"), []byte{opAccept, 0xb3 | 8})
	return []typeSeed{
		alone(silent, wire.HELO, helloOf(testHello(2))),
		alone(greeted, wire.BITF, "\xff\xc0"),
		alone(greeted, wire.HALL, ""),
		alone(greeted, wire.HNON, ""),
		alone(leecher, wire.HAVE, words(8, 9)),
		alone(seed, wire.DONT, words(3)),
		alone(seed, wire.INTR, ""),
		alone(seed, wire.NINT, ""),
		alone(seed, wire.CHOK, ""),
		alone(seed, wire.UNCH, ""),
		alone(leecher, wire.REQU, run),
		alone(leecher, wire.CANC, run),
		{wire.REJE, cat([]byte{opAccept, seed, opRefuse, 0}), 0},
		alone(seed, wire.PIEC, words(4, 0)+strings.Repeat("x", 100)),
		alone(seed, wire.SUGG, words(3)),
		alone(seed, p2p.PING, ""),
		alone(seed, p2p.NAME, ""),
		alone(seed, p2p.LIST, ""),
		alone(seed, p2p.REPL, ""),
		alone(seed, p2p.ERRO, "no"),
		alone(seed, p2p.MSID, "\x00\x00\x00\x08\x00NAME"),
		alone(seed, p2p.T("JUNK"), ""),
		alone(foreign, wire.INFO, infoForFuzz()),
		alone(foreign, wire.PEEX, string(peersOf("10.3.0.1:1001").Append(nil))),
		alone(foreign, wire.META, string((&wire.Meta{Kind: wire.MetaRequest, Part: 1}).Append(nil))),
		alone(foreign, wire.HREQ, strings.Repeat("\x00", 40)+words(1, 0)),
		{wire.HASH, cat(parts, []byte{opRefuse, 8 | 1, opJob, 0}), 1},
		{wire.HREJ, cat(parts, []byte{opRefuse, 8 | 16 | 1}), 1},
		alone(leecher, wire.PART, words(4, 0, piece.BlockSize)),
	}
}

// TestTypeSeeds: there is a seed for each type of message, it reaches the engine, and
// the engine takes it for what it is.
func TestTypeSeeds(t *testing.T) {
	if len(fuzzTypes) > 1<<typeBits {
		t.Fatalf("%d types do not fit into %d bits", len(fuzzTypes), typeBits)
	}
	var seeded []p2p.Type
	for _, s := range typeSeeds() {
		seeded = append(seeded, s.t)
		p := newPlayer(t)
		p.play(s.script)
		if p.heard[s.t] != 1 {
			t.Errorf("%v: the engine heard %v", s.t, p.heard)
		}
		if _, alive := p.conn(s.conn); !alive {
			t.Errorf("%v ended the connection", s.t)
		}
	}
	if !slices.Equal(seeded, fuzzTypes) {
		t.Errorf("there are seeds for %v, want %v", seeded, fuzzTypes)
	}
}
