package p2p

import (
	"cmp"
	"errors"
	"slices"
)

// MaxPeers is the most that a peer table holds where Config sets no bound of
// its own: JOIN is open to anybody, and a table that anybody can grow needs an
// end.
const MaxPeers = 16384

// What a peer table answers.
var (
	ErrTableFull = errors.New("peer table full")
	ErrKnown     = errors.New("peer already known")
	ErrSelf      = errors.New("peer is ourselves")
)

// Peer is another node: its name and where it listens.
type Peer struct {
	ID   string // one word of printable ASCII, at most 255 bytes
	Addr string // "host:port"
}

// table holds the peers a node knows: by id, in ascending order, and apart from
// those by position, for protocols such as a ring, whose peers have places.
type table struct {
	max  int
	byID []Peer
	at   map[int]Peer
}

func (t *table) find(id string) (int, bool) {
	return slices.BinarySearchFunc(t.byID, id, func(p Peer, id string) int {
		return cmp.Compare(p.ID, id)
	})
}

// AddPeer adds a peer to the table by id. The answers ErrKnown, ErrSelf and
// ErrTableFull mean that the table is as before; so does a ProtocolError, for
// an id or an address that is malformed or not allowed.
func (n *Node) AddPeer(id, addr string) error {
	addr, err := n.checkPeer(id, addr)
	if err != nil {
		return err
	}
	if id == n.id || addr == n.addr {
		return ErrSelf
	}
	i, known := n.table.find(id)
	switch {
	case known:
		return ErrKnown
	case n.Full():
		return ErrTableFull
	}
	n.table.byID = slices.Insert(n.table.byID, i, Peer{ID: id, Addr: addr})
	return nil
}

// RemovePeer removes a peer by id and reports whether it was there.
func (n *Node) RemovePeer(id string) bool {
	i, known := n.table.find(id)
	if known {
		n.table.byID = slices.Delete(n.table.byID, i, i+1)
	}
	return known
}

// Peer looks a peer's address up by id.
func (n *Node) Peer(id string) (addr string, ok bool) {
	i, known := n.table.find(id)
	if !known {
		return "", false
	}
	return n.table.byID[i].Addr, true
}

// Peers returns a copy of the table, in ascending order of id.
func (n *Node) Peers() []Peer { return slices.Clone(n.table.byID) }

// NumPeers is the number of peers known by id.
func (n *Node) NumPeers() int { return len(n.table.byID) }

// Full reports whether the table takes no more.
func (n *Node) Full() bool { return len(n.table.byID) >= n.table.max }

// AddPeerAt puts a peer at a position, in place of the one there. One peer may
// have several positions, and it may be ourselves: a ring of one is its own
// neighbour. ErrTableFull and a ProtocolError are answers as for AddPeer.
func (n *Node) AddPeerAt(pos int, id, addr string) error {
	addr, err := n.checkPeer(id, addr)
	if err != nil {
		return err
	}
	if _, taken := n.table.at[pos]; !taken && len(n.table.at) >= n.table.max {
		return ErrTableFull
	}
	n.table.at[pos] = Peer{ID: id, Addr: addr}
	return nil
}

// PeerAt returns the peer at a position.
func (n *Node) PeerAt(pos int) (p Peer, ok bool) {
	p, ok = n.table.at[pos]
	return p, ok
}

// RemovePeerAt clears a position and reports whether it was taken.
func (n *Node) RemovePeerAt(pos int) bool {
	_, taken := n.table.at[pos]
	delete(n.table.at, pos)
	return taken
}

// checkPeer is the one gate for an id and an address on their way into the
// table; it returns the address in its canonical form.
func (n *Node) checkPeer(id, addr string) (string, error) {
	if !validID(id) {
		return "", Violation(ReasonBadMessage, "peer id %.64q", id)
	}
	host, port, ok := splitAddr(addr)
	if !ok {
		return "", Violation(ReasonBadMessage, "peer address %.64q", addr)
	}
	addr = joinAddr(host, port)
	if !n.allowed(addr) {
		return "", Violation(ReasonRefused, "peer address %s is not allowed", addr)
	}
	return addr, nil
}
