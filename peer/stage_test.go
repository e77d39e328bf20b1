package peer

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"starling/choke"
	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
	"starling/piece"
)

const stagePiece = 32 << 10

// stage is one engine on the recording host; the test plays everybody else.
type stage struct {
	*Engine
	t      testing.TB
	h      *p2ptest.Host
	mem    *memory
	full   []byte
	events []Event
}

var (
	stageHash = [20]byte{1}
	stageID   = [20]byte{0x50}
)

// newStage starts an engine with a content of some pieces, of which it has
// those that have says. The lines of its start are taken.
func newStage(t testing.TB, pieces int, have func(i int) bool, mod func(*EngineConfig)) *stage {
	t.Helper()
	geo := piece.Geometry{TotalLength: int64(pieces) * stagePiece, PieceLength: stagePiece}
	s := &stage{t: t, h: p2ptest.NewHost(1), full: make([]byte, geo.TotalLength)}
	rand.NewChaCha8([32]byte{}).Read(s.full)
	s.mem = newMemory(geo, s.full, true)
	policy, err := choke.New(choke.TitForTat, choke.Default())
	if err != nil {
		t.Fatal(err)
	}
	cfg := EngineConfig{
		InfoHash: stageHash, PeerID: stageID, ListenPort: 6881, Geometry: geo, Have: piece.NewBitfield(pieces),
		Content: s.mem, Policy: policy, Rechoke: choke.Default().Interval, SnubAfter: choke.Default().Snub,
		MaxRemotes: 50, NumWant: 50, OnEvent: func(e Event) { s.events = append(s.events, e) },
	}
	for i := range pieces {
		if have(i) {
			cfg.Have.Set(i)
		} else {
			clear(s.mem.at(i, 0, geo.PieceSize(i)))
		}
	}
	if mod != nil {
		mod(&cfg)
	}
	n := p2p.NewNode(s.h, p2p.Config{ID: nameOf(cfg.PeerID), Addr: "10.0.0.99:6881", MaxPeers: cfg.MaxRemotes})
	s.Engine = NewEngine(n, cfg)
	s.h.Start(n)
	s.Start(nil)
	n.Wake()
	s.finishJobs() // a complete content is published at once
	s.h.Take()
	return s
}

func all(int) bool     { return true }
func nothing(int) bool { return false }

func testHello(id byte) *wire.Hello {
	return &wire.Hello{
		Version: 1, InfoHash: stageHash, PeerID: [20]byte{id}, ListenPort: 7000 + uint16(id),
		MaxQueue: maxQueue, MaxRequest: wire.MaxRun,
	}
}

func helloOf(h *wire.Hello) string { return string(h.Append(nil)) }

// greetFrom lets a peer connect and introduce itself.
func (s *stage) greetFrom(id byte) p2p.ConnID {
	c := s.h.Accept(fmt.Sprintf("10.0.0.%d:40000", id))
	s.h.Deliver(c, wire.HELO, helloOf(testHello(id)))
	return c
}

// meet lets a peer connect and say what it has: HALL or HNON.
func (s *stage) meet(id byte, has p2p.Type) p2p.ConnID {
	s.t.Helper()
	c := s.greetFrom(id)
	s.h.Deliver(c, has, "")
	if !s.h.Alive(c) {
		s.t.Fatalf("the handshake failed: %s", s.h.Take())
	}
	return c
}

// words makes a head of u32s.
func words(ns ...uint32) string {
	var b []byte
	for _, n := range ns {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return string(b)
}

func wordsOf(r piece.Run) string { return string(wire.AppendRun(nil, r)) }

// pieceOf answers a run with the right bytes.
func (s *stage) pieceOf(c p2p.ConnID, r piece.Run) *p2ptest.Body {
	off := r.Piece*stagePiece + r.Begin
	body := p2ptest.NewBody(slices.Clone(s.full[off : off+r.Length]))
	s.h.DeliverBody(c, wire.PIEC, words(uint32(r.Piece), uint32(r.Begin)), body)
	return body
}

// sent is one message that the engine sent.
type sent struct {
	conn p2p.ConnID
	typ  string
	head []byte
	body int
}

// run reads the run of a REQU, CANC, REJE or PIEC.
func (m *sent) run() piece.Run {
	h := m.head
	r := piece.Run{Piece: int(binary.BigEndian.Uint32(h)), Begin: int(binary.BigEndian.Uint32(h[4:])), Length: m.body}
	if m.typ != "PIEC" {
		r.Length = int(binary.BigEndian.Uint32(h[8:]))
	}
	return r
}

// take returns what was sent since the last take, on all connections or on
// those that are named, and the reasons of the connections that were closed.
func (s *stage) take(conns ...p2p.ConnID) (msgs []sent, closed map[p2p.ConnID]string) {
	s.t.Helper()
	closed = map[p2p.ConnID]string{}
	for line := range strings.Lines(s.h.Take()) {
		line = strings.TrimSuffix(line, "\n")
		verb, rest, _ := strings.Cut(line, " ")
		if verb != "send" && verb != "close" {
			continue
		}
		num, rest, _ := strings.Cut(rest, " ")
		id, err := strconv.ParseUint(num, 10, 64)
		if err != nil {
			s.t.Fatalf("line %q: %v", line, err)
		}
		if verb == "close" {
			reason, _, _ := strings.Cut(rest, ":")
			closed[p2p.ConnID(id)] = reason
			continue
		}
		if conns != nil && !slices.Contains(conns, p2p.ConnID(id)) {
			continue
		}
		m := sent{conn: p2p.ConnID(id)}
		m.typ, rest, _ = strings.Cut(rest, " ")
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			s.t.Fatalf("line %q: %v", line, err)
		}
		head, _ := strconv.Unquote(quoted)
		m.head = []byte(head)
		if n, ok := strings.CutPrefix(rest[len(quoted):], " +"); ok {
			m.body, _ = strconv.Atoi(n)
		}
		msgs = append(msgs, m)
	}
	return msgs, closed
}

// only keeps the messages of some types.
func only(msgs []sent, types ...p2p.Type) (out []sent) {
	for _, m := range msgs {
		if slices.ContainsFunc(types, func(t p2p.Type) bool { return m.typ == t.String() }) {
			out = append(out, m)
		}
	}
	return out
}

// names lists the types of messages, for comparison with text.
func names(msgs []sent) string {
	var out []string
	for _, m := range msgs {
		out = append(out, m.typ)
	}
	return strings.Join(out, " ")
}

// finishJobs does all jobs that wait.
func (s *stage) finishJobs() {
	for s.h.Jobs() > 0 {
		s.h.FinishJob(0)
	}
}

// sound fails the test if the engine's books are wrong.
func (s *stage) sound() {
	s.t.Helper()
	if err := s.Check(); err != nil {
		s.t.Fatal(err)
	}
}
