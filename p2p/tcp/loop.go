package tcp

import (
	"time"

	"starling/p2p"
)

// loop is the one goroutine that calls the protocol.
func (h *Host) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []event
	for {
		batch = h.inbox.take(batch[:0])
		if len(batch) == 0 {
			select {
			case <-h.inbox.wake:
				continue
			case <-h.quit:
				h.end(nil)
				return
			case <-h.alarm(timer):
			}
			h.now = time.Now()
			h.wake()
			continue
		}
		for i := range batch {
			if h.stopping.Load() {
				h.end(batch[i:])
				return
			}
			h.now = time.Now()
			h.handle(&batch[i])
			h.wake()
		}
		// What was handled may be large and must not be held until it is
		// overwritten.
		clear(batch)
	}
}

// alarm sets the timer to the protocol's deadline; without one, it returns nil,
// which never fires.
func (h *Host) alarm(timer *time.Timer) <-chan time.Time {
	if h.wakeAt.IsZero() {
		return nil
	}
	timer.Reset(time.Until(h.wakeAt))
	return timer.C
}

// wake calls the protocol if its deadline has passed.
func (h *Host) wake() {
	if h.wakeAt.IsZero() || h.now.Before(h.wakeAt) {
		return
	}
	h.wakeAt = time.Time{}
	h.proto.Wake()
}

// handle applies one event. Events of a connection that the protocol has closed
// are late: what they hold is given back.
func (h *Host) handle(ev *event) {
	switch ev.kind {
	case evReceived:
		if !ev.c.open {
			ev.free()
			return
		}
		h.deliver(ev.c, &ev.frame, ev.body)
	case evDrained:
		ev.c.drained.Store(false)
		if ev.c.open {
			h.proto.Drained(ev.c.info.ID, int(ev.c.bulk.Load()))
		}
	case evClosed:
		if ev.c.open {
			h.forget(ev.c, ev.err)
			h.proto.Closed(ev.c.info.ID, ev.err)
		}
	case evDialed, evRefused:
		h.dialed(ev)
	case evAdopted:
		h.adopted(ev)
	case evDone:
		h.proto.Done(ev.job)
	case evCall:
		ev.call.fn()
		if ev.call.done != nil {
			ev.call.done <- true
		}
	}
}

// deliver hands a message to the protocol. body is the protocol's from then on;
// the head is taken back.
func (h *Host) deliver(c *conn, f *Frame, body *Buffer) {
	h.msg = p2p.Message{Type: f.Type, Head: f.Head()}
	if body != nil {
		h.msg.Body = body
	}
	h.proto.Received(c.info.ID, &h.msg)
	h.msg = p2p.Message{}
	f.releaseHead()
}

// forget removes a connection from what the protocol can name.
func (h *Host) forget(c *conn, reason error) {
	c.open = false
	delete(h.conns, c.info.ID)
	h.cfg.Logger.Debug("connection closed", "conn", c.info.ID, "addr", c.info.Addr, "reason", reason)
}
