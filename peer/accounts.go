package peer

import (
	"fmt"
	"slices"
)

// maxAccounts bounds how many peers' totals are kept, connected or not.
const maxAccounts = 4096

// Account is the payload that one peer and we have exchanged, over all its
// connections, in bytes.
type Account struct {
	PeerID         [20]byte
	Received, Sent uint64
}

// account is an Account in the books.
type account struct {
	peerID         [20]byte
	received, sent uint64
	conns          int // that are open now
}

// accounts are the books on all peers of a torrent, in the order in which they
// first came. When they are full the oldest account without a connection goes.
type accounts struct {
	list []*account
	by   map[[20]byte]*account
}

// open returns the account of a peer that has connected. Where all accounts
// have connections, which MaxRemotes prevents, it is one that is not kept.
func (as *accounts) open(id [20]byte) *account {
	a := as.by[id]
	if a == nil {
		a = &account{peerID: id}
		as.keep(a)
	}
	a.conns++
	return a
}

func (as *accounts) keep(a *account) {
	if as.by == nil {
		as.by = map[[20]byte]*account{}
	}
	if len(as.list) >= maxAccounts {
		i := slices.IndexFunc(as.list, func(o *account) bool { return o.conns == 0 })
		if i < 0 {
			return
		}
		delete(as.by, as.list[i].peerID)
		as.list = slices.Delete(as.list, i, i+1)
	}
	as.list = append(as.list, a)
	as.by[a.peerID] = a
}

// close notes that a connection of a's has ended; nil is one that never said
// who it was.
func (as *accounts) close(a *account) {
	if a != nil {
		a.conns--
	}
}

// Accounts lists what was exchanged with each peer, those who came first
// first. At most maxAccounts are remembered.
func (e *Engine) Accounts() []Account {
	list := make([]Account, 0, len(e.accounts.list))
	for _, a := range e.accounts.list {
		list = append(list, Account{PeerID: a.peerID, Received: a.received, Sent: a.sent})
	}
	return list
}

// RemoteStats is a reading of one remote: a peer that we are connected to.
type RemoteStats struct {
	Addr   string // "host:port"; where it listens, if it says so
	PeerID [20]byte
	Dialed bool // we connected to it, not it to us
	Seed   bool // it has every piece
	Pieces int  // how many it has

	Received, Sent   uint64  // payload over all its connections, bytes
	DownRate, UpRate float64 // payload, bytes a second, as the choker sees it

	UnchokedByUs, Optimistic, UnchokingUs bool
	InterestedInUs, InterestingToUs       bool
	Snubbed                               bool // it owes us bytes and sends none
}

// Remotes reads every remote whose handshake is over, in the order in which
// they connected.
func (e *Engine) Remotes() []RemoteStats {
	now := e.now()
	var list []RemoteStats
	for _, r := range e.order {
		if r.phase != ready {
			continue
		}
		e.readTraffic(r, now)
		list = append(list, RemoteStats{
			Addr: r.addr, PeerID: r.peerID, Dialed: r.dialed, Seed: r.seed, Pieces: r.have.Count(),
			Received: r.account.received, Sent: r.account.sent,
			DownRate: r.in.rate.Value(now), UpRate: r.out.rate.Value(now),
			UnchokedByUs: !r.amChoking, Optimistic: r.optimistic && !r.amChoking, UnchokingUs: !r.peerChoking,
			InterestedInUs: r.peerInterested, InterestingToUs: r.amInterested, Snubbed: r.snubbed,
		})
	}
	return list
}

// nameOf is a peer's name in the framework: its id in hexadecimal.
func nameOf(id [20]byte) string { return fmt.Sprintf("%x", id) }
