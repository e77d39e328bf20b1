package main

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"starling/internal/lsd"
	"starling/metainfo"
	"starling/peer"
)

// localPeers finds peers by multicast (BEP 14), for all torrents of a session.
type localPeers struct {
	lsd      *lsd.Announcer
	torrents sync.Map // metainfo.Hash -> *peer.Torrent
	stop     context.CancelFunc
	done     chan struct{}
}

// openLocal starts to announce in the networks in which the session can be reached.
func (a *app) openLocal(at netip.AddrPort) (*localPeers, error) {
	l := &localPeers{done: make(chan struct{})}
	var err error
	l.lsd, err = lsd.New(lsd.Config{
		Port: at.Port(), Log: a.log,
		Interfaces: interfacesOf(at.Addr()),
		Found:      l.found,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	go func() {
		defer close(l.done)
		l.lsd.Run(ctx)
	}()
	return l, nil
}

// found has the torrent of an infohash connect to who announced it.
func (l *localPeers) found(hash metainfo.Hash, addr netip.AddrPort) {
	if t, ok := l.torrents.Load(hash); ok {
		_ = t.(*peer.Torrent).AddFound(hash, []string{addr.String()}) // it has stopped: nothing is lost
	}
}

// interfacesOf returns those that have an address; all where it stands for all.
func interfacesOf(ip netip.Addr) func() ([]lsd.Interface, error) {
	if ip.IsUnspecified() {
		return lsd.Interfaces
	}
	return func() ([]lsd.Interface, error) {
		all, err := net.Interfaces()
		if err != nil {
			return nil, err
		}
		for _, i := range all {
			addrs, err := i.Addrs()
			if err != nil {
				continue // it has gone meanwhile
			}
			for _, a := range addrs {
				if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == ip {
					return lsd.Only(i.Name)()
				}
			}
		}
		return nil, nil
	}
}

// add announces a torrent by all its names, unless it is private (BEP 27).
func (l *localPeers) add(t *peer.Torrent, private bool) error {
	if private {
		return nil
	}
	for _, h := range t.InfoHashes() {
		l.torrents.Store(h, t)
		if err := l.lsd.Add(h); err != nil {
			return err
		}
	}
	return nil
}

// replace has a torrent take the place of the one of the same names.
func (l *localPeers) replace(t *peer.Torrent) {
	for _, h := range t.InfoHashes() {
		if _, known := l.torrents.Load(h); known { // else it is private
			l.torrents.Store(h, t)
		}
	}
}

func (l *localPeers) close() {
	l.stop()
	<-l.done
}
