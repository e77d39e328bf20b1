// Package sim is a network in virtual time, on which protocols of package p2p
// run unchanged: a Host of it is what p2p/tcp's Host is on a real network.
//
// # The model
//
// A [World] is one goroutine and a heap of events, ordered by time and, at one
// time, by the order in which they were scheduled. Nothing in it reads a clock,
// and chance comes from generators seeded by the world's seed: the same calls
// give the same events on every machine, and [World.TraceHash] is a number to
// tell by.
//
// A [Host] has an uplink and a downlink; hosts of a rack share its two links on
// the way to all others. A connection sends a frame in quanta of some 5 ms of its
// uplink, and the connections of an uplink take turns, a quantum each, so an
// uplink is shared fairly and is never idle while one of them may send. Every
// further link passes quanta on in the order in which they come, each a
// quantum's time later than the one before it at least. What one connection has
// on its way is bounded by its window, as TCP's is: the path's rate times the
// round trip, and 50 ms of queue. So a receiver that is slow slows its senders,
// who have more for others.
//
//	Send ─▶ outbox ─▶ uplink (turns) ─▶ latency ─▶ rack links ─▶ downlink ─▶ Received
//
// A control message leaves at once unless a frame of its connection is under
// way, in which case it leaves behind that frame, before the next: so it is on
// TCP. Its bytes take the uplink's time, too.
//
// A lost quantum comes a retransmission later, and what is behind it on its
// connection waits. A job is done at once, and Done follows when one of the
// host's workers, two or four a class as on a real host, has had the time that
// the job's code charged with [Host.Charge].
//
// # What it leaves out
//
// TCP's slow start and its sharing of a link by round trip times; headers of
// packets, so rates are those of payload and messages; the processors of hosts;
// the contents of packets in transit, which nothing damages.
//
// # Who uses it
//
// sim/fleet puts a swarm on it. A protocol of one's own needs World, Host and
// p2p.Node only: see the example.
package sim
