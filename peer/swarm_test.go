package peer

import (
	"bytes"
	"context"
	"crypto/sha1"
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

// memory is a Content in memory.
type memory struct {
	geo      piece.Geometry
	hashes   [][20]byte
	data     []byte
	fail     error // what every Put answers
	finished bool
	corrupts float64 // how often Section sends wrong bytes
	rng      *rand.Rand
}

func newMemory(geo piece.Geometry, full []byte, seed bool) *memory {
	m := &memory{geo: geo, data: make([]byte, len(full)), rng: rand.New(rand.NewPCG(1, 2))}
	for i := range geo.NumPieces() {
		off := int64(i) * geo.PieceLength
		m.hashes = append(m.hashes, sha1.Sum(full[off:off+int64(geo.PieceSize(i))]))
	}
	if seed {
		copy(m.data, full)
	}
	return m
}

func (m *memory) at(i, begin, n int) []byte {
	off := i*int(m.geo.PieceLength) + begin
	return m.data[off : off+n]
}

func (m *memory) Section(r piece.Run) p2p.Payload {
	b := slices.Clone(m.at(r.Piece, r.Begin, r.Length))
	if m.rng.Float64() < m.corrupts {
		b[m.rng.IntN(len(b))] ^= 1
	}
	return p2ptest.NewBody(b)
}

func (m *memory) PutPiece(i int, data p2p.Payload) (bool, error) {
	if m.fail != nil {
		return false, m.fail
	}
	b := data.(*p2ptest.Body).Bytes()
	if sha1.Sum(b) != m.hashes[i] {
		return false, nil
	}
	copy(m.at(i, 0, len(b)), b)
	return true, nil
}

func (m *memory) PutRun(r piece.Run, data p2p.Payload) error {
	if m.fail != nil {
		return m.fail
	}
	copy(m.at(r.Piece, r.Begin, r.Length), data.(*p2ptest.Body).Bytes())
	return nil
}

func (m *memory) VerifyPiece(i int) (bool, error) {
	return sha1.Sum(m.at(i, 0, m.geo.PieceSize(i))) == m.hashes[i], nil
}

func (m *memory) BlockSums(i int) ([]uint64, error) {
	var sums []uint64
	for begin := 0; begin < m.geo.PieceSize(i); begin += piece.BlockSize {
		h := sha1.Sum(m.at(i, begin, min(piece.BlockSize, m.geo.PieceSize(i)-begin)))
		sums = append(sums, uint64(h[0])<<56|uint64(h[1])<<48|uint64(h[2])<<40|uint64(h[3]))
	}
	return sums, nil
}

func (m *memory) Sync(context.Context) error   { return m.fail }
func (m *memory) Finish(context.Context) error { m.finished = true; return m.fail }

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
	rng := rand.New(rand.NewPCG(seed, 7))
	for i := range s.full {
		s.full[i] = byte(rng.Uint32())
	}
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
		s.net.Run(100 * time.Millisecond)
		s.check()
	}
	for _, m := range ms {
		st := m.Stats()
		s.t.Logf("%s: %d of %d pieces, %d remotes, missing %d", m.addr, st.PiecesDone, st.PiecesTotal, st.Remotes, st.Missing)
	}
	s.t.Fatalf("not complete after %v", limit)
}

// check holds every engine against its invariants.
func (s *swarm) check() {
	s.t.Helper()
	for _, m := range s.members {
		if err := m.invariant(); err != nil {
			s.t.Fatalf("%s: %v", m.addr, err)
		}
	}
}

// invariant recomputes what the engine keeps incrementally.
func (e *Engine) invariant() error {
	asked, slots := 0, 0
	for _, r := range e.order {
		out := 0
		for _, q := range r.requests {
			if !q.released {
				out += q.run.Length
			}
		}
		asked += out
		if out != r.outstanding {
			return fmt.Errorf("%s: outstanding %d, really %d", r.addr, r.outstanding, out)
		}
		if r.phase != ready {
			continue
		}
		useful, needs := 0, 0
		for i := range e.geo.NumPieces() {
			if r.have.Has(i) && e.pick.WantsPiece(i) {
				useful++
			}
			if !r.have.Has(i) && e.pick.Have().Has(i) {
				needs++
			}
		}
		if useful != r.useful || needs != r.needs {
			return fmt.Errorf("%s: useful %d and needs %d, really %d and %d", r.addr, r.useful, r.needs, useful, needs)
		}
		if (r.useful > 0) != r.amInterested {
			return fmt.Errorf("%s: useful %d, interested %v", r.addr, r.useful, r.amInterested)
		}
		if r.amChoking && len(r.queue) > 0 {
			return fmt.Errorf("%s: choked with %d requests queued", r.addr, len(r.queue))
		}
		if !r.amChoking {
			slots++
		}
	}
	if asked != e.asked {
		return fmt.Errorf("asked %d, really %d", e.asked, asked)
	}
	if e.cfg.Policy != nil && slots > 5 {
		return fmt.Errorf("%d slots in use", slots)
	}
	return e.pick.Invariant()
}

func TestOneSeedOneLeecher(t *testing.T) {
	for _, size := range []int64{1, 16 << 10, 256<<10 - 1, 256 << 10, 256<<10 + 1, 5<<20 + 12345} {
		s := newSwarm(t, 1, size, 256<<10)
		s.join(true, nil)
		l := s.join(false, nil)
		s.finish(time.Minute, l)
		if !l.has(FirstByte) {
			t.Error("no first_byte")
		}
		if got := s.board.heard[l.addr]; !slices.Equal(got, []AnnounceEvent{EventStarted, EventCompleted}) {
			t.Errorf("the tracker heard %q", got)
		}
	}
}

func TestPiecesLargerThanARun(t *testing.T) {
	s := newSwarm(t, 2, 5<<20+777, 1<<20)
	s.join(true, nil)
	a, b := s.join(false, nil), s.join(false, nil)
	s.finish(time.Minute, a, b)
}

func TestLeechersFeedEachOther(t *testing.T) {
	s := newSwarm(t, 3, 16<<20, 256<<10)
	seed := s.join(true, nil)
	var ls []*member
	for range 8 {
		ls = append(ls, s.join(false, nil))
	}
	s.finish(2*time.Minute, ls...)
	if sent := float64(seed.Stats().SentPayload) / float64(len(s.full)); sent > 4 {
		t.Errorf("the seed sent %.2f copies", sent)
	}
}

// TestShapedSwarm: a flash crowd in which every uplink is the same. The bound
// is that of Kurose and Ross, F/us here; what a discrete schedule could reach
// is 1 + floor(log2 12)/256 = 1.012 of it.
func TestShapedSwarm(t *testing.T) {
	const size, uplink, leechers = 16 << 20, 0.625e6, 12
	for _, policy := range []string{choke.TitForTat, choke.Cooperative} {
		s := newSwarm(t, 4, size, 64<<10)
		s.policy = policy
		seed := s.join(true, slow(uplink))
		var ls []*member
		for range leechers {
			ls = append(ls, s.join(false, slow(uplink)))
		}
		s.finish(2*time.Minute, ls...)
		last := time.Duration(0)
		for _, l := range ls {
			last = max(last, l.doneAt)
		}
		ratio := last.Seconds() / (size / uplink)
		copies := float64(seed.Stats().SentPayload) / size
		t.Logf("%s: the last finished at %.3f of the bound; the seed sent %.3f copies", policy, ratio, copies)
		if ratio > 1.15 || copies > 1.15 {
			t.Errorf("%s: the last finished at %.3f of the bound; the seed sent %.3f copies", policy, ratio, copies)
		}
	}
}
