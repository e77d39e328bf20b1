package magnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"starling/p2p"
	"starling/p2p/tcp"
	"starling/peer/bt"
)

// Options is how Fetch reaches the swarm.
type Options struct {
	InfoHash, PeerID [20]byte
	Check            func(info []byte) error
	// Trees, if set, names what else is to be fetched: see Config.Trees.
	Trees func(info []byte) []Tree
	// Enough, if set, says whether a dictionary will do without: see Config.Enough.
	Enough func(info []byte) bool
	// Peers are addresses to try at once.
	Peers []string
	// Announce, if set, asks a tracker for peers. It is called again after
	// AnnounceEvery until the dictionary is there.
	Announce func(ctx context.Context) ([]string, error)
	// AnnounceEvery defaults to 15 s.
	AnnounceEvery time.Duration
	// LocalAddr is the address to dial from, if valid.
	LocalAddr netip.Addr
	// Dial makes a connection, within ctx. Default: TCP from LocalAddr.
	Dial   func(ctx context.Context, addr string) (net.Conn, error)
	Logger *slog.Logger
}

// ErrNoPeers says that nobody was there to ask.
var ErrNoPeers = errors.New("no peer was found to ask for the torrent")

// Found is what Fetch brings: the info dictionary, as bytes that Check accepts, the
// trees that Trees named, complete, or none where it will do, and the addresses of the swarm that are known.
type Found struct {
	Info  []byte
	Trees []Tree
	Peers []string
}

// Fetch runs a Fetcher until it has all. The error is ErrNoPeers, a
// tracker's, or ctx's, with what was reached until then.
func Fetch(ctx context.Context, o Options) (*Found, error) {
	if o.AnnounceEvery <= 0 {
		o.AnnounceEvery = 15 * time.Second
	}
	host := tcp.NewHost(tcp.Config{
		Logger: o.Logger, LocalAddr: o.LocalAddr, Dial: o.Dial, MaxConns: 2 * maxConns,
		DialCodec: func(string) tcp.Codec { return bt.Plain() },
	})
	node := p2p.NewNode(host, p2p.Config{ID: fmt.Sprintf("%x", o.PeerID)})
	found := make(chan *Found, 1)
	f := New(node, Config{
		InfoHash: o.InfoHash, PeerID: o.PeerID, Check: o.Check, Trees: o.Trees, Enough: o.Enough,
		Done: func(info []byte, trees []Tree) { found <- &Found{Info: info, Trees: trees} },
	})
	host.Start(node, node.Limits())
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = host.Stop(stop) // it goes on to stop by itself
	}()
	add := func(addrs []string) { _ = host.Do(func() { f.Add(addrs) }) }
	add(o.Peers)

	announced := make(chan error, 1)
	announce := func() {
		addrs, err := o.Announce(ctx)
		add(addrs)
		announced <- err
	}
	var again <-chan time.Time
	if o.Announce != nil {
		go announce()
	}
	var trackerErr error
	for {
		select {
		case all := <-found:
			_ = host.Do(func() { all.Peers = f.Peers() })
			return all, nil
		case trackerErr = <-announced:
			again = time.After(o.AnnounceEvery)
		case <-again:
			go announce()
		case <-ctx.Done():
			return nil, failed(ctx, host, f, trackerErr)
		}
	}
}

// failed says how far it came.
func failed(ctx context.Context, host *tcp.Host, f *Fetcher, trackerErr error) error {
	known, open, having := 0, 0, 0
	_ = host.Do(func() {
		known = len(f.peers)
		open, having = f.Connected()
	})
	switch {
	case known == 0 && trackerErr != nil:
		return trackerErr
	case known == 0:
		return ErrNoPeers
	}
	return fmt.Errorf("%w: of %d peers %d were connected and %d have the torrent", context.Cause(ctx), known, open, having)
}
