// Package p2p is a lightweight framework for peer-to-peer protocols, after Hamid's
// (A lightweight peer-to-peer framework, 2007), whose protocols run unchanged on
// sockets and in simulation.
//
// # The model
//
// A [Node] listens, and speaks in messages: a 4-byte type, a 4-byte length, data.
// A protocol is a set of handlers, one a type; what has no handler is harmless and
// counted. A Node knows other peers: a bounded table by id, and apart from it one
// by position for protocols with a geometry. It sends to a peer by id through a
// router, or to an address; it runs stabilizers at an interval to keep its picture
// of the world true. The standard messages NAME, LIST, JOIN, QUIT, PING, REPL and
// ERRO come with it, and so do [Node.BuildPeers] and [Node.CheckLivePeers], which
// are made of them.
//
// Connections are of two kinds. The paper's carries one request: one side dials
// and sends one message, the other replies and closes. The Node does that for
// every accepted connection that nobody keeps, and for [Node.SendToPeer] and
// [Node.ConnectAndSend]. The other kind stays open: whoever dials with [Node.Dial]
// has one, and a handler makes one of an accepted connection with [Node.Keep].
// Messages on it go both ways, and where an answer has to be told from another
// [Node.Request] puts request and replies in envelopes ([MSID]).
//
// # The seam
//
// A protocol owns no socket, clock, goroutine or source of randomness. It is a
// [Protocol], a state machine, and a [Host] drives it: p2p/tcp with sockets and
// the wall clock, p2p/p2ptest in tests. The contract between the two:
//
//   - One goroutine. The host calls the protocol from one, and the protocol calls
//     the host and its Node from that one only. Nothing here has a lock.
//   - Nobody waits. No method blocks; work that may goes into a [Job].
//   - Nothing re-enters. A call of the protocol to its host or its Node only
//     enqueues: what comes of it, the outcome of a request included, is told in a
//     later event.
//   - Memory. A received message and its Head are the host's and valid during the
//     call; what is needed longer is copied. A Head that is sent is copied by the
//     host. A Body has one owner at a time, who passes it on or releases it: the
//     host gives it away with Received and takes it with Send, refused or not.
//   - Order. Messages of one connection come in order. Closed is the last event of
//     a connection, and does not come for one that the protocol closed.
//   - Time stands still during an event, and never goes back.
//   - Bounds. The host reads no frame that is longer than [Limits] allow. Its
//     outboxes are bounded and say when they are full; every queue of a Node has
//     its bound in a constant beside it.
//
// The same events give the same calls: nothing depends on the order of a map, the
// wall clock or chance other than the host's.
//
// # Using it
//
// Make a Node on a host, Handle its types, SetHooks if connections matter, give
// the host the node and its Limits, and let the host run. The example of this
// package is a whole protocol, the paper's flooded search, in fifty lines.
//
// The package does no I/O, logs nothing (a [Tap] sees all messages), and knows no
// trust: who may join, and which addresses may be dialed, is for Config.Allow and
// for handlers to say.
package p2p
