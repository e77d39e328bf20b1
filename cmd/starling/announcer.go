package main

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/internal/announcer"
	"starling/tracker"
)

// floor is the shortest announce interval that a tracker may ask us for: a
// second lets a young swarm on our own tracker find itself.
const floor = time.Second

// newAnnouncer returns an announcer, nil if there is no tracker. It announces
// from the address from, if that is valid.
func newAnnouncer(tiers [][]string, extra []tracker.Param, from netip.Addr) *announcer.Announcer {
	if len(tiers) == 0 {
		return nil
	}
	return &announcer.Announcer{
		Client: tracker.NewClient(tracker.ClientConfig{
			Tiers: tiers,
			Rng:   rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
			Floor: floor, LocalAddr: from, UserAgent: "starling/" + build().Version,
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
