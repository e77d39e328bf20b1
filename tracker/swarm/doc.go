// Package swarm is the tracker's memory: which peers are in which swarm. It is
// a pure state machine. A caller hands it the time, a random source and one
// request, and gets one response; it owns no clock, lock, socket or goroutine,
// so the tracker of a simulated fleet is this same code in virtual time.
//
// # Model
//
// A Store maps an infohash to a swarm; a swarm holds two sets of peers, IPv4
// and IPv6. A set is one dense slice without pointers (the garbage collector
// never looks inside) plus an index by address. The slice is cut in two: first
// the peers that want pieces, then the sated ones (seeds, and the partial seeds
// of BEP 21). A seed is answered from the first part only, anyone else from the
// whole slice, and either way a random subset costs O(numwant). A client that has
// a magnet link and no metadata may call itself a seed, so one that begins with
// nothing left and nothing fetched is told of a few sated peers too.
//
// The peers are of two classes: the prompt ones, known by the beginning of their
// peer id, announce when they are told to; the lax ones keep a minimum of their
// own, and so are listed for longer. Inside a set the peers of each class are also
// linked by the time of their last announce, and a heap orders the swarms by the
// time at which the first of their peers may expire. Expire therefore costs
// O(expired), not O(peers).
//
// # Identity
//
// A peer is an (infohash, address, port). The address is the one its request came
// from, so nobody can list a victim, and the only one who can replace a peer is
// whoever holds its address: a client that restarts on its old port takes its old
// place. The exception is "stopped", which counts only with the peer id that is
// listed, so the late goodbye of a process that was restarted does not remove its
// successor. A host that announces over both families is two peers, one in each
// set; it is never told its own other address (a peer of the same id and port is
// taken for it), and "completed" counts once for both.
//
// # What it does not do
//
// It parses nothing, limits nothing per connection, and keeps no torrent data and
// no labels. Package tracker does that, and shards and locks the stores.
package swarm
