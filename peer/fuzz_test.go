package peer

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"starling/metainfo/merkle"
	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
	"starling/piece"
)

// FuzzHello: what parses has a sound meaning and comes back the same; nothing
// panics.
func FuzzHello(f *testing.F) {
	f.Add([]byte(helloOf(testHello(1))))
	f.Add([]byte(helloOf(testHello(1)) + "\x00\x01\x00\x02ab\x00\x02\x00\x00"))
	f.Add([]byte(helloOf(testHello(1)) + "\x00\x01\xff\xff"))
	f.Add([]byte("HELO"))
	f.Fuzz(func(t *testing.T, head []byte) {
		h, err := wire.ParseHello(head)
		if err != nil {
			if p2p.ReasonOf(err) != p2p.ReasonHandshake {
				t.Errorf("error %v is not of the handshake", err)
			}
			return
		}
		if h.Version == 0 || h.MaxQueue == 0 || h.MaxRequest < piece.BlockSize || len(head) > wire.MaxHello {
			t.Errorf("accepted %+v of %d bytes", h, len(head))
		}
		if again := h.Append(nil); string(again) != string(head[:wire.HelloSize]) {
			t.Errorf("%x came back as %x", head[:wire.HelloSize], again)
		}
	})
}

// The script of FuzzMessages is a list of steps, each an op byte, an argument
// byte and, for a message, a length byte with so many bytes of head.
const (
	opAccept = iota // a connection, with a handshake as the argument says
	opMessage
	opAnswer // what the engine asked of a remote, right or wrong
	opDrain
	opHangup
	opTime
	opJob
	opFill
	numOpsOfFuzz
)

// fuzzTypes are the messages that the script may send, and one nobody knows.
var fuzzTypes = []p2p.Type{
	wire.HELO, wire.BITF, wire.HALL, wire.HNON, wire.HAVE, wire.DONT, wire.INTR, wire.NINT, wire.CHOK,
	wire.UNCH, wire.REQU, wire.CANC, wire.REJE, wire.PIEC, wire.SUGG, p2p.PING, p2p.NAME, p2p.LIST,
	p2p.REPL, p2p.ERRO, p2p.MSID, p2p.T("JUNK"), wire.INFO, wire.PEEX, wire.META, wire.HREQ,
}

// FuzzMessages feeds an engine whatever remotes may send, in any order, with
// time, jobs and full outboxes in between. Its books stay right, its memory
// bounded, and it has only pieces whose hash was right.
func FuzzMessages(f *testing.F) {
	for _, seed := range fuzzScripts() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		p := &player{stage: newStage(t, stagePieces, func(i int) bool { return i < 3 }, func(cfg *EngineConfig) {
			cfg.MaxRemotes, cfg.Metadata, cfg.Hashes = 4, make([]byte, 9*wire.MetaPart+1), someHashes{}
		})}
		p.limits = p.node.Limits()
		for step := 0; len(script) >= 2 && step < 300; step++ {
			op, arg := script[0]%numOpsOfFuzz, script[1]
			script = script[2:]
			if op == opMessage && len(script) > 0 {
				n := min(int(script[0]), len(script)-1)
				p.message(arg, string(script[1:1+n]))
				script = script[1+n:]
			} else {
				p.step(op, arg)
			}
			p.bounded()
		}
		for p.h.Jobs() > 0 {
			p.h.FinishJob(0)
		}
		p.bounded()
		for i := range p.pick.Have().Ones() {
			if ok, _ := p.mem.VerifyPiece(i); !ok {
				t.Fatalf("piece %d is had and wrong", i)
			}
		}
	})
}

// someHashes knows one tree.
type someHashes struct{}

func (someHashes) Answer(root merkle.Hash, r merkle.Request) ([]byte, bool) {
	return make([]byte, merkle.Size), root == merkle.Hash{} && r.Length == 1
}

// player plays a script.
type player struct {
	*stage
	limits *p2p.Limits
	conns  []p2p.ConnID // the latest eight
}

func (p *player) conn(arg byte) (p2p.ConnID, bool) {
	if len(p.conns) == 0 {
		return 0, false
	}
	c := p.conns[int(arg)%len(p.conns)]
	return c, p.h.Alive(c)
}

func (p *player) step(op, arg byte) {
	c, alive := p.conn(arg)
	switch op {
	case opAccept:
		p.accept(arg)
	case opTime:
		p.h.Advance(time.Duration(arg) * 100 * time.Millisecond)
	case opJob:
		if n := p.h.Jobs(); n > 0 {
			p.h.FinishJob(int(arg) % n)
		}
	}
	if !alive {
		return
	}
	switch op {
	case opAnswer:
		if r := p.remotes[c]; r != nil && len(r.requests) > 0 {
			run := r.requests[int(arg>>4)%len(r.requests)].run
			if arg&8 == 0 {
				p.pieceOf(c, run)
			} else {
				p.h.DeliverBody(c, wire.PIEC, words(uint32(run.Piece), uint32(run.Begin)), p2ptest.NewBody(make([]byte, run.Length)))
			}
		}
	case opDrain:
		p.h.Drain(c)
	case opHangup:
		p.h.Hangup(c, p2p.Violation(p2p.ReasonIO, "reset"))
	case opFill:
		p.h.Fill(c, arg&128 != 0)
	}
}

