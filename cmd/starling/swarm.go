package main

import (
	"context"
	crand "crypto/rand"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/peer"
)

// farewell bounds what a peer does before it leaves: less than grace, so that
// the result is still printed.
const farewell = 3 * time.Second

// swarmPeer is this process's peer: a session, its torrents and its metrics.
type swarmPeer struct {
	a       *app
	session *peer.Session
	id      [20]byte
	admin   *admin      // nil without --metrics-listen
	local   *localPeers // nil without --lsd
	who     *identity
	// mu is for a reload, which may come while members are added; limits are what
	// it has set, nil before the first.
	mu      sync.Mutex
	members []*member
	limits  *config.Wire
	// wake ends a wait of watch early: a member became complete.
	wake chan struct{}
}

// openSwarm starts a session at an address. Without --metrics-listen no metric
// is even registered: a leech is to reach its first announce in milliseconds.
func (a *app) openSwarm(listen string, w *config.Wire) (*swarmPeer, error) {
	cfg := peer.DefaultConfig()
	cfg.Listen, cfg.Policy, cfg.Logger = listen, w.Choke, a.log
	cfg.UpLimit, cfg.DownLimit = int64(w.UpLimit), int64(w.DownLimit)
	cfg.MaxConnsPerTorrent, cfg.Encryption = w.MaxPeers, peer.Encryption(w.Encryption)
	cfg.PeerID = newPeerID()
	s := &swarmPeer{a: a, id: cfg.PeerID, wake: make(chan struct{}, 1)}
	var err error
	if cfg.Tap, err = a.tap(); err != nil {
		return nil, err
	}
	metricsPort := 0
	if a.cfg.MetricsListen != "" {
		reg := newRegistry()
		adm, err := serveAdmin(a.cfg.MetricsListen, reg, a.cfg)
		if err != nil {
			return nil, err
		}
		s.admin, cfg.Metrics = adm, peer.NewMetrics(reg)
		if a.cfg.ByTorrent {
			reg.MustRegister(cfg.Metrics.TorrentMetrics())
		}
		a.metrics = cfg.Metrics
		metricsPort = adm.port()
	}
	labels, err := config.Labels(a.cfg.NodeLabel)
	if err != nil {
		s.close()
		return nil, fail("config", err).withCode(exitUsage)
	}
	s.who = identityOf(metricsPort, a.cfg.NodeName, labels)
	if err := cfg.Validate(); err != nil {
		s.close()
		return nil, fail("config", err).withCode(exitUsage)
	}
	session, err := peer.Listen(cfg)
	if err != nil {
		s.close()
		f := fail("listen "+listen, err)
		var op *net.OpError
		if errors.As(err, &op) && f.code == exitUnreached {
			f.code = exitOther
		}
		return nil, f
	}
	s.session = session
	if w.LSD {
		if s.local, err = a.openLocal(session.Addr()); err != nil {
			s.close()
			return nil, fail("--lsd", err)
		}
	}
	return s, nil
}

// clientCode begins the peer id of every version of ours.
const clientCode = "-SL"

// newPeerID follows the customary form (BEP 20): two letters and a version
// between dashes, then random bytes.
func newPeerID() (id [20]byte) {
	n := copy(id[:], clientCode+"0001-")
	crand.Read(id[n:])
	return id
}

// add joins a torrent's swarm.
func (s *swarmPeer) add(j joining) (*member, error) {
	m := &member{
		a: s.a, wake: s.wake, meta: j.meta, store: j.store, dir: j.dir, name: j.name, began: s.a.now(),
		events: make(chan peer.Event, 256), quit: make(chan struct{}), done: make(chan struct{}), completed: make(chan struct{}),
	}
	if m.name == "" {
		m.name = j.meta.Info.Name
	}
	m.joined, m.keeper = j, newKeeper(s, m)
	t, err := s.join(m, j)
	if err != nil {
		return nil, err
	}
	m.torrent = t
	if s.local != nil {
		if err := s.local.add(t, j.meta.Info.Private); err != nil {
			s.a.log.Warn("not announced in the local network", "torrent", m.name, "error", err)
		}
	}
	m.disk = t.Stats().BytesDone
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = append(s.members, m)
	return m, s.limit(t)
}

