package fleet

import (
	"encoding/binary"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/peer"
	"starling/peer/wire"
	"starling/piece"
	"starling/sim"
)

// member is a host of the fleet and, while it runs, its process.
type member struct {
	f       *fleet
	spec    *HostSpec
	h       *sim.Host
	node    *p2p.Node
	eng     *peer.Engine // nil for a Node
	content *content
	res     HostResult
	up      bool
	starts  uint32
	// What earlier processes of this host have counted.
	before peer.Stats
	slow   float64 // the factor of its rates
	// delivered is the payload that came since the process began.
	delivered uint64
}

// start brings the process up.
func (m *member) start() {
	if m.up {
		return
	}
	f := m.f
	m.up = true
	m.starts++
	m.delivered = 0
	host := p2p.Host(m.h)
	if m.spec.FreeRides || m.spec.Lies {
		host = &deviant{Host: m.h, m: m}
	}
	cfg := p2p.Config{ID: m.spec.Name, Addr: m.h.Addr(), MaxPeers: f.spec.Peer.MaxRemotes, Tap: f.opts.Tap}
	m.node = p2p.NewNode(host, cfg)
	if m.spec.Role == Node {
		if setup := f.spec.Protocols[m.spec.Protocol]; setup != nil {
			setup(m.node)
		}
		m.h.Start(m.node, m.node.Limits())
		m.node.Wake()
		return
	}
	if m.starts > 1 {
		f.checks.restarted(m.h)
		m.content.restart()
	}
	f.counted(m, 1)
	m.eng = peer.NewEngine(m.node, m.config())
	m.h.Start(m.node, m.node.Limits())
	m.eng.Start(nil)
	m.node.Wake() // what Start asked for is armed
}

// config is the engine's, as a session would make it.
func (m *member) config() peer.EngineConfig {
	f := m.f
	name := f.spec.Peer.Policy
	if m.spec.Policy != "" {
		name = m.spec.Policy
	}
	policy, err := choke.New(name, f.spec.Peer.Choke)
	if err != nil {
		panic(err) // Validate has seen to it
	}
	id := [20]byte{'-', 'S', 'T'}
	binary.BigEndian.PutUint32(id[8:], uint32(m.h.Index()))
	binary.BigEndian.PutUint64(id[12:], m.h.Rand().Uint64())
	var tree peer.Hashes
	if f.spec.V2 {
		tree = hashes{m.content}
	}
	return peer.EngineConfig{
		Hashes:   tree,
		InfoHash: f.infoHash, PeerID: id, ListenPort: port, Geometry: f.geo, Have: m.content.verified,
		Content: m.content, Announcer: f.announcer(m), Policy: policy, Strategy: f.spec.Peer.Strategy,
		Rechoke: f.spec.Peer.Choke.Interval, SnubAfter: f.spec.Peer.Choke.Snub,
		MaxRemotes: f.spec.Peer.MaxRemotes, NumWant: f.spec.Peer.NumWant, OnEvent: m.event,
	}
}

// event hears what the engine has to tell a person.
func (m *member) event(e peer.Event) {
	f, now := m.f, m.f.world.Now()
	switch e.Kind {
	case peer.FirstByte:
		if m.res.FirstByte < 0 {
			m.res.FirstByte = now
		}
	case peer.Complete:
		m.completed(now)
	case peer.Banned:
		m.res.Bans++
		f.checkBan(m, e.Detail)
	}
}

func (m *member) completed(now time.Duration) {
	if m.spec.Role == Seed || m.res.Done >= 0 {
		return
	}
	m.res.Done = now
	if m.res.Expected {
		m.f.left--
	}
	if stay := m.f.spec.Peer.SeedFor; stay >= 0 {
		life := m.starts
		m.f.world.At(now+stay, func() {
			if m.up && m.starts == life {
				m.leave()
			}
		})
	}
}

// leave stops the process in order.
func (m *member) leave() {
	if !m.up {
		return
	}
	if m.eng != nil {
		if last, known := m.eng.Stop(); known {
			m.f.goodbye(m, last)
		}
	}
	m.h.Stop()
	m.content.durable = m.content.verified.Clone() // a clean stop syncs
	m.ended()
}

// die ends the process without its doing.
func (m *member) die(power bool) {
	if !m.up {
		return
	}
	if power {
		m.h.PowerOff()
	} else {
		m.h.Kill()
	}
	m.ended()
}

// ended keeps the books of a process that is no more.
func (m *member) ended() {
	m.up = false
	if m.eng == nil {
		return
	}
	m.before = m.stats()
	m.eng = nil
	m.f.counted(m, -1)
}

// stats is what all processes of this host have counted.
func (m *member) stats() peer.Stats {
	s := m.before
	if m.eng == nil {
		return s
	}
	now := m.eng.Counted()
	s.SentPayload += now.SentPayload
	s.ReceivedPayload += now.ReceivedPayload
	s.WastedCorrupt += now.WastedCorrupt
	s.WastedDuplicate += now.WastedDuplicate
	s.WastedUnrequested += now.WastedUnrequested
	s.CorruptPieces += now.CorruptPieces
	return s
}

// deviant is a host that changes what its peer says, for what ours would never
// do.
type deviant struct {
	*sim.Host
	m *member
}

// Send implements p2p.Host.
func (d *deviant) Send(c p2p.ConnID, m p2p.Message) error {
	switch {
	case d.m.spec.FreeRides && m.Type == wire.UNCH:
		return nil
	case d.m.spec.Lies && wire.Declares(m.Type):
		return d.Host.Send(c, p2p.Message{Type: wire.HALL})
	}
	return d.Host.Send(c, m)
}

// honest says whether a host does what our peers do.
func (s *HostSpec) honest() bool { return !s.FreeRides && !s.Lies && s.Corrupts == 0 }

// clone of what a host has, nil for a Node.
func (m *member) have() *piece.Bitfield {
	if m.content == nil {
		return nil
	}
	return m.content.verified
}