// accept opens a connection, and lets it come as far as the argument says.
func (p *player) accept(arg byte) {
	id := 1 + arg>>4
	c := p.h.Accept("10.0.0.1:40000")
	if p.conns = append(p.conns, c); len(p.conns) > 8 {
		p.conns = p.conns[1:]
	}
	if arg&1 != 0 {
		h := testHello(id)
		if id > 12 { // of another wire
			h.Caps, h.ListenPort, h.MaxQueue, h.MaxRequest = plainCaps, 0, 250, piece.BlockSize
			if id > 14 {
				h.Caps = fullCaps
			}
		}
		p.h.Deliver(c, wire.HELO, helloOf(h))
	}
	if arg&2 != 0 {
		p.h.Deliver(c, []p2p.Type{wire.HALL, wire.HNON}[arg>>2&1], "")
	}
	if arg&8 != 0 {
		p.h.Deliver(c, wire.INTR, "")
		p.h.Deliver(c, wire.UNCH, "")
	}
}

// message delivers a message that the host would let through.
func (p *player) message(arg byte, head string) {
	c, alive := p.conn(arg >> 5)
	t := fuzzTypes[int(arg)%len(fuzzTypes)]
	spec, _ := p.limits.For(t)
	if !alive || len(head) > spec.Max {
		return
	}
	if t == wire.PIEC && len(head) > wire.PieceHead {
		p.h.DeliverBody(c, t, head[:wire.PieceHead], p2ptest.NewBody([]byte(head[wire.PieceHead:])))
		return
	}
	p.h.Deliver(c, t, head)
}

// bounded holds the engine against its invariants and bounds.
func (p *player) bounded() {
	p.t.Helper()
	p.sound()
	p.h.Take()
	ready := 0
	for _, r := range p.order {
		count(&ready, r.phase >= declaring)
		if len(r.queue) > r.room() || len(r.requests) > r.room() || len(r.suggested) > wire.MaxIndexes || len(r.handouts) > stagePieces {
			p.t.Fatalf("a remote holds %d queued, %d requests, %d suggestions, %d handouts",
				len(r.queue), len(r.requests), len(r.suggested), len(r.handouts))
		}
	}
	if ready > p.cfg.MaxRemotes || len(p.remotes) != len(p.order) {
		p.t.Fatalf("%d remotes, %d in order, %d by id", ready, len(p.order), len(p.remotes))
	}
	if p.asked > budget || p.onDisk < 0 || len(p.cands.list) > maxCandidates {
		p.t.Fatalf("asked %d, on disk %d, %d candidates", p.asked, p.onDisk, len(p.cands.list))
	}
}

// fuzzScripts are where the search begins: a leecher that is served, a seed
// that serves, one that lies, and remotes of another wire.
func fuzzScripts() [][]byte {
	msg := func(conn, typ byte, head string) []byte {
		arg := byte(0)
		for int(arg)%len(fuzzTypes) != int(typ) || arg>>5 != conn {
			arg++
		}
		return append([]byte{opMessage, arg, byte(len(head))}, head...)
	}
	cat := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	info := string((&wire.Info{ListenPort: 5555, MaxQueue: 500, Flags: wire.InfoPEX | wire.InfoMeta}).Append(nil))
	meta := string((&wire.Meta{Kind: wire.MetaRequest, Part: 1}).Append(nil))
	peersOf := func(addrs ...string) string { return string(peersOf(addrs...).Append(nil)) }
	request := string(binary.BigEndian.AppendUint32(nil, 1)) + words(0, piece.BlockSize)
	return [][]byte{
		cat([]byte{opAccept, 0x17 | 8}, msg(0, 10, request), []byte{opDrain, 0}, msg(0, 11, request), []byte{opTime, 200}),
		cat([]byte{opAccept, 0x23 | 8, opAnswer, 0, opAnswer, 0, opJob, 0, opJob, 0, opTime, 1}, msg(0, 5, words(3))),
		cat([]byte{opAccept, 0x33 | 8, opAccept, 0x43 | 8, opAnswer, 8, opAnswer, 9, opJob, 1, opJob, 0, opHangup, 0, opTime, 50}),
		cat([]byte{opAccept, 1}, msg(0, 1, "\xff\xc0"), msg(0, 4, words(9, 10)), []byte{opFill, 128, opTime, 255}),
		// Of another wire: one that says all of it, one that is silent.
		cat([]byte{opAccept, 0xf7 | 8}, msg(0, 22, info), msg(0, 23, peersOf("10.3.0.1:1001")), msg(0, 24, meta), msg(0, 24, meta),
			msg(0, 25, strings.Repeat("\x00", 40)+words(1, 0)), []byte{opJob, 0, opTime, 100}, msg(0, 22, info[:2]+"\x00\x01"+info[4:]), msg(0, 2, "")),
		cat([]byte{opAccept, 0xc3 | 8, opAccept, 0x23 | 8, opAnswer, 1, opAnswer, 1, opTime, 255}, msg(0, 8, ""), []byte{opTime, 30}, msg(0, 9, ""), []byte{opAnswer, 0}),
	}
}
