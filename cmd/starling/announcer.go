package main

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/internal/announcer"
	"starling/peer"
	"starling/tracker"
)

// floor is the shortest announce interval that a tracker may ask us for: a
// second lets a young swarm on our own tracker find itself.
const floor = time.Second

// announceFrom is where a session's announces must come from: see newAnnouncer.
func announceFrom(s *peer.Session) netip.Addr {
	if at := s.Addr().Addr(); at == netip.IPv6Unspecified() {
		return at
	}
	return s.LocalAddr()
}

// identity is what trackers are told of this host: extra with each announce, self
// only if they ask how it does.
type identity struct{ extra, self []tracker.Param }

// newAnnouncer returns an announcer, nil if there is no tracker. Without who it tells
// trackers nothing of this host, nor how it does. It announces
// from the address from: over both families if that is the unspecified one of
// IPv6, and where the system likes if it is not valid.
func newAnnouncer(tiers [][]string, who *identity, from netip.Addr) *announcer.Announcer {
	if len(tiers) == 0 {
		return nil
	}
	both := from == netip.IPv6Unspecified()
	if both {
		from = netip.Addr{}
	}
	a := &announcer.Announcer{
		Client: tracker.NewClient(tracker.ClientConfig{
			Tiers: tiers,
			Rng:   rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
			Floor: floor, LocalAddr: from, BothFamilies: both, UserAgent: "starling/" + build().Version,
		}),
		Key: rand.Uint32(),
	}
	if who != nil {
		a.Extra, a.Self, a.Reports = who.extra, who.self, true
	}
	return a
}

// identityOf says what this host is called: to all trackers, for their service
// discovery, if it has metrics to be found; else to those that ask how it does.
func identityOf(metricsPort int, name string, labels []config.Label) *identity {
	if name == "" {
		name = hostname()
	}
	var self []tracker.Param
	if name != "" {
		self = append(self, tracker.Param{Name: "x_node", Value: name})
	}
	for _, l := range labels {
		self = append(self, tracker.Param{Name: "x_label_" + l.Key, Value: l.Value})
	}
	if metricsPort == 0 {
		return &identity{self: self}
	}
	return &identity{extra: append([]tracker.Param{{Name: "x_metrics_port", Value: itoa(metricsPort)}}, self...)}
}
