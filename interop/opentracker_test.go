//go:build linux

package interop

import (
	"testing"

	"starling/metainfo"
)

// opentracker is the tracker of that name, over HTTP and UDP.
var opentracker = &program{name: "opentracker", pkg: "opentracker", command: "opentracker"}

// opentracker starts one that serves one torrent: Debian's build knows a
// whitelist only. It is the first node of its site.
func (s *site) opentracker(m *metainfo.Torrent) *trackerNode {
	s.t.Helper()
	p := *opentracker
	p.start = func(n *node) client {
		n.write("whitelist", m.WireHash().String()+"\n")
		n.run("opentracker", "-i", n.ip, "-p", trackerPort, "-P", trackerPort, "-d", n.dir, "-w", "whitelist", "-u", "nobody")
		return nil
	}
	n := s.node(&p, "opentracker", settings{})
	tr := &trackerNode{node: n, url: "http://" + n.ip + ":" + trackerPort + "/announce"}
	n.answers(func() error {
		_, err := tr.scrape(m.WireHash())
		return err
	})
	return tr
}

// TestOpentracker has two of ours, and one of ours and libtorrent, find each
// other by opentracker, over either of its protocols.
func TestOpentracker(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "udp"} {
		for _, leech := range []*program{ours, libtorrent} {
			t.Run(scheme+" "+leech.name, func(t *testing.T) {
				needs(t, opentracker, leech)
				t.Parallel()
				s := newSite(t)
				sw := s.swarm(smallTree, nil, "--tracker", scheme+"://"+s.net+".1:"+trackerPort+"/announce")
				sw.tracker = s.opentracker(sw.meta)
				sw.transfer(ours, leech, settings{})
				sw.tracker.knows(sw.meta, 2, 0)
			})
		}
	}
}

// TestUDPTracker has each client find starling by our tracker over UDP alone.
func TestUDPTracker(t *testing.T) {
	bothWays(t, func(a abilities) bool { return a.udp }, func(t *testing.T, seed, leech *program) {
		s := newSite(t)
		tr := s.tracker()
		sw := s.swarm(smallTree, tr, "--tracker", "udp://"+tr.ip+":"+trackerPort+"/announce")
		sw.transfer(seed, leech, settings{dht: true})
		tr.knows(sw.meta, 2, 0)
	})
}
