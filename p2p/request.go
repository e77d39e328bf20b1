package p2p

import (
	"slices"
	"time"
)

// Bounds on our own requests: answers come from strangers. A request that would
// pass one fails, with ReasonTooMany before it is sent and ReasonTooLarge after.
const (
	// DefaultRequestTimeout is from the dial to the last reply.
	DefaultRequestTimeout = 10 * time.Second

	maxRequests     = 1024 // under way, in all
	maxRequestsConn = 64   // and on one connection
	maxReplies      = 4096 // to one request
	maxReplyBytes   = 1 << 20
	maxHeldBytes    = 16 << 20 // in replies to all requests
	// replyOverhead is what a reply costs us beside its data.
	replyOverhead = 64
)

// Replies receives the outcome of a request, exactly once and never inside the
// call that made it: the replies in order, or an error that carries a Reason. No
// replies and no error means that the request was sent and, if replies were
// waited for, that the other side had none. The slice and each Head are the
// callee's to keep. A Body that it wants to keep it takes by setting the field to
// nil; what is left is released when it returns.
type Replies func(replies []Message, err error)

// requests is the book of our own requests.
type requests struct {
	timeout time.Duration
	open    int
	held    int // bytes of replies
	// settled have an outcome to be told outside of the caller's call.
	settled []*request
	ends    []*conn
	later   *Timer
}

// request is one of ours under way.
type request struct {
	conn ConnID
	id   uint32  // in its envelope
	m    Message // until it is sent on a connection of its own
	sent bool    // on a connection of its own
	wait bool
	fn   Replies

	counted bool // in requests.open
	timer   *Timer
	replies []Message
	held    int   // bytes of replies
	over    bool  // fn has been called
	err     error // that a settled one will tell
}

// SetRouter replaces how SendToPeer finds its way: fn gives, for the id a message
// is meant for, the next peer on the way and its address. The first router goes
// directly to the peers of the table.
func (n *Node) SetRouter(fn func(to string) (nextID, addr string, ok bool)) { n.route = fn }

// direct is the first router.
func (n *Node) direct(to string) (nextID, addr string, ok bool) {
	addr, ok = n.Peer(to)
	return to, addr, ok
}

// SendToPeer sends m to the peer that the router names as next on the way to
// id, on a connection for this one request. With wait it gathers the replies
// until the other side closes; without, it is done when m is on its way. fn may
// be nil. m.Head is copied and m.Body taken over.
func (n *Node) SendToPeer(id string, m Message, wait bool, fn Replies) {
	next, addr, ok := n.route(id)
	r := n.newRequest(m, wait, fn)
	if !ok {
		n.finishLater(r, Violation(ReasonUnroutable, "no way to %.64q", id))
		return
	}
	n.connect(r, next, addr)
}

// ConnectAndSend is SendToPeer for an address, "host:port", instead of an id.
func (n *Node) ConnectAndSend(addr string, m Message, wait bool, fn Replies) {
	n.connect(n.newRequest(m, wait, fn), addr, addr)
}

// Request sends m, of at most 64 KiB, in an envelope on a connection that is open
// and stays so, and gathers the replies that come back in envelopes. Requests may
// overlap.
func (n *Node) Request(c ConnID, m Message, fn Replies) {
	r := &request{conn: c, wait: true, fn: fn}
	k := n.conns[c]
	switch {
	case k == nil || k.request != nil:
		release(&m)
		n.finishLater(r, &ProtocolError{Reason: ReasonIO, Err: ErrClosed})
		return
	case len(k.calls) >= maxRequestsConn || !n.admit(r):
		release(&m)
		n.finishLater(r, errTooManyRequests)
		return
	}
	k.callID++
	r.id = k.callID
	if err := n.sendTagged(c, r.id, 0, m); err != nil {
		n.finishLater(r, sendError(err))
		return
	}
	k.calls = append(k.calls, r)
}

var (
	errTooManyRequests = &ProtocolError{Reason: ReasonTooMany, Detail: "requests under way"}
	errRequestTimeout  = &ProtocolError{Reason: ReasonTimeout, Detail: "request"}
	errTooManyReplies  = &ProtocolError{Reason: ReasonTooLarge, Detail: "replies"}
)

func (n *Node) newRequest(m Message, wait bool, fn Replies) *request {
	m.Head = slices.Clone(m.Head)
	return &request{m: m, wait: wait, fn: fn}
}

// admit counts a request in and starts its clock.
func (n *Node) admit(r *request) bool {
	if n.requests.open >= maxRequests {
		return false
	}
	n.requests.open++
	r.counted = true
	r.timer = n.NewTimer(func() { n.expireRequest(r) })
	r.timer.Set(n.host.Now().Add(n.requests.timeout))
	return true
}

// connect dials for a request.
func (n *Node) connect(r *request, name, addr string) {
	switch {
	case !n.allowed(addr):
		n.finishLater(r, Violation(ReasonRefused, "address %.64q is not allowed", addr))
	case !n.admit(r):
		n.finishLater(r, errTooManyRequests)
	default:
		r.conn = n.host.Dial(addr)
		n.conns[r.conn] = &conn{id: r.conn, role: kept, name: name, request: r}
	}
}

// sendRequest sends what k was dialed for.
func (n *Node) sendRequest(k *conn) {
	r := k.request
	m := r.m
	r.m, r.sent = Message{}, true
	err := n.Send(k.id, m)
	switch {
	case err != nil:
		n.dropRequest(r, sendError(err))
	case !r.wait:
		n.dropRequest(r, nil)
	}
}

// dropRequest ends a request that has not been answered in full.
func (n *Node) dropRequest(r *request, err error) {
	k := n.conns[r.conn]
	switch {
	case k == nil:
	case k.request == r:
		reason := err
		if reason == nil {
			reason = errServed
		}
		n.host.Close(k.id, reason)
		n.forget(k)
	default:
		k.calls = slices.DeleteFunc(k.calls, func(q *request) bool { return q == r })
	}
	n.finish(r, err)
}

func (n *Node) expireRequest(r *request) { n.dropRequest(r, errRequestTimeout) }
