package p2p

import (
	"time"
)

// Handler handles one message type. m and m.Head are valid during the call;
// m.Body, if any, is the handler's to Release.
type Handler func(c ConnID, m *Message)

// Config makes a Node.
type Config struct {
	// ID is our own name, one word. Empty means Addr.
	ID string
	// Addr is where others reach us, "host:port".
	Addr string
	// MaxPeers bounds the peer table; 0 means no bound of our own, which
	// leaves the constant MaxPeers.
	MaxPeers int
	// RequestTimeout is how long a request may take from the dial to its
	// last reply; 0 means DefaultRequestTimeout.
	RequestTimeout time.Duration
	// Allow, if set, is asked before an address, "host:port", enters the
	// peer table or is dialed for a request: others told us of it, and
	// they may aim us at a victim.
	Allow func(addr string) bool
	// Tap, if set, sees every message sent and received.
	Tap Tap
}

// Hooks are what a protocol on a Node hears apart from its messages. Any of
// them may be nil. The Node's own dials for requests do not appear in them.
type Hooks struct {
	Opened  func(c ConnInfo)
	Drained func(c ConnID, left int)
	// Closed tells of connections that others ended and of those that the
	// Node ended by its rules, with a ProtocolError; not of those the
	// protocol closed itself.
	Closed func(c ConnID, err error)
	Done   func(j Job)
	// Unknown sees a message of a type that has no handler. m is valid
	// during the call; the Node releases its Body.
	Unknown func(c ConnID, m *Message)
}

// Node is one peer of some protocol: the Protocol that a Host drives, with the
// common parts done. Like every Protocol it belongs to its host's goroutine.
type Node struct {
	host     Host
	id, addr string
	allow    func(addr string) bool
	tap      Tap
	hooks    Hooks

	handlers map[Type]handler
	unknown  uint64

	conns map[ConnID]*conn
	table table
	route func(to string) (nextID, addr string, ok bool)

	timers timers
	// inEvent is true while the host's event is handled: see arm.
	inEvent bool

	// cur is the message that a handler is handling now, conn nil outside
	// of handlers.
	cur      current
	inner    Message // what was inside an envelope, kept here to not allocate
	scratch  []byte  // for building what is sent
	deferred map[uint64]*deferred
	lastCall uint64

	requests requests
	pinging  bool
}

type handler struct {
	spec Spec
	fn   Handler
}

// NewNode returns a Node on h. h drives it as its Protocol. The standard
// messages have their handlers from the start.
func NewNode(h Host, cfg Config) *Node {
	n := &Node{
		host:     h,
		id:       cfg.ID,
		addr:     cfg.Addr,
		allow:    cfg.Allow,
		tap:      cfg.Tap,
		handlers: make(map[Type]handler),
		conns:    make(map[ConnID]*conn),
		deferred: make(map[uint64]*deferred),
		table:    table{max: cfg.MaxPeers, at: make(map[int]Peer)},
		requests: requests{timeout: cfg.RequestTimeout},
	}
	if n.id == "" {
		n.id = n.addr
	}
	if n.table.max <= 0 {
		n.table.max = MaxPeers
	}
	if n.requests.timeout <= 0 {
		n.requests.timeout = DefaultRequestTimeout
	}
	n.requests.later = n.NewTimer(n.settle)
	n.route = n.direct
	n.handleStandard()
	return n
}

// Host is what drives the node.
func (n *Node) Host() Host { return n.host }

// Now is the time of the event being handled.
func (n *Node) Now() time.Time { return n.host.Now() }

// ID is our own name.
func (n *Node) ID() string { return n.id }

// Addr is where others reach us, "host:port".
func (n *Node) Addr() string { return n.addr }

// Unknown counts the messages that had no handler.
func (n *Node) Unknown() uint64 { return n.unknown }

// Handle registers the handler of a type; one a type, the last one counts, and
// a nil fn leaves the type without. The standard types may be handled anew.
// Handle before the host takes its Limits. It panics for MSID, which is the
// Node's own.
func (n *Node) Handle(t Type, s Spec, fn Handler) {
	switch {
	case t == MSID:
		panic("p2p: MSID is not to be handled")
	case fn == nil:
		delete(n.handlers, t)
	default:
		n.handlers[t] = handler{spec: s, fn: fn}
	}
}

// SetHooks registers the hooks.
func (n *Node) SetHooks(h Hooks) { n.hooks = h }

// Limits are the bounds of all registered types, for the host.
func (n *Node) Limits() *Limits {
	l := &Limits{
		Specs:   make(map[Type]Spec, len(n.handlers)+1),
		Unknown: maxUnknown,
	}
	for t, h := range n.handlers {
		l.Specs[t] = h.spec
	}
	l.Specs[MSID] = Spec{Max: maxUnknown + envOverhead}
	return l
}

// Opened is the Host's event.
func (n *Node) Opened(info ConnInfo) {
	n.inEvent = true
	n.opened(info)
	n.leave()
}

// Received is the Host's event.
func (n *Node) Received(id ConnID, m *Message) {
	n.inEvent = true
	n.received(id, m)
	n.leave()
}

// Drained is the Host's event.
func (n *Node) Drained(id ConnID, left int) {
	n.inEvent = true
	if c := n.conns[id]; n.hooks.Drained != nil && (c == nil || c.request == nil) {
		n.hooks.Drained(id, left)
	}
	n.leave()
}

// Closed is the Host's event.
func (n *Node) Closed(id ConnID, err error) {
	n.inEvent = true
	n.closed(id, err)
	n.leave()
}

// Wake is the Host's event. It may come early.
func (n *Node) Wake() {
	n.inEvent = true
	n.fire()
	n.leave()
}

// Done is the Host's event.
func (n *Node) Done(j Job) {
	n.inEvent = true
	if n.hooks.Done != nil {
		n.hooks.Done(j)
	}
	n.leave()
}

// leave ends an event.
func (n *Node) leave() {
	n.inEvent = false
	n.arm()
}

// allowed asks the configured policy about an address.
func (n *Node) allowed(addr string) bool { return n.allow == nil || n.allow(addr) }
