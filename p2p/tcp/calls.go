package tcp

import (
	"errors"
	"math/rand/v2"
	"time"

	"starling/p2p"
)

// Now implements p2p.Host.
func (h *Host) Now() time.Time { return h.now }

// Rand implements p2p.Host.
func (h *Host) Rand() *rand.Rand { return h.rng }

// Send implements p2p.Host. A Body must be a FileBody or a BytesBody; any other
// closes the connection.
func (h *Host) Send(id p2p.ConnID, m p2p.Message) error {
	err := p2p.ErrClosed
	if c := h.conns[id]; c != nil {
		// By way of a field: what an interface's method is given a
		// pointer to would be allocated.
		h.sending = m
		if m.Body != nil {
			c.bulk.Add(1) // before the writer can take it away again
		}
		err = c.out.push(c.codec, &h.sending)
		h.sending = p2p.Message{}
		if err == nil {
			return nil
		}
		if m.Body != nil {
			c.bulk.Add(-1)
		}
	}
	if m.Body != nil {
		m.Body.Release()
	}
	if errors.Is(err, errNotOnWire) {
		return nil
	}
	return err
}

// Close implements p2p.Host: the control messages in the outbox get
// Config.Linger to leave, the bulk messages in it are dropped, and so is what
// still arrives.
func (h *Host) Close(id p2p.ConnID, reason error) {
	if c := h.conns[id]; c != nil {
		h.forget(c, reason)
		c.shut(h.cfg.Linger)
		return
	}
	h.abandonDial(id)
}

// Traffic implements p2p.Host.
func (h *Host) Traffic(id p2p.ConnID) p2p.Traffic {
	c := h.conns[id]
	if c == nil {
		return p2p.Traffic{}
	}
	return p2p.Traffic{In: c.in.read.Load(), Out: c.w.sent.Load()}
}

// WakeAt implements p2p.Host.
func (h *Host) WakeAt(t time.Time) { h.wakeAt = t }

// Run implements p2p.Host.
func (h *Host) Run(j p2p.Job) {
	h.tasks.Add(1)
	h.pool.run(task{ctx: h.ctx, job: j, done: h.jobDone})
}

func (h *Host) jobDone(j p2p.Job) {
	h.inbox.force(&event{kind: evDone, job: j})
	h.tasks.Done()
}
