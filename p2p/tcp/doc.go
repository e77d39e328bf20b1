// Package tcp is the real host of the framework: it drives a p2p.Protocol with
// sockets, the wall clock and goroutines.
//
// # Model
//
// A Host has one loop goroutine, the only one that calls the protocol. What
// happens elsewhere reaches it through one inbox:
//
//	reader ──Received, Closed──▶┐
//	writer ──Drained───────────▶│ inbox ──▶ loop ──▶ Protocol
//	dialer ──dialed────────────▶│            │
//	worker ──Done──────────────▶┘            ├──▶ outbox of a connection ──▶ writer
//	Do, Post, Adopt────────────▶             └──▶ Pool ──▶ workers
//
// Each connection has a reader, which blocks on its socket and on room in the
// inbox (so back pressure reaches the other end through TCP), and a writer,
// which blocks on its outbox and on its socket.
//
// # Why it cannot deadlock
//
// The loop waits for nothing but events: Send and Run append to bounded or
// counted queues and return. Only what others can produce without end (messages,
// adopted connections, calls from outside) waits for room in the inbox; what
// the loop itself asked for (Done, Drained, dial results, Closed) is bounded by
// the asking and is always let in. So a worker never waits for a loop, and one
// pool may serve many hosts.
//
// # Bytes
//
// A message's Body is read from the socket straight into a pooled Buffer, which
// the protocol then owns. On the way out, a Body that is a FileBody goes from
// the page cache to the socket (sendfile where there is one), and one that has
// Bytes is written together with its header in one call. Control messages are
// encoded once, into the outbox, and everything that waits there leaves in one
// write. They overtake bulk messages that wait.
//
// # Descriptors
//
// The last of the process's descriptors (package descriptors) are for files. An
// Acceptor that gets one closes it, and of the connections that have said nothing yet
// the older half: an honest peer speaks at once, and finds room when it comes again.
// If there are none it waits, longer each time. A dial that would need one fails.
//
// # Who calls it
//
// A session makes a Host for each torrent, and one Acceptor, one Pool and one
// BufferPool for the process. The order is NewHost, the protocol on that host,
// Start, and at the end Stop. The methods of p2p.Host are for the protocol, on
// the loop; the others are for anybody else, and must not be called from the
// protocol.
//
// # What it does not do
//
// It knows no message and no peer: who may connect, what a message means, when
// to give up on a silent remote and what to do with a full outbox are the
// protocol's business. The wire's form is a Codec's: the framework's own is Native.
// It encrypts nothing of its own accord: an Acceptor that is given FindKey takes the
// handshake of package mse, and a Config.Dial may make it.
package tcp
