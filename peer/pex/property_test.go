package pex

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// pupil is a remote that believes what it is told, and checks that it is told
// by the rules.
type pupil struct {
	t        *testing.T
	state    *State
	judge    Judge
	self     netip.AddrPort
	believes map[netip.AddrPort]bool
	now      time.Time
	last     time.Time // zero before the first message
}

// ask has the state say what there is to say of the peers that are connected.
func (p *pupil) ask(live []Peer) {
	p.t.Helper()
	m, ok := p.state.Next(p.now, live)
	if !ok {
		if !same(m, Message{}) {
			p.t.Fatalf("not sent, and yet %v", m)
		}
		return
	}
	most := MaxPeers
	if p.last.IsZero() {
		most = MaxFirst
	} else if p.now.Sub(p.last) < Interval {
		p.t.Fatalf("%v after the last", p.now.Sub(p.last))
	}
	p.last = p.now
	if len(m.Added) > most || len(m.Dropped) > MaxPeers || len(m.Added)+len(m.Dropped) == 0 {
		p.t.Fatalf("%d added, %d dropped", len(m.Added), len(m.Dropped))
	}
	sound(p.t, m)
	got, err := Parse(m.Append(nil))
	if err != nil || len(got.Added) != len(m.Added) || len(got.Dropped) != len(m.Dropped) {
		p.t.Fatalf("%v came as %v, %v", m, got, err)
	}
	if err := p.judge.Accept(p.now, got); err != nil {
		p.t.Fatalf("our own judge: %v", err)
	}
	p.learn(got, live)
}

func (p *pupil) learn(m Message, live []Peer) {
	p.t.Helper()
	for _, peer := range m.Added {
		if p.believes[peer.Addr] || peer.Addr == p.self || !slices.Contains(live, peer) {
			p.t.Fatalf("added %v", peer)
		}
		p.believes[peer.Addr] = true
	}
	for _, a := range m.Dropped {
		if !p.believes[a] {
			p.t.Fatalf("dropped %v, which it was not told", a)
		}
		delete(p.believes, a)
	}
	if len(p.believes) != p.state.Told() {
		p.t.Fatalf("it believes %d, told %d", len(p.believes), p.state.Told())
	}
}

// right checks that all it believes is true, and nothing missing.
func (p *pupil) right(live []Peer) {
	p.t.Helper()
	want := 0
	for _, peer := range live {
		if peer.Addr == p.self {
			continue
		}
		want++
		if !p.believes[peer.Addr] {
			p.t.Fatalf("it does not know of %v", peer)
		}
	}
	if want != len(p.believes) {
		p.t.Fatalf("it believes %d, connected are %d", len(p.believes), want)
	}
}

// TestStateProperty plays random churn to a remote. Each message keeps the rules,
// and when the churn ends the remote comes to know the truth.
func TestStateProperty(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) { churn(t, rand.New(rand.NewPCG(seed, 11))) })
	}
}

func churn(t *testing.T, rng *rand.Rand) {
	pool := mixed(rng)
	self := pool[rng.IntN(len(pool))].Addr
	p := &pupil{t: t, state: NewState(self), self: self, believes: map[netip.AddrPort]bool{}, now: start}
	var live []Peer
	for range 150 {
		live = live[:0]
		share := rng.Float64()
		for _, peer := range pool {
			if rng.Float64() < share {
				live = append(live, peer)
			}
		}
		for range 1 + rng.IntN(8) {
			p.now = p.now.Add(time.Duration(rng.Int64N(int64(Interval))))
			p.ask(live)
		}
	}
	for range 20 {
		p.now = p.now.Add(Interval)
		p.ask(live)
	}
	p.right(live)
}

// mixed returns up to 300 peers of both families with random flags.
func mixed(rng *rand.Rand) []Peer {
	pool := peers(1 + rng.IntN(300))
	for i := range pool {
		if i%5 == 0 {
			b := pool[i].Addr.Addr().As16()
			b[0], b[10], b[11] = 0x20, 0, 0
			pool[i].Addr = netip.AddrPortFrom(netip.AddrFrom16(b), 6881)
		}
		pool[i].Flags = Flags(rng.IntN(32))
	}
	return pool
}
