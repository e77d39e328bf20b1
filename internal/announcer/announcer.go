package announcer

import (
	"context"

	"starling/peer"
	"starling/tracker"
)

// Announcer is a tracker.Client as a peer.Announcer.
type Announcer struct {
	Client *tracker.Client
	// Key tells a tracker that two addresses are the same peer (BEP 7).
	Key uint32
	// Extra goes out with each announce.
	Extra []tracker.Param
}

// Announce implements peer.Announcer. Its errors are the client's.
func (a *Announcer) Announce(ctx context.Context, in peer.Announce) (peer.Announced, error) {
	r, err := a.Client.Announce(ctx, tracker.Request{
		InfoHash: in.InfoHash, InfoHashV2: in.InfoHashV2, PeerID: in.PeerID, Port: in.Port,
		Uploaded: in.Uploaded, Downloaded: in.Downloaded, Left: in.Left,
		Event: eventOf(in.Event), NumWant: in.NumWant, Key: a.Key, Extra: a.Extra,
	})
	if err != nil {
		return peer.Announced{}, err
	}
	out := peer.Announced{
		Interval: r.Interval, MinInterval: r.MinInterval,
		Complete: r.Complete, Incomplete: r.Incomplete, Warning: r.Warning, ExternalIP: r.ExternalIP, Tracker: r.URL,
	}
	out.Peers, out.PeersV2 = addrsOf(r.Peers), addrsOf(r.PeersV2)
	return out, nil
}

func addrsOf(peers []tracker.Peer) []string {
	var addrs []string
	for _, p := range peers {
		addrs = append(addrs, p.Addr)
	}
	return addrs
}

func eventOf(e peer.AnnounceEvent) tracker.Event {
	switch e {
	case peer.EventStarted:
		return tracker.EventStarted
	case peer.EventCompleted:
		return tracker.EventCompleted
	case peer.EventStopped:
		return tracker.EventStopped
	case peer.EventPaused:
		return tracker.EventPaused
	}
	return tracker.EventNone
}