// rejoin has a member that has left the swarm come back.
func (s *swarmPeer) rejoin(m *member, j joining) error {
	t, err := s.join(m, j)
	if err != nil {
		return err
	}
	if s.local != nil {
		s.local.replace(t)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.torrent = t
	return s.limit(t)
}

// limit brings a torrent to what a reload has set. mu is held.
func (s *swarmPeer) limit(t *peer.Torrent) error {
	if w := s.limits; w != nil {
		return t.SetLimits(int64(w.UpLimit), int64(w.DownLimit))
	}
	return nil
}

// join makes a member's torrent.
func (s *swarmPeer) join(m *member, j joining) (*peer.Torrent, error) {
	cfg := peer.TorrentConfig{
		Meta: j.meta, Store: j.store, Have: j.have, Wanted: j.wanted, Peers: j.peers, WebSeeds: j.webSeeds,
		SuperSeed: j.superSeed, Scrub: j.scrub, OnEvent: m.onEvent,
	}
	if an := newAnnouncer(j.tiers, s.who, announceFrom(s.session)); an != nil {
		cfg.Announcer = an // a nil *announcer.Announcer would be an Announcer that is not nil
	}
	return s.session.Add(cfg)
}

// ready says where we serve, and from then on what happens.
func (s *swarmPeer) ready(more map[string]string) {
	at := map[string]string{"peer": s.session.Addr().String()}
	for what, addr := range more {
		at[what] = addr
	}
	if s.admin != nil {
		s.admin.ready.Store(true)
		at["metrics"] = s.admin.addr()
	}
	e := report.Event{Addresses: at}
	if len(s.members) == 1 {
		e.Torrent, e.InfoHash = s.members[0].name, s.members[0].meta.WireHash().String()
	}
	s.a.ready(e)
	s.follow()
}

// follow begins to report the members' events.
func (s *swarmPeer) follow() {
	for _, m := range s.members {
		go m.reportEvents()
	}
}

// reloadable lets SIGHUP change the rate limits of the wire of a section.
func (s *swarmPeer) reloadable(section string, wire func(*config.Config) *config.Wire) {
	s.a.reloadable(reloading{
		section: section, live: keysOf(section, "up-limit", "down-limit"), noted: s.a.metrics.Reloaded,
		apply: func(c *config.Config) error { return s.setLimits(wire(c)) },
	})
}

// setLimits changes the rate limits of all members, those to come included.
func (s *swarmPeer) setLimits(w *config.Wire) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = w
	for _, m := range s.members {
		if err := m.torrent.SetLimits(int64(w.UpLimit), int64(w.DownLimit)); err != nil {
			return err
		}
	}
	return nil
}

// watch shows how the members do until ctx ends or check, called at each
// reading of a member, says that it is over.
func (s *swarmPeer) watch(ctx context.Context, check func(m *member, st *peer.Stats) (over bool, err error)) error {
	tick := time.NewTicker(s.a.rep.Interval())
	defer tick.Stop()
	for {
		for _, m := range s.members {
			st := m.torrent.Stats()
			s.a.rep.Status(m.status(&st), false)
			if over, err := check(m, &st); over || err != nil {
				return err
			}
		}
		s.a.service.Alive() // each member's loop has answered
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// leave stops the members and returns their last readings. Not the caller's
// context bounds it, which has ended by now, but what is left of the grace.
func (s *swarmPeer) leave() ([]peer.Stats, error) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	var first error
	last := make([]peer.Stats, len(s.members))
	for i, m := range s.members {
		st, err := m.stop(ctx)
		last[i] = st
		if first == nil {
			first = err
		}
	}
	s.close()
	return last, first
}

// close ends the session and the metrics.
func (s *swarmPeer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.local != nil {
		s.local.close()
	}
	if s.session != nil {
		if err := s.session.Close(ctx); err != nil {
			s.a.log.Debug("close", "err", err)
		}
	}
	if s.admin != nil {
		s.admin.close(ctx)
	}
}

// hostPort puts a host and a listener's port together.
func hostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
