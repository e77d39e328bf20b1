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

// newAnnouncer returns an announcer, nil if there is no tracker. It announces
// from the address from: over both families if that is the unspecified one of
// IPv6, and where the system likes if it is not valid.
func newAnnouncer(tiers [][]string, extra []tracker.Param, from netip.Addr) *announcer.Announcer {
	if len(tiers) == 0 {
		return nil
	}
	both := from == netip.IPv6Unspecified()
	if both {
		from = netip.Addr{}
	}
	return &announcer.Announcer{
		Client: tracker.NewClient(tracker.ClientConfig{
			Tiers: tiers,
			Rng:   rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
			Floor: floor, LocalAddr: from, BothFamilies: both, UserAgent: "starling/" + build().Version,
		}),
		Key:   rand.Uint32(),
		Extra: extra,
	}
}

// nodeParams tell the tracker's service discovery where our metrics are and what
// this host is called.
func nodeParams(metricsPort int, labels []config.Label) []tracker.Param {
	if metricsPort == 0 {
		return nil
	}
	out := []tracker.Param{{Name: "x_metrics_port", Value: itoa(metricsPort)}}
	if name := hostname(); name != "" {
		out = append(out, tracker.Param{Name: "x_node", Value: name})
	}
	for _, l := range labels {
		out = append(out, tracker.Param{Name: "x_label_" + l.Key, Value: l.Value})
	}
	return out
}
