package fleet

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"starling/peer"
	"starling/tracker/swarm"
)

type tracker struct {
	f         *fleet
	store     *swarm.Store
	down      bool
	announces int
}

func (t *tracker) init(f *fleet) { t.f = f; t.forget() }

func (t *tracker) forget() {
	cfg := swarm.Fleet()
	cfg.Interval, cfg.MinInterval = t.f.spec.Tracker.Interval, t.f.spec.Tracker.MinInterval
	cfg.Young = min(cfg.Young, cfg.Interval)
	cfg.Open = true
	t.store = swarm.New(cfg)
}

type announcer struct {
	f *fleet
	m *member
}

func (f *fleet) announcer(m *member) peer.Announcer { return announcer{f, m} }

func (a announcer) Announce(_ context.Context, in peer.Announce) (peer.Announced, error) {
	f := a.f
	a.m.h.Charge(f.spec.Tracker.RTT)
	if f.tracker.down {
		return peer.Announced{}, errors.New("connection refused")
	}
	f.tracker.announces++
	var r swarm.Response
	q := swarm.Request{InfoHash: in.InfoHash, PeerID: in.PeerID, Addr: netip.MustParseAddrPort(a.m.h.Addr()), Left: in.Left, NumWant: in.NumWant}
	q.Event = swarm.ParseEvent([]byte(in.Event))
	if err := f.tracker.store.Announce(f.rng, f.world.Now(), &q, &r); err != nil {
		return peer.Announced{}, err
	}
	out := peer.Announced{Interval: max(r.Interval, time.Second), MinInterval: max(r.MinInterval, time.Second), Complete: r.Complete, Incomplete: r.Incomplete}
	for p := r.Peers; len(p) >= 6; p = p[6:] {
		out.Peers = append(out.Peers, netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[:4])), uint16(p[4])<<8|uint16(p[5])).String())
	}
	return out, nil
}

func (f *fleet) goodbye(m *member, last peer.Announce) {
	_, _ = announcer{f, m}.Announce(context.Background(), last)
}
