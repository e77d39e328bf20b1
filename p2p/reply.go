package p2p

import (
	"errors"
	"time"
)

const (
	// maxDeferred and maxDeferredConn bound the requests that wait for
	// their answer, in all and from one connection; Defer refuses the next.
	maxDeferred     = 4096
	maxDeferredConn = 64
	// deferTimeout is how long one may wait; then it is finished as it is.
	deferTimeout = 30 * time.Second
)

// Call is a request whose answer comes after its handler has returned. It is a
// value; the zero Call is no request.
type Call struct{ n uint64 }

// deferred is what a Call stands for.
type deferred struct {
	conn   *conn
	id     uint32
	tagged bool
	timer  *Timer
}

// Reply sends one reply to the message that a handler on c is handling, in the
// form in which it was asked: plain, or in an envelope, which holds 64 KiB. Outside
// of a handler of c it is Send. Errors and ownership are those of Host.Send, and
// a ProtocolError says that m is too large for its envelope.
func (n *Node) Reply(c ConnID, m Message) error {
	if n.cur.tagged && n.cur.conn.id == c {
		return n.sendTagged(c, n.cur.id, envReply, m)
	}
	return n.Send(c, m)
}

// Defer keeps the message that is being handled open after its handler returns:
// a disk, or another peer, has to be asked first. Answer with ReplyTo, then
// Finish; a call that takes longer than 30 seconds is finished as it is. The
// error says that too many wait already; the handler then answers as best it
// can. Once a message is deferred the same Call is returned. It panics outside
// of a handler.
func (n *Node) Defer() (Call, error) {
	k := n.cur.conn
	switch {
	case k == nil:
		panic("p2p: Defer outside of a handler")
	case n.cur.call != Call{}:
		return n.cur.call, nil
	case len(n.deferred) >= maxDeferred, k.deferred >= maxDeferredConn:
		return Call{}, Violation(ReasonTooMany, "deferred requests")
	}
	n.lastCall++
	call := Call{n.lastCall}
	n.cur.call = call
	d := &deferred{conn: k, id: n.cur.id, tagged: n.cur.tagged}
	d.timer = n.NewTimer(func() {
		if n.finishCall(call) {
			n.tellClosed(d.conn.id, errServed)
		}
	})
	d.timer.Set(n.host.Now().Add(deferTimeout))
	n.deferred[call.n] = d
	k.deferred++
	return call, nil
}

// ReplyTo sends one reply to a deferred request. After Finish, or when the
// connection has gone, it is ErrClosed; else errors and ownership are those of
// Reply.
func (n *Node) ReplyTo(call Call, m Message) error {
	d := n.deferred[call.n]
	if d == nil || d.conn.gone {
		release(&m)
		return ErrClosed
	}
	if d.tagged {
		return n.sendTagged(d.conn.id, d.id, envReply, m)
	}
	return n.Send(d.conn.id, m)
}

// Finish says that a deferred request has had its last reply. A one-request
// connection is closed in order; hook Closed does not follow.
func (n *Node) Finish(call Call) { n.finishCall(call) }

// finishCall ends a deferred request and reports whether it closed the
// connection.
func (n *Node) finishCall(call Call) bool {
	d := n.deferred[call.n]
	if d == nil {
		return false
	}
	delete(n.deferred, call.n)
	d.timer.Stop()
	k := d.conn
	k.deferred--
	switch {
	case k.gone:
	case d.tagged:
		n.sendLast(k, d.id)
	case k.role == waiting:
		n.host.Close(k.id, errServed)
		n.forget(k)
		return true
	}
	return false
}

// sendTagged sends m in an envelope. Its Body follows the head as it is. The
// other side would close the connection over one that is too large.
func (n *Node) sendTagged(c ConnID, id uint32, flags byte, m Message) error {
	if size := m.Len(); size > maxUnknown {
		release(&m)
		return Violation(ReasonTooLarge, "%v of %d bytes for an MSID", m.Type, size)
	}
	n.scratch = appendEnvelope(n.scratch[:0], id, flags, m.Type)
	n.scratch = append(n.scratch, m.Head...)
	return n.Send(c, Message{Type: MSID, Head: n.scratch, Body: m.Body})
}

// sendLast ends the replies to a request. A remote that does not read its
// replies, so that the outbox is full, is of no more use: the end of replies is
// not to be lost.
func (n *Node) sendLast(k *conn, id uint32) {
	n.scratch = appendEnvelope(n.scratch[:0], id, envReply|envLast, 0)[:envHeader]
	if err := n.Send(k.id, Message{Type: MSID, Head: n.scratch}); errors.Is(err, ErrOutboxFull) {
		n.endLater(k)
	}
}
