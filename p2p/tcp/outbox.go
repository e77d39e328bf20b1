package tcp

import (
	"errors"
	"sync"

	"starling/p2p"
)

// errNotOnWire says that a connection's codec has no form for a message.
var errNotOnWire = errors.New("no such message on this wire")

// outbox is what waits to leave on one connection. The loop fills it and never
// waits; the writer empties it. Control messages wait as the bytes that they
// will be, so that all of them leave in one write; bulk messages wait behind.
type outbox struct {
	mu      sync.Mutex
	ready   sync.Cond
	control []byte
	bulk    []bulkItem // its spare capacity keeps header buffers
	maxCtl  int
	state   outboxState
}

type outboxState uint8

const (
	boxOpen     outboxState = iota
	boxFlushing             // takes nothing more; the control messages leave
	boxDead                 // takes nothing more; nothing leaves
)

// bulkItem is a message with a Body: header and head as bytes, then the Body.
type bulkItem struct {
	head []byte
	body p2p.Payload
}

func (o *outbox) init(controlBytes, bulkMessages int) {
	o.ready.L = &o.mu
	o.maxCtl = controlBytes
	o.bulk = make([]bulkItem, 0, bulkMessages)
}

// push encodes m and queues it. A refused m keeps its Body.
func (o *outbox) push(codec Codec, m *p2p.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.state != boxOpen {
		return p2p.ErrClosed
	}
	if m.Body == nil {
		if len(o.control)+p2p.HeaderSize+len(m.Head) > o.maxCtl {
			return p2p.ErrOutboxFull
		}
		o.control = codec.AppendHead(o.control, m)
		o.ready.Signal()
		return nil
	}
	n := len(o.bulk)
	if n == cap(o.bulk) {
		return p2p.ErrOutboxFull
	}
	item := &o.bulk[:n+1][n]
	item.head = codec.AppendHead(item.head[:0], m)
	if len(item.head) == 0 {
		return errNotOnWire
	}
	item.body = m.Body
	o.bulk = o.bulk[:n+1]
	o.ready.Signal()
	return nil
}

// pop waits for something to write: control bytes if there are any, else one
// bulk message. It takes back the buffers that the writer is done with. ok is
// false when there is nothing more to write, ever.
func (o *outbox) pop(spare []byte, item *bulkItem) (control []byte, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case o.state == boxDead:
			return nil, false
		case len(o.control) > 0:
			if cap(spare) > keepOutbox {
				spare = nil
			}
			control, o.control = o.control, spare[:0]
			return control, true
		case len(o.bulk) > 0:
			head := item.head
			*item = o.bulk[0]
			n := copy(o.bulk, o.bulk[1:])
			o.bulk[n] = bulkItem{head: head}
			o.bulk = o.bulk[:n]
			return nil, true
		case o.state == boxFlushing:
			return nil, false
		}
		o.ready.Wait()
	}
}

// finish lets the control messages leave and nothing else.
func (o *outbox) finish() { o.end(boxFlushing) }

// kill lets nothing leave.
func (o *outbox) kill() { o.end(boxDead) }

func (o *outbox) end(state outboxState) {
	for _, body := range o.abandon(state) {
		body.Release()
	}
}

// abandon changes the state and returns the bodies that will not leave. They
// are released outside the lock: what a Release does is not ours to know.
func (o *outbox) abandon(state outboxState) []p2p.Payload {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.state = max(o.state, state)
	o.ready.Signal()
	var bodies []p2p.Payload
	for i := range o.bulk {
		bodies = append(bodies, o.bulk[i].body)
		o.bulk[i].body = nil
	}
	o.bulk = o.bulk[:0]
	return bodies
}
