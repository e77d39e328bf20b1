//go:build linux

package interop

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// pexTime is how long an address may take by PEX: some clients tell only
	// every 60 or 90 s what is new, and connect some seconds later.
	pexTime = 130 * time.Second
	// pexRate is what the seed of these trials sends at most, so that nobody
	// is complete, and leaves it, before its address has gone round.
	pexRate = 100 * kib
	pexSize = 16 * mib
)

// pexSwarm is a torrent whose seed is known to the tracker, and the same torrent
// under a tracker that never answers, for who is to know of peers by PEX alone.
type pexSwarm struct {
	*cellSwarm
	seed     *node
	orphaned string
}

// newPexSwarm starts the seed: a libtorrent that neither tells nor believes PEX.
func newPexSwarm(t *testing.T, flags ...string) *pexSwarm {
	s := newSite(t)
	tr := s.tracker()
	sw := s.swarm(map[string]int{"big.bin": pexSize}, tr, append(flags, "--tracker", tr.url)...)
	orphaned := filepath.Join(s.dir, "orphaned.torrent")
	create(t, sw.content, orphaned, append(flags, "--piece-size", "64KiB", "--tracker", "http://"+tr.ip+":1/announce")...)
	p := &pexSwarm{cellSwarm: sw, orphaned: orphaned}
	p.seed = sw.seed(libtorrent, settings{upLimit: pexRate})
	tr.knows(sw.meta, 1, 0)
	return p
}

// join starts a client that knows the torrent and, if any, some peers.
func (s *pexSwarm) join(p *program, name, torrent string, peers ...*node) *node {
	s.t.Helper()
	n := s.node(p, name, settings{pex: true})
	j := job{torrent: torrent, dir: s.into(n)}
	for _, p := range peers {
		j.peers = append(j.peers, p.ip+":"+strconv.Itoa(peerPort))
	}
	n.give(j)
	return n
}

// serves waits until the seed sends data to a node.
func (s *pexSwarm) serves(to *node) {
	s.t.Helper()
	eventually(s.t, pexTime, "the seed serves "+to.name, func() error {
		if err := to.alive(); err != nil {
			return err
		}
		if p := s.served(to); p == nil {
			return errors.New("they are not connected")
		} else if p.up == 0 {
			return fmt.Errorf("nothing sent: %+v", *p)
		}
		return nil
	})
}

// TestPEXPrivate has starling know a seed of a private torrent (BEP 27), and tell
// nobody of it.
func TestPEXPrivate(t *testing.T) {
	needs(t, libtorrent)
	t.Parallel()
	s := newPexSwarm(t, "--private")
	other := s.join(libtorrent, "other", s.orphaned)
	teller := s.join(ours, "teller", s.torrent, other)
	s.serves(teller)
	s.tracker.stop()
	// That libtorrent is told of a seed within seconds if the torrent is not
	// private is for TestPEX to show.
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if p := s.served(other); p != nil {
			t.Fatalf("the seed is connected with one that only starling could have told of it: %+v", *p)
		}
		time.Sleep(time.Second)
	}
	if st, err := other.state(); err != nil || st.down == 0 {
		t.Errorf("the other got nothing from starling either: %v, %v", st, err)
	}
}

// served is what the seed says of its connection with a node; nil if it has none.
func (s *pexSwarm) served(n *node) *peerState {
	s.t.Helper()
	st, err := s.seed.state()
	if err != nil {
		s.t.Fatal(err)
	}
	for i, p := range st.peers {
		if strings.HasPrefix(p.addr, n.ip+":") {
			return &st.peers[i]
		}
	}
	return nil
}

// TestPEX has a tracker die after two have met, a seed and a client. A third,
// which has never seen the tracker, gets the seed's address from the second.
func TestPEX(t *testing.T) {
	t.Parallel()
	for _, p := range clients {
		able := func(a abilities) bool { return a.pex }
		t.Run("from "+p.name, func(t *testing.T) {
			needs(t, libtorrent)
			cell(t, p, able, func() {
				s := newPexSwarm(t)
				teller := s.join(p, "teller", s.torrent)
				s.serves(teller)
				s.tracker.stop()
				s.serves(s.join(ours, "told", s.orphaned, teller))
			})
		})
		t.Run("to "+p.name, func(t *testing.T) {
			needs(t, libtorrent)
			cell(t, p, able, func() {
				s := newPexSwarm(t)
				told := s.join(p, "told", s.orphaned)
				teller := s.join(ours, "teller", s.torrent, told)
				s.serves(teller)
				s.tracker.stop()
				s.serves(told)
			})
		})
	}
}
