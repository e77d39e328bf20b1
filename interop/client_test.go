//go:build linux

package interop

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// client is a running BitTorrent client under its own control protocol.
type client interface {
	// add gives it a torrent, which it starts at once.
	add(job) error
	// state says how far its torrents are.
	state() (state, error)
}

// job is a torrent for a client.
type job struct {
	torrent string   // path of the file; empty with a magnet
	magnet  string   //
	dir     string   // where the torrent's name is, or comes to be
	seed    bool     // the content is there
	peers   []string // to connect to, "ip:port": starling and libtorrent can
}

// state is a client's reading of its one torrent.
type state struct {
	complete bool // it has all that it wants, verified
	down, up int64
	peers    []peerState
	trouble  string // what the client says is wrong
}

// peerState is what a client says of one of its peers. Not all say all.
type peerState struct {
	addr     string // "ip:port"; the port may be that of an outgoing connection
	client   string
	down, up int64
	secret   bool // the connection is encrypted
}

// abilities are what a client can do of what cells try.
type abilities struct {
	v2     bool
	hybrid bool // as v1, if it knows no v2
	pads   bool // knows that pad files are zeros (BEP 47) and needs none on disk
	pex    bool
	web    bool // BEP 19
	secret bool // message stream encryption
	udp    bool // UDP trackers
}

// seeded waits until a client that was given a torrent to seed has checked it.
func (n *node) seeded() {
	n.t.Helper()
	n.completed(patience)
}

// completed waits until the client says that its torrent is complete.
func (n *node) completed(within time.Duration) {
	n.t.Helper()
	eventually(n.t, within, n.name+" is complete", func() error {
		if err := n.alive(); err != nil {
			return err
		}
		s, err := n.state()
		if err != nil {
			return err
		}
		if !s.complete {
			return errors.New(s.String())
		}
		return nil
	})
}

func (s state) String() string {
	out := fmt.Sprintf("down %d, up %d, complete %t, %d peers", s.down, s.up, s.complete, len(s.peers))
	for _, p := range s.peers {
		out += fmt.Sprintf(" [%s %q down %d up %d encrypted %t]", p.addr, p.client, p.down, p.up, p.secret)
	}
	if s.trouble != "" {
		out += ": " + s.trouble
	}
	return out
}

// give hands a torrent to the client.
func (n *node) give(j job) {
	n.t.Helper()
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := n.add(j); err != nil {
		n.t.Fatalf("%s: %v", n.name, err)
	}
}

// answers waits until the client's control port serves what ask wants.
func (n *node) answers(ask func() error) {
	n.t.Helper()
	eventually(n.t, patience, n.name+" takes commands", func() error {
		if err := n.alive(); err != nil {
			return err
		}
		return ask()
	})
}
