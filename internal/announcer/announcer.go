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
	// Reports offers trackers reports of how the torrent does, and sends them to
	// those that ask; Self, what this host is called, goes with each.
	Reports bool
	Self    []tracker.Param
}

// Announce implements peer.Announcer. Its errors are the client's.
func (a *Announcer) Announce(ctx context.Context, in peer.Announce) (peer.Announced, error) {
	req := tracker.Request{
		InfoHash: in.InfoHash, InfoHashV2: in.InfoHashV2, PeerID: in.PeerID, Port: in.Port,
		Uploaded: in.Uploaded, Downloaded: in.Downloaded, Left: in.Left,
		Event: eventOf(in.Event), NumWant: in.NumWant, Key: a.Key, Extra: a.Extra, CanReport: a.Reports,
	}
	if a.Reports && in.Report != nil {
		req.Report = append(paramsOf(in.Report), a.Self...)
	}
	r, err := a.Client.Announce(ctx, req)
	if err != nil {
		return peer.Announced{}, err
	}
	out := peer.Announced{
		Interval: r.Interval, MinInterval: r.MinInterval,
		Complete: r.Complete, Incomplete: r.Incomplete, Warning: r.Warning, ExternalIP: r.ExternalIP, Tracker: r.URL,
		ReportIn: r.ReportIn,
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
