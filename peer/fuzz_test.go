package peer

import (
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
// byte and, for a message, a length byte with so many bytes of head. The argument
// of a message is the connection in its upper three bits and the type below.
const (
	opAccept = iota // a connection, with a handshake as the argument says
	opMessage
	opAnswer // what the engine asked of a remote, right or wrong
	opDrain
	opHangup
	opTime
	opJob
	opFill
	opRefuse // what the engine asked of a remote, with other words than a piece
	numOpsOfFuzz
)

// fuzzTypes are the messages that the script may send, and one nobody knows. New
// ones come last: what was found stands in testdata by their numbers.
var fuzzTypes = []p2p.Type{
	wire.HELO, wire.BITF, wire.HALL, wire.HNON, wire.HAVE, wire.DONT, wire.INTR, wire.NINT, wire.CHOK,
	wire.UNCH, wire.REQU, wire.CANC, wire.REJE, wire.PIEC, wire.SUGG, p2p.PING, p2p.NAME, p2p.LIST,
	p2p.REPL, p2p.ERRO, p2p.MSID, p2p.T("JUNK"), wire.INFO, wire.PEEX, wire.META, wire.HREQ,
	wire.HASH, wire.HREJ, wire.PART,
}

// typeBits are those of a type's number.
const typeBits = 5

// FuzzMessages feeds an engine whatever remotes may send, in any order, with
// time, jobs and full outboxes in between. Its books stay right, its memory
// bounded, and it has only pieces whose hash was right.
func FuzzMessages(f *testing.F) {
	for _, seed := range fuzzScripts() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		p := newPlayer(t)
		p.play(script)
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

func (someHashes) Want(i int) (wire.Hashes, bool) {
	return wire.Hashes{Request: merkle.Request{Index: int64(2 * i), Length: 2}}, i%2 == 0
}

func (someHashes) Accept(_ int, answer []byte) bool { return len(answer) == 2*merkle.Size }

// player plays a script.
type player struct {
	*stage
	limits *p2p.Limits
	conns  []p2p.ConnID     // the latest eight
	heard  map[p2p.Type]int // messages that the engine was given
}

func newPlayer(t testing.TB) *player {
	return &player{stage: newStage(t, stagePieces, func(i int) bool { return i < 3 }, func(cfg *EngineConfig) {
		cfg.MaxRemotes, cfg.Metadata, cfg.Hashes = 4, make([]byte, 9*wire.MetaPart+1), someHashes{}
	})}
}

// play takes the steps of a script, 300 at most.
func (p *player) play(script []byte) {
	p.t.Helper()
	p.limits, p.heard = p.node.Limits(), map[p2p.Type]int{}
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
	case opRefuse:
		p.refuse(c, arg)
	case opDrain:
		p.h.Drain(c)
	case opHangup:
		p.h.Hangup(c, p2p.Violation(p2p.ReasonIO, "reset"))
	case opFill:
		p.h.Fill(c, arg&128 != 0)
	}
}

// refuse answers a request for a run with REJE, or one for hashes with some or with
// none.
func (p *player) refuse(c p2p.ConnID, arg byte) {
	r := p.remotes[c]
	switch {
	case r == nil:
	case arg&8 == 0 && len(r.requests) > 0:
		p.deliver(c, wire.REJE, wordsOf(r.requests[int(arg>>4)%len(r.requests)].run))
	case arg&8 != 0 && len(r.leaves) > 0:
		h, t := r.leaves[0].asked, wire.HREJ
		if arg&16 == 0 {
			h.Answer, t = make([]byte, int(h.Request.Length)*merkle.Size), wire.HASH
		}
		p.deliver(c, t, string(h.Append(nil)))
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
		if id == 11 || id == 12 { // asked for single blocks, and passes them on
			h.Caps, h.MaxRequest = h.Caps|wire.CapParts, piece.BlockSize
		}
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
	c, alive := p.conn(arg >> typeBits)
	n := int(arg & (1<<typeBits - 1))
	if !alive || n >= len(fuzzTypes) {
		return
	}
	t := fuzzTypes[n]
	if spec, _ := p.limits.For(t); len(head) > spec.Max {
		return
	}
	if t == wire.PIEC && len(head) > wire.PieceHead {
		p.heard[t]++
		p.h.DeliverBody(c, t, head[:wire.PieceHead], p2ptest.NewBody([]byte(head[wire.PieceHead:])))
		return
	}
	p.deliver(c, t, head)
}

func (p *player) deliver(c p2p.ConnID, t p2p.Type, head string) {
	p.heard[t]++
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
