package p2p

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// ConnID names a connection on one host. Zero is no connection; an id is never
// used again. Ids rise in the order in which connections were made or dialed.
type ConnID uint64

// ConnInfo says what is known of a connection when it opens.
type ConnInfo struct {
	ID ConnID
	// Dialed is true if this side asked for it with Dial.
	Dialed bool
	// Addr is the other end, "host:port". For a dialed connection it is
	// the address that was given to Dial. An accepted connection's port is
	// the other side's ephemeral one, not where it listens.
	Addr string
}

// Traffic counts the bytes a connection has moved so far, frame headers
// included. A large frame counts while it is under way, so rates made from two
// readings do not jump by a frame.
type Traffic struct{ In, Out uint64 }

// Sending errors. Neither closes the connection.
var (
	ErrOutboxFull = errors.New("outbox full")
	ErrClosed     = errors.New("connection closed")
)

// Host is what a protocol may ask of the world. A host drives one Protocol from
// exactly one goroutine; every method here is for that goroutine only, returns
// at once, and never calls back into the protocol: results come later as
// events. The same protocol runs on a host of sockets and the wall clock
// (p2p/tcp) and on a simulated one.
type Host interface {
	// Now is the time of the event being handled. It never goes back. Only
	// differences mean anything to a protocol.
	Now() time.Time
	// Rand is the protocol's source of randomness: seeded, so that a
	// simulated run can be repeated.
	Rand() *rand.Rand
	// Dial starts a connection to addr ("host:port"). Opened or Closed
	// follows for the returned id.
	Dial(addr string) ConnID
	// Send puts a message in the connection's outbox, or refuses it with
	// ErrOutboxFull or ErrClosed. It takes ownership of m.Body either way;
	// a refused body has been released.
	//
	// The outbox is bounded apart for control (messages without a Body)
	// and for bulk. A protocol that keeps at most a few bulk messages
	// under way and closes a remote whose control outbox is full never
	// drops a state message.
	Send(c ConnID, m Message) error
	// Close ends a connection; what is in its outbox may still go out for
	// a bounded time. Closed does not follow. reason is for the log.
	Close(c ConnID, reason error)
	// Traffic reads a connection's counters; zero for one that is gone.
	Traffic(c ConnID) Traffic
	// WakeAt asks for one Wake at t or soon after. There is one deadline:
	// a new one replaces the old, the zero time clears it.
	WakeAt(t time.Time)
	// Run has a job done elsewhere; Done follows with the same job. Jobs
	// run concurrently and finish in any order.
	Run(j Job)
}

// Protocol is a state machine that a Host drives. Its methods are called from
// one goroutine, never block and never re-enter.
type Protocol interface {
	// Opened says that a connection exists: one that Dial asked for, or
	// one that somebody made to us.
	Opened(c ConnInfo)
	// Received delivers one message; messages of a connection come in
	// order. m and m.Head are valid during the call, m.Body is the
	// protocol's.
	Received(c ConnID, m *Message)
	// Drained says that a bulk message has left for the network. left is
	// how many are still with the host, in the outbox or half sent. Several
	// that leave together may be told once.
	Drained(c ConnID, left int)
	// Closed says that a connection that the protocol did not close is
	// gone, or that a Dial failed. Nothing follows for that id. err is
	// io.EOF where the other side closed in order.
	Closed(c ConnID, err error)
	// Wake says that the deadline given to WakeAt has passed.
	Wake()
	// Done returns a job that has been run.
	Done(j Job)
}

// Class says which of a host's bounded worker pools runs a job.
type Class uint8

const (
	// Disk is for reads, writes and hashing.
	Disk Class = iota
	// Flush is for making data durable: it may wait long for a device, and
	// must not hold up the short jobs.
	Flush
	// Network is for requests to other services, such as an announce.
	Network
	numClasses
)

// NumClasses is the number of job classes.
const NumClasses = int(numClasses)

// Job is work that may block. The protocol makes it, hands it to Host.Run and
// reads its results out of it in Done; between the two it belongs to the
// worker.
type Job interface {
	// Class says which pool runs the job.
	Class() Class
	// Do does the work. It must return soon after ctx ends. A simulated
	// host calls it at once and delivers the job after a modelled cost.
	Do(ctx context.Context)
}
