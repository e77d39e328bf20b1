package p2p

import "time"

// Handler handles one message type. m and m.Head are valid during the call;
// m.Body, if any, is the handler's to Release.
type Handler func(c ConnID, m *Message)

// Config makes a Node.
type Config struct {
	// ID is our own name. Empty means Addr.
	ID string
	// Addr is where others reach us, "host:port".
	Addr string
	// MaxPeers bounds the peer table; 0 means no bound.
	MaxPeers int
	// Tap, if set, sees every message sent and received.
	Tap Tap
}

// Tap sees each message that passes a Node. It runs on the protocol's
// goroutine and must not block.
type Tap func(TapRecord)

// TapRecord describes one message. From and To are peer ids where they are
// known and addresses otherwise.
type TapRecord struct {
	Time     time.Time
	From, To string
	Type     Type
	Length   int
}

// Hooks are what a protocol on a Node hears apart from its messages. Any of
// them may be nil.
type Hooks struct {
	Opened  func(c ConnInfo)
	Drained func(c ConnID)
	Closed  func(c ConnID, err error)
	Done    func(j Job)
}

// Node is one peer of some protocol.
type Node struct{ host Host }

// NewNode returns a Node on h. h drives it as its Protocol.
func NewNode(h Host, cfg Config) *Node { return &Node{host: h} }

// Handle registers the handler of a type; one a type, the last one counts.
func (n *Node) Handle(t Type, s Spec, fn Handler) {}

// SetHooks registers the hooks.
func (n *Node) SetHooks(h Hooks) {}

// Limits are the bounds of all registered types, for the host.
func (n *Node) Limits() *Limits { return nil }

// Stabilize calls fn every interval, first after one interval, until the
// returned function is called.
func (n *Node) Stabilize(interval time.Duration, fn func()) (stop func()) { return nil }

// Timer is a single deadline of a protocol.
type Timer struct{}

// NewTimer returns an unset timer that calls fn.
func (n *Node) NewTimer(fn func()) *Timer { return nil }

// Set makes the timer fire at t, replacing any earlier deadline.
func (t *Timer) Set(at time.Time) {}

// Stop clears the deadline.
func (t *Timer) Stop() {}

// Send sends on an open connection.
func (n *Node) Send(c ConnID, m Message) error { return n.host.Send(c, m) }

// Keep makes c a connection that stays open: requests on it are answered
// without closing it.
func (n *Node) Keep(c ConnID) {}

// Close closes a connection.
func (n *Node) Close(c ConnID, reason error) { n.host.Close(c, reason) }
