package main

import (
	"context"
	"crypto/fips140"
	"errors"
	"net/netip"
	"time"

	"starling/internal/announcer"
	"starling/metainfo"
	"starling/peer"
	"starling/peer/magnet"
)

// meeting is how the swarm of a magnet link is reached.
type meeting struct {
	trackers, peers []string // besides those of the link
	listen          string   // where we will listen
	encryption      string   // as of the flag; "": accept
	timeout         time.Duration
}

// hide is what to do about encryption.
func (m meeting) hide() peer.Encryption {
	if m.encryption == "" {
		return peer.EncryptionAccept
	}
	return peer.Encryption(m.encryption)
}

// from is the address that connections must come from, for who listens at one; not
// valid if the system may choose.
func from(at netip.AddrPort) netip.Addr {
	ip := at.Addr().Unmap()
	if ip.IsUnspecified() || ip == netip.MustParseAddr("127.0.0.1") || ip == netip.IPv6Loopback() {
		return netip.Addr{}
	}
	return ip
}

// magnetAnnouncer asks the trackers of a link; nil if there is none.
func (a *app) magnetAnnouncer(m *metainfo.Magnet, how meeting, at netip.AddrPort) *announcer.Announcer {
	var tiers [][]string
	for _, list := range [][]string{how.trackers, m.Trackers} {
		for _, u := range list {
			tiers = append(tiers, []string{u})
		}
	}
	return newAnnouncer(tiers, nil, from(at))
}

// magnetFetch asks the swarms of one link.
type magnetFetch struct {
	a         *app
	link      *metainfo.Magnet
	how       meeting
	at        netip.AddrPort
	announcer *announcer.Announcer // nil: none
}

// secondSwarm is how long the first swarm of a hybrid is asked alone. Those who take
// one connection an address would refuse one of two.
const secondSwarm = 3 * time.Second

// fetch asks each swarm that the link names, of which a hybrid has two with other
// peers in each (BEP 52): first that of v2, whose peers have all of the torrent. What
// comes first is taken.
func (f *magnetFetch) fetch(ctx context.Context) (*magnet.Found, error) {
	names := []metainfo.Hash{f.link.WireHash()}
	if short := f.link.V2.Short(); f.link.V2 != (metainfo.HashV2{}) && short != names[0] {
		names = []metainfo.Hash{short, names[0]}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		found *magnet.Found
		err   error
	}
	answers := make(chan answer, len(names))
	for i, h := range names {
		go func() {
			select {
			case <-ctx.Done():
				answers <- answer{err: magnet.ErrNoPeers} // as far as it has asked
				return
			case <-time.After(time.Duration(i) * secondSwarm):
			}
			found, err := f.fetchFrom(ctx, h)
			answers <- answer{found, err}
		}()
	}
	var first answer
	for range names {
		// All are waited for: they say goodbye to the tracker.
		a := <-answers
		switch {
		case first.found != nil:
		case a.found != nil:
			first = a
			cancel()
		case first.err == nil || errors.Is(first.err, magnet.ErrNoPeers):
			first = a
		}
	}
	return first.found, first.err
}

// fetchFrom asks one swarm.
func (f *magnetFetch) fetchFrom(ctx context.Context, infoHash metainfo.Hash) (*magnet.Found, error) {
	ip := from(f.at)
	o := magnet.Options{
		InfoHash: infoHash, PeerID: newPeerID(), LocalAddr: ip, Logger: f.a.log, Trees: missingTrees, Enough: worksAsV1,
		Check: func(info []byte) error { return checkInfo(f.link, info) },
		Dial:  peer.Dialer(f.how.hide(), ip, infoHash),
	}
	o.Peers = append(append(o.Peers, f.how.peers...), f.link.Peers...)
	if f.announcer == nil {
		return magnet.Fetch(ctx, o)
	}
	say := func(ctx context.Context, event peer.AnnounceEvent, want int) ([]string, error) {
		r, err := f.announcer.Announce(ctx, peer.Announce{
			InfoHash: infoHash, PeerID: o.PeerID, Port: f.at.Port(), Left: 1, Event: event, NumWant: want,
		})
		return r.Peers, err
	}
	o.Announce = func(ctx context.Context) ([]string, error) {
		return say(ctx, peer.EventStarted, peer.DefaultConfig().NumWant)
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = say(bye, peer.EventStopped, 0) // it forgets us by itself, too
	}()
	return magnet.Fetch(ctx, o)
}

// worksAsV1 says whether an info dictionary is that of a hybrid, which can be fetched
// by its SHA-1s, and they may be used.
func worksAsV1(info []byte) bool {
	t, err := metainfo.ParseInfo(info)
	return err == nil && t.Info.HasV1() && !fips140.Enforced()
}
