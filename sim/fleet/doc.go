// Package fleet runs a fleet of peers in virtual time: the engines of package
// peer, the tracker's store and the announce client of package tracker, on hosts
// of package sim, with faults, and with checks of what must never be.
//
// # The model
//
// A [Spec] says everything: the content, the hosts and their links, who arrives
// when, what goes wrong at which time, and the seed of all chance. [Run] is a
// function of it: the same Spec gives the same [Result], to the last event
// ([Result].TraceHash).
//
//	Spec ─▶ members: sim.Host, p2p.Node, peer.Engine, content ─▶ Result
//	              ▲ faults at their times        ▲ every message: checker
//
// A host's disk is a content: which pieces are verified and which of them are
// durable, without their bytes. A payload is a length and whether it is right. A
// process that is killed loses what was not synced; one that returns begins with
// what was. The engine, the Node, the policies, the picker and the announce
// client do not know that they are simulated.
//
// # What is checked
//
// At every message: nobody is served while choked (choked); each request has
// exactly one answer (answer); no peer says that it has what it has not (have);
// no address is dialed that nobody told of, or more than three times a minute
// (I5). At every probe: each engine's books against a recount (books, I4), and
// what it counts against what came (conserve). At the end: what was published is
// whole (I1), who could complete did (I3), every payload was released (I4). At
// every ban: whether it was deserved (I6). The invariants are those of
// docs/limits.md. A violation is a fault of ours; the seed replays it.
//
// # What it does not do
//
// It reads no scripts (sim/scenario does) and draws nothing (sim/report).
// Damage by a disk that lies about fsync, the formats of resume files and real
// sockets are the business of other tests.
package fleet
