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

	"starling/metainfo"
	"starling/metainfo/merkle"
	"starling/peer/magnet"
)

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
	f := &magnetFetch{a: a, link: m, how: how, at: at, announcer: a.magnetAnnouncer(m, how, at)}
	if f.announcer != nil {
		defer f.announcer.Client.Close()
	} else if len(how.peers)+len(m.Peers) == 0 {
		return nil, nil, fail(what, errors.New("it names neither a tracker nor a peer")).withCode(exitUnreached).
			withHint("add --tracker URL or --peer HOST:PORT")
	}
	a.rep.Say("asking the swarm of %s for its torrent", m.WireHash())
	found, err := f.fetch(ctx)
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
		if found.Trees == nil {
			a.log.Warn("nobody gives the hashes of v2; those of v1 will do", "torrent", t.Info.Name)
			break
		}
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
