// Package choke decides whom we upload to.
//
// A remote may request from us only while we have unchoked it. There are
// Config.Slots + Config.Optimistic slots and never more (in the cooperative
// policy, which tries nobody, Config.Slots); who gets them is the swarm's
// incentive, and the difference between idle uplinks and busy ones.
//
// The model is a function over values. The engine describes every remote as a
// [Remote], a plain snapshot, and a [Policy] answers with a [Decision]: the
// whole set that is to be unchoked now. The engine then chokes and unchokes
// the differences and remembers Unchoked and UnchokedAt, so a policy keeps
// next to no state of its own and one can take over from another without
// anybody losing a slot ([Switching]).
//
// There are two questions. Rechoke recomputes everything and is asked each
// Config.Interval. Fill is asked in between, as soon as a remote becomes
// interested, leaves, or is choked for another reason; it gives away slots
// that are free and takes none from a remote that is being served. The
// cooperative policy takes one there from a remote that does not use it, and
// from the richest that is served when somebody far poorer waits.
//
// Three policies:
//
//   - [NewTitForTat], while we lack pieces: the remotes that give us most, and
//     one optimistic unchoke to find better ones (BEP 3).
//   - [NewSeeding], once we have all: turns, so that nobody starves.
//   - [NewCooperative], for a fleet under one owner: the poorest first, with a
//     pinch of chance so that not all serve the same one.
//
// All of them share one rule about interest. A slot goes to a remote that is
// interested in us. One that was unchoked and lost interest keeps its slot
// only while nobody else wants it, which saves a choke and an unchoke each
// time a leecher has briefly seen all that we have.
//
// [Rate] is the estimator whose readings the policies compare.
//
// The package is called by the torrent engine (package peer), from its one
// goroutine. It sends nothing, owns no clock and no random source (both are
// arguments), and does not decide who is snubbed or interested. Equal inputs
// give equal decisions whatever the order of the snapshot.
package choke
