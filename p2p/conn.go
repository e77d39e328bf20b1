package p2p

import "time"

// How long a connection that nobody keeps may hold its place.
const (
	// firstTimeout is for the first message on an accepted connection.
	firstTimeout = 10 * time.Second
	// idleTimeout is from one envelope to the next.
	idleTimeout = 120 * time.Second
)

var (
	errServed = &ProtocolError{Reason: ReasonServed}
	errFirst  = &ProtocolError{Reason: ReasonTimeout, Detail: "no first message"}
	errIdle   = &ProtocolError{Reason: ReasonIdle}
)

// role is what a connection is for, which says who closes it.
type role uint8

const (
	// fresh is an accepted connection before the end of its first message;
	// the Node closes it then.
	fresh role = iota
	// waiting is one whose only message will be answered later.
	waiting
	// correlated is one on which envelopes came; it ends when idle.
	correlated
	// kept is the protocol's, to close when it likes.
	kept
)

// conn is what the Node knows of a connection.
type conn struct {
	id   ConnID
	role role
	// name is the other end for the tap: its peer id if known, or its
	// address.
	name string
	// gone is set when the connection is closed, for whoever still holds
	// the pointer.
	gone bool
	// timer ends a connection that is fresh or correlated.
	timer *Timer
	// request is what we dialed for, nil if we did not.
	request *request
	// calls are our open requests in envelopes, oldest first.
	calls  []*request
	callID uint32
	// deferred counts the requests of the other side that are yet to be
	// answered.
	deferred int
}

// Dial starts a connection that stays open: hooks Opened or Closed follow for
// the returned id. Requests on it go with Request.
func (n *Node) Dial(addr string) ConnID { return n.host.Dial(addr) }

// Keep makes c a connection that stays open: requests on it are answered
// without closing it. A handler of its first message calls it, or hook Opened.
// A connection made with Dial is kept from the start.
func (n *Node) Keep(c ConnID) {
	if k := n.conns[c]; k != nil {
		k.role = kept
		k.stopTimer()
	}
}

// Identify names the peer at the other end of a connection, for the tap.
func (n *Node) Identify(c ConnID, peer string) {
	if k := n.conns[c]; k != nil {
		k.name = peer
	}
}

// Send sends on an open connection, as Host.Send does. Requests are answered
// with Reply.
func (n *Node) Send(c ConnID, m Message) error {
	if n.tap == nil {
		return n.host.Send(c, m)
	}
	// Read first: Send takes the body.
	typ, length, digest := m.Type, m.Len(), Digest(&m)
	err := n.host.Send(c, m)
	if err == nil {
		to := ""
		if k := n.conns[c]; k != nil {
			to = k.name
		}
		n.tap(TapRecord{
			Time: n.host.Now(), Dir: Sent, From: n.id, To: to, Type: typ, Length: length, Digest: digest,
		})
	}
	return err
}

// Close closes a connection. Requests under way on it fail with reason; hook
// Closed does not follow.
func (n *Node) Close(c ConnID, reason error) {
	n.host.Close(c, reason)
	if k := n.conns[c]; k != nil {
		n.forget(k)
		for _, r := range k.calls {
			n.finishLater(r, closeError(reason))
		}
	}
}

// opened notes a connection.
func (n *Node) opened(info ConnInfo) {
	k := n.conns[info.ID]
	if k != nil && k.request != nil {
		n.sendRequest(k)
		return
	}
	k = &conn{id: info.ID, name: info.Addr}
	n.conns[info.ID] = k
	if info.Dialed {
		k.role = kept
	} else {
		k.timer = n.NewTimer(func() { n.expire(k) })
		k.timer.Set(n.host.Now().Add(firstTimeout))
	}
	if n.hooks.Opened != nil {
		n.hooks.Opened(info)
	}
}

// closed ends a connection that the other side or the host ended.
func (n *Node) closed(id ConnID, err error) {
	k := n.conns[id]
	if k == nil {
		// A failed Dial was never opened.
		n.tellClosed(id, err)
		return
	}
	n.forget(k)
	if k.request != nil {
		n.requestClosed(k.request, err)
		return
	}
	for _, r := range k.calls {
		n.finish(r, closeError(err))
	}
	n.tellClosed(id, err)
}

// end closes a connection by the Node's own rules.
func (n *Node) end(k *conn, err error) {
	if k.gone {
		return
	}
	n.host.Close(k.id, err)
	n.forget(k)
	for _, r := range k.calls {
		n.finish(r, err)
	}
	n.tellClosed(k.id, err)
}

func (n *Node) tellClosed(id ConnID, err error) {
	if n.hooks.Closed != nil {
		n.hooks.Closed(id, err)
	}
}

// forget drops a connection from the books.
func (n *Node) forget(k *conn) {
	k.gone = true
	k.stopTimer()
	delete(n.conns, k.id)
}

// expire ends a connection whose time is up.
func (n *Node) expire(k *conn) {
	if k.role == correlated {
		n.end(k, errIdle)
	} else {
		n.end(k, errFirst)
	}
}

func (k *conn) stopTimer() {
	if k.timer != nil {
		k.timer.Stop()
	}
}
