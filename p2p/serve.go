package p2p

// maxUnknown is the largest data, in bytes, of an unknown type and of the message
// in an envelope; a longer frame closes the connection.
const maxUnknown = 64 << 10

// current is the message being handled.
type current struct {
	conn *conn
	// id and tagged are those of its envelope.
	id     uint32
	tagged bool
	// call is set when its answer comes later.
	call Call
}

// received handles one message.
func (n *Node) received(id ConnID, m *Message) {
	k := n.conns[id]
	if k == nil {
		release(m)
		return
	}
	if n.tap != nil {
		n.tap(TapRecord{
			Time: n.host.Now(), Dir: Received, From: k.name, To: n.id,
			Type: m.Type, Length: m.Len(), Digest: Digest(m),
		})
	}
	switch {
	case k.request != nil:
		n.collect(k.request, m)
	case k.role == waiting:
		// One connection, one request: what comes after it is not read.
		release(m)
	case m.Type == MSID:
		release(m)
		n.unwrap(k, m.Head)
	default:
		n.cur = current{conn: k}
		n.dispatch(k, m)
		n.cur = current{}
		switch {
		case k.role != fresh:
		case k.deferred > 0:
			k.role = waiting
			k.stopTimer()
		default:
			n.end(k, errServed)
		}
	}
}

// dispatch hands a message to the handler of its type.
func (n *Node) dispatch(k *conn, m *Message) {
	if h, ok := n.handlers[m.Type]; ok {
		h.fn(k.id, m)
		return
	}
	n.unknown++
	if n.hooks.Unknown != nil {
		n.hooks.Unknown(k.id, m)
	}
	release(m)
}

// unwrap handles the data of an envelope.
func (n *Node) unwrap(k *conn, data []byte) {
	e, err := parseEnvelope(data)
	if err != nil {
		n.end(k, err)
		return
	}
	if e.reply {
		n.collectReply(k, e)
		return
	}
	if h, ok := n.handlers[e.typ]; ok {
		switch {
		case h.spec.Head > 0:
			n.end(k, Violation(ReasonBadMessage, "%v in an MSID", e.typ))
			return
		case len(e.data) > h.spec.Max:
			n.end(k, Violation(ReasonTooLarge, "%v of %d bytes", e.typ, len(e.data)))
			return
		}
	}
	if k.role == fresh {
		k.role = correlated
	}
	if k.role == correlated {
		k.timer.Set(n.host.Now().Add(idleTimeout))
	}
	n.cur = current{conn: k, id: e.id, tagged: true}
	n.inner = Message{Type: e.typ, Head: e.data}
	n.dispatch(k, &n.inner)
	later := n.cur.call != Call{}
	n.cur, n.inner = current{}, Message{}
	if !later && !k.gone {
		n.sendLast(k, e.id)
	}
}

// release gives back a message's body, if it has one.
func release(m *Message) {
	if m.Body != nil {
		m.Body.Release()
		m.Body = nil
	}
}
