//go:build linux

package interop

import (
	"path/filepath"
	"testing"
	"time"

	"starling/metainfo"
)

// transferTime is how long a small transfer may take: clients connect to a peer
// that they were told of within seconds, and some unchoke only at the next of
// their turns, every 10 or 15 s.
const transferTime = 60 * time.Second

// cellSwarm is a tracker and one torrent, with its content for a seed.
type cellSwarm struct {
	*site
	tracker *trackerNode
	name    string
	torrent string
	meta    *metainfo.Torrent
	content string
}

// newSwarm makes a torrent of the small tree, tracked by ours.
func newSwarm(t *testing.T, flags ...string) *cellSwarm {
	t.Helper()
	s := newSite(t)
	tr := s.tracker()
	return s.swarm(smallTree, tr, append([]string{"--tracker", tr.url}, flags...)...)
}

// swarm makes a torrent of a tree, with starling create's flags. Its content is
// that of no other site: who searches the local network finds none of theirs.
func (s *site) swarm(tree map[string]int, tr *trackerNode, flags ...string) *cellSwarm {
	s.t.Helper()
	sw := &cellSwarm{site: s, tracker: tr, name: "content", torrent: filepath.Join(s.dir, "content.torrent")}
	sw.content = filepath.Join(s.dir, "origin", sw.name)
	makeTree(s.t, sw.content, tree, uint64(s.n))
	create(s.t, sw.content, sw.torrent, append([]string{"--piece-size", "64KiB"}, flags...)...)
	sw.meta = parseTorrent(s.t, sw.torrent)
	return sw
}

// seed starts a client that has the content.
func (s *cellSwarm) seed(p *program, set settings) *node {
	s.t.Helper()
	if !p.can.pads {
		s.writePads()
	}
	n := s.node(p, "seed-"+p.name, set)
	n.give(job{torrent: s.torrent, dir: filepath.Dir(s.content), seed: true})
	n.seeded()
	return n
}

// writePads puts the pad files of the torrent, if it has any, beside its content.
func (s *cellSwarm) writePads() {
	s.t.Helper()
	in := &s.meta.Info
	for i, f := range in.Files {
		if f.Pad {
			writeFile(s.t, filepath.Join(filepath.Dir(s.content), in.FilePath(i)), make([]byte, f.Length))
		}
	}
}

// leech starts a client that has nothing but the torrent file.
func (s *cellSwarm) leech(p *program, set settings) *node {
	s.t.Helper()
	n := s.node(p, "leech-"+p.name, set)
	n.give(job{torrent: s.torrent, dir: s.into(n)})
	return n
}

// fetch starts a client that has nothing but a magnet link.
func (s *cellSwarm) fetch(p *program, set settings) *node {
	s.t.Helper()
	return s.fetchBy(s.meta.Magnet().String(), p, set)
}

func (s *cellSwarm) fetchBy(link string, p *program, set settings) *node {
	s.t.Helper()
	n := s.node(p, "leech-"+p.name, set)
	n.give(job{magnet: link, dir: s.into(n)})
	return n
}

// v2Link is a magnet link without the v1 infohash.
func (s *cellSwarm) v2Link() string {
	m := s.meta.Magnet()
	m.InfoHash = metainfo.Hash{}
	return m.String()
}

// hashes are the torrent's two swarms.
func (s *cellSwarm) hashes() []metainfo.Hash {
	return []metainfo.Hash{s.meta.InfoHash, s.meta.InfoHashV2.Short()}
}

// into is the directory into which a node fetches.
func (s *cellSwarm) into(n *node) string { return filepath.Join(n.dir, "got") }

// arrived waits until a leecher is complete, and compares what it has.
func (s *cellSwarm) arrived(n *node) {
	s.t.Helper()
	n.completed(transferTime)
	sameTree(s.t, s.content, filepath.Join(s.into(n), s.name))
}
