package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/piece"
)

// board is a tracker in memory: everybody who has announced, in order.
type board struct {
	addrs []string
	down  bool
	heard map[string][]AnnounceEvent
}

// poster is one peer's way to the board.
type poster struct {
	b    *board
	addr string
}

func (p poster) Announce(_ context.Context, a Announce) (Announced, error) {
	if p.b.down {
		return Announced{}, errors.New("connection refused")
	}
	if p.b.heard == nil {
		p.b.heard = map[string][]AnnounceEvent{}
	}
	p.b.heard[p.addr] = append(p.b.heard[p.addr], a.Event)
	out := Announced{Interval: time.Minute, MinInterval: 10 * time.Second}
	for _, o := range p.b.addrs {
		if o != p.addr {
			out.Peers = append(out.Peers, o)
		}
	}
	if !slices.Contains(p.b.addrs, p.addr) {
		p.b.addrs = append(p.b.addrs, p.addr)
	}
	return out, nil
}

// member is one peer of a test swarm.
type member struct {
	*Engine
	addr   string
	mem    *memory
	events []Event
	doneAt time.Duration
	uplink float64 // bytes a second, 0: no bound
}

func (m *member) has(kind EventKind) bool {
	return slices.ContainsFunc(m.events, func(e Event) bool { return e.Kind == kind })
}

// swarm is a set of peers in virtual time.
type swarm struct {
	t       testing.TB
	net     *p2ptest.Net
	geo     piece.Geometry
	full    []byte
	board   *board
	members []*member
	choke   choke.Config
	policy  string
}

func newSwarm(t testing.TB, seed uint64, size, pieceLength int64) *swarm {
	s := &swarm{
		t: t, net: p2ptest.NewNet(seed), board: &board{}, choke: choke.Default(), policy: choke.TitForTat,
		geo: piece.Geometry{TotalLength: size, PieceLength: pieceLength}, full: make([]byte, size),
	}
	rand.NewChaCha8([32]byte{byte(seed), 7}).Read(s.full)
	return s
}

// join adds a peer; seed says that it has everything. mod may change it before
// it starts.
func (s *swarm) join(seed bool, mod func(m *member, cfg *EngineConfig)) *member {
	s.t.Helper()
	addr := fmt.Sprintf("10.0.0.%d:6881", len(s.members)+1)
	m := &member{addr: addr, mem: newMemory(s.geo, s.full, seed)}
	policy, err := choke.New(s.policy, s.choke)
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := EngineConfig{
		InfoHash: [20]byte{1}, PeerID: [20]byte{byte(len(s.members) + 1)}, ListenPort: 6881,
		Geometry: s.geo, Content: m.mem, Announcer: poster{s.board, addr}, Policy: policy,
		Rechoke: s.choke.Interval, SnubAfter: s.choke.Snub, MaxRemotes: 50, NumWant: 50,
		OnEvent: func(e Event) {
			m.events = append(m.events, e)
			if e.Kind == Complete {
				m.doneAt = s.net.Now().Sub(p2ptest.Epoch)
			}
		},
	}
	cfg.Have = piece.NewBitfield(s.geo.NumPieces())
	if seed {
		cfg.Have.SetAll()
	}
	if mod != nil {
		mod(m, &cfg)
	}
	h := s.net.Host(addr)
	h.Uplink = m.uplink
	n := p2p.NewNode(h, p2p.Config{ID: addr, Addr: addr, MaxPeers: 50})
	m.Engine = NewEngine(n, cfg)
	h.Start(n, n.Limits())
	s.members = append(s.members, m)
	m.Start(nil)
	n.Wake() // as a host would: what Start asked for is armed
	return m
}

// finish runs the swarm until every one of ms is complete, at most for limit.
func (s *swarm) finish(limit time.Duration, ms ...*member) {
	s.t.Helper()
	for end := s.net.Now().Add(limit); s.net.Now().Before(end); {
		if !slices.ContainsFunc(ms, func(m *member) bool { return !m.has(Complete) }) {
			for _, m := range ms {
				if !bytes.Equal(m.mem.data, s.full) {
					s.t.Fatalf("%s is complete with wrong bytes", m.addr)
				}
			}
			return
		}
		for range 5 {
			s.net.Run(100 * time.Millisecond)
			s.checkSlots()
		}
		s.check()
	}
	for _, m := range ms {
		st := m.Stats()
		s.t.Logf("%s: %d of %d pieces, %d remotes, missing %d", m.addr, st.PiecesDone, st.PiecesTotal, st.Remotes, st.Missing)
	}
	s.t.Fatalf("not complete after %v", limit)
}

// checkSlots is the cheap half of check.
func (s *swarm) checkSlots() {
	s.t.Helper()
	for _, m := range s.members {
		if n := m.slots(); n > s.choke.Slots+s.choke.Optimistic {
			s.t.Fatalf("%s: %d slots in use", m.addr, n)
		}
	}
}

// check holds every engine against its invariants.
func (s *swarm) check() {
	s.t.Helper()
	for _, m := range s.members {
		if err := m.Check(); err != nil {
			s.t.Fatalf("%s: %v", m.addr, err)
		}
	}
}
