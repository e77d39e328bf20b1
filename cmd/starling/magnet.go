package main

import (
	"context"
	"crypto/fips140"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"starling/metainfo"
	"starling/metainfo/merkle"
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

// fetchMagnet asks the peers of a swarm for the torrent of which a magnet link has
// the infohash (BEP 9). It returns the addresses that it learned, too.
func (a *app) fetchMagnet(ctx context.Context, m *metainfo.Magnet, how meeting) (*metainfo.Torrent, []string, error) {
	const what = "magnet link"
	if m.V2 == (metainfo.HashV2{}) && fips140.Enforced() {
		return nil, nil, fail(what, errors.New("it has a SHA-1 infohash, which this system forbids; one of v2 has not")).withCode(exitNotFound)
	}
	if how.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, how.timeout, fmt.Errorf("%w after %s", context.DeadlineExceeded, how.timeout))
		defer cancel()
	}
	// A tracker wants to know where we listen. Nobody is served there yet.
	ln, err := net.Listen("tcp", how.listen)
	if err != nil {
		return nil, nil, fail("listen "+how.listen, err)
	}
	defer ln.Close()
	at, err := netip.ParseAddrPort(ln.Addr().String())
	if err != nil {
		return nil, nil, fail("listen "+how.listen, err)
	}
	var from netip.Addr
	if ip := at.Addr().Unmap(); !ip.IsUnspecified() && ip != netip.MustParseAddr("127.0.0.1") && ip != netip.IPv6Loopback() {
		from = ip
	}
	o := magnet.Options{
		InfoHash: m.WireHash(), PeerID: newPeerID(), Peers: append(how.peers, m.Peers...), LocalAddr: from, Logger: a.log,
		Check: func(info []byte) error { return checkInfo(m, info) },
		Dial:  peer.Dialer(how.hide(), from, m.WireHash()),
	}
	var tiers [][]string
	for _, u := range append(how.trackers, m.Trackers...) {
		tiers = append(tiers, []string{u})
	}
	if an := newAnnouncer(tiers, nil, from); an != nil {
		say := func(ctx context.Context, event peer.AnnounceEvent, want int) ([]string, error) {
			r, err := an.Announce(ctx, peer.Announce{
				InfoHash: o.InfoHash, PeerID: o.PeerID, Port: at.Port(), Left: 1, Event: event, NumWant: want,
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
			an.Client.Close()
		}()
	} else if len(o.Peers) == 0 {
		return nil, nil, fail(what, errors.New("it names neither a tracker nor a peer")).withCode(exitUnreached).
			withHint("add --tracker URL or --peer HOST:PORT")
	}
	a.rep.Say("asking the swarm of %x for its torrent", o.InfoHash)
	o.Trees = missingTrees
	found, err := magnet.Fetch(ctx, o)
	if err != nil {
		f := fail(what, err)
		if errors.Is(err, magnet.ErrNoPeers) || errors.Is(err, context.DeadlineExceeded) {
			f = f.withCode(exitUnreached).retryable()
		}
		return nil, nil, f
	}
	t, err := metainfo.ParseInfo(found.Info)
	if err != nil {
		return nil, nil, fail(what, err)
	}
	for i, file := range t.MissingLayers() {
		if err := t.SetPieceLayer(file, found.Trees[i].Layer()); err != nil {
			return nil, nil, fail(what, err)
		}
	}
	for _, u := range m.Trackers {
		t.AnnounceList = append(t.AnnounceList, []string{u})
	}
	return t, found.Peers, nil
}

// missingTrees are the hash trees of which a v2 torrent's info dictionary has no
// more than the root, in the order of MissingLayers.
func missingTrees(info []byte) []magnet.Tree {
	t, err := metainfo.ParseInfo(info)
	if err != nil {
		return nil // it will be said when it is parsed again
	}
	var trees []magnet.Tree
	for _, file := range t.MissingLayers() {
		f := &t.Info.Files[file]
		trees = append(trees, magnet.Tree{Root: f.PiecesRoot, Tree: merkle.NewTree(f.PiecesRoot, f.Length, t.Info.PieceLength)})
	}
	return trees
}

// selected are the files that a magnet link names; nil for all, and for what is no
// magnet link.
func selected(ref string) []metainfo.Range {
	if !isMagnet(ref) {
		return nil
	}
	m, err := metainfo.ParseMagnet(ref)
	if err != nil {
		return nil // resolve says so
	}
	return m.Select
}

// checkInfo says whether bytes have the infohash of a link, of each kind that it
// has.
func checkInfo(m *metainfo.Magnet, info []byte) error {
	if m.V2 != (metainfo.HashV2{}) {
		if metainfo.HashV2(sha256.Sum256(info)) != m.V2 {
			return errors.New("its SHA-256 is not that of the link")
		}
		return nil
	}
	if metainfo.Hash(sha1.Sum(info)) != m.InfoHash {
		return errors.New("its SHA-1 is not that of the link")
	}
	return nil
}
