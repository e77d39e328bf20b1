package p2p

import (
	"errors"
	"io"
	"slices"
)

// How requests end: the replies that come, and what goes wrong.

// requestClosed ends a one-request connection: the end of the replies, if the
// other side closed it in order.
func (n *Node) requestClosed(r *request, err error) {
	switch {
	case !r.sent:
		n.finish(r, &ProtocolError{Reason: ReasonDialFailed, Err: err})
	case errors.Is(err, io.EOF):
		n.finish(r, nil)
	default:
		n.finish(r, closeError(err))
	}
}

// collect takes one reply; m.Head is still the host's.
func (n *Node) collect(r *request, m *Message) {
	size := m.Len() + replyOverhead
	if len(r.replies) == maxReplies || r.held+size > maxReplyBytes || n.requests.held+size > maxHeldBytes {
		release(m)
		n.dropRequest(r, errTooManyReplies)
		return
	}
	r.held += size
	n.requests.held += size
	r.replies = append(r.replies, Message{Type: m.Type, Head: slices.Clone(m.Head), Body: m.Body})
}

// collectReply takes a reply in an envelope. One that nobody waits for is late,
// its request given up: it is dropped.
func (n *Node) collectReply(k *conn, e envelope) {
	i := slices.IndexFunc(k.calls, func(r *request) bool { return r.id == e.id })
	if i < 0 {
		return
	}
	r := k.calls[i]
	if e.full {
		n.collect(r, &Message{Type: e.typ, Head: e.data})
	}
	if e.last && !r.over {
		n.dropRequest(r, nil)
	}
}

// finish tells the outcome of a request.
func (n *Node) finish(r *request, err error) {
	if r.over {
		return
	}
	r.over = true
	if r.counted {
		n.requests.open--
		n.requests.held -= r.held
		r.timer.Stop()
	}
	release(&r.m)
	replies := r.replies
	r.replies = nil
	told := replies
	if err != nil {
		told = nil
	}
	if r.fn != nil {
		r.fn(told, err)
	}
	for i := range replies {
		release(&replies[i])
	}
}

// finishLater is finish outside of the call that is going on: a protocol must
// not be called back from inside its own call.
func (n *Node) finishLater(r *request, err error) {
	r.err = err
	n.requests.settled = append(n.requests.settled, r)
	n.requests.later.Set(n.host.Now())
}

// endLater is end outside of the call that is going on.
func (n *Node) endLater(k *conn) {
	n.requests.ends = append(n.requests.ends, k)
	n.requests.later.Set(n.host.Now())
}

// settle does what was put off.
func (n *Node) settle() {
	ends := n.requests.ends
	n.requests.ends = nil
	for _, k := range ends {
		n.end(k, &ProtocolError{Reason: ReasonSlowReader})
	}
	settled := n.requests.settled
	n.requests.settled = nil
	for _, r := range settled {
		n.finish(r, r.err)
	}
}

// sendError gives an error of Host.Send a Reason.
func sendError(err error) error {
	if errors.Is(err, ErrOutboxFull) {
		return &ProtocolError{Reason: ReasonSlowReader, Err: err}
	}
	return closeError(err)
}

// closeError gives the error of a closed connection a Reason.
func closeError(err error) error {
	var p *ProtocolError
	switch {
	case err == nil:
		return &ProtocolError{Reason: ReasonIO, Err: ErrClosed}
	case errors.As(err, &p):
		return err
	case errors.Is(err, io.EOF):
		return &ProtocolError{Reason: ReasonEOF, Err: err}
	}
	return &ProtocolError{Reason: ReasonIO, Err: err}
}
