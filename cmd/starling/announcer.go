package main

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/peer"
	"starling/tracker"
)

// floor is the shortest announce interval that a tracker may ask us for: a
// second lets a young swarm on our own tracker find itself.
const floor = time.Second

// announcer lets package peer announce through package tracker: the two know
// nothing of each other.
type announcer struct {
	client *tracker.Client
	key    uint32
	extra  []tracker.Param
}

// newAnnouncer returns an announcer, nil if there is no tracker. It announces
// from the address from, if that is valid.
func newAnnouncer(tiers [][]string, extra []tracker.Param, from netip.Addr) *announcer {
	if len(tiers) == 0 {
		return nil
	}
	return &announcer{
		client: tracker.NewClient(tracker.ClientConfig{
			Tiers: tiers,
			Rng:   rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
			Floor: floor, LocalAddr: from, UserAgent: "starling/" + build().Version,
		}),
		key:   rand.Uint32(),
		extra: extra,
	}
}

// Announce implements peer.Announcer.
func (a *announcer) Announce(ctx context.Context, in peer.Announce) (peer.Announced, error) {
	r, err := a.client.Announce(ctx, tracker.Request{
		InfoHash: in.InfoHash, PeerID: in.PeerID, Port: in.Port,
		Uploaded: in.Uploaded, Downloaded: in.Downloaded, Left: in.Left,
		Event: eventOf(in.Event), NumWant: in.NumWant, Key: a.key, Extra: a.extra,
	})
	if err != nil {
		return peer.Announced{}, err
	}
	out := peer.Announced{
		Interval: r.Interval, MinInterval: r.MinInterval,
		Complete: r.Complete, Incomplete: r.Incomplete, Warning: r.Warning,
	}
	for _, p := range r.Peers {
		out.Peers = append(out.Peers, p.Addr)
	}
	return out, nil
}

func eventOf(e peer.AnnounceEvent) tracker.Event {
	switch e {
	case peer.EventStarted:
		return tracker.EventStarted
	case peer.EventCompleted:
		return tracker.EventCompleted
	case peer.EventStopped:
		return tracker.EventStopped
	}
	return tracker.EventNone
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
