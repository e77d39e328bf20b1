package sim

import (
	"io"
	"time"

	"starling/p2p"
)

// end is one host's end of a connection.
type end struct {
	h       *Host
	id      p2p.ConnID
	other   *end  // nil until the dial has arrived
	out     *pipe // to other
	open    bool  // the protocol may send
	gone    bool  // the protocol has closed it, or been told that it is
	traffic p2p.Traffic
	bulk    int // messages with a body that have not left
}

func (h *Host) newEnd() *end {
	h.last++
	e := &end{h: h, id: h.last}
	for uint64(len(h.conns)) <= uint64(e.id) {
		h.conns = append(h.conns, nil)
	}
	h.conns[e.id] = e
	return e
}

// end is the host's end of a connection, nil if it is gone.
func (h *Host) end(c p2p.ConnID) *end {
	if uint64(c) < uint64(len(h.conns)) {
		return h.conns[c]
	}
	return nil
}

// drained tells the protocol that a message with a body has left.
func (e *end) drained() {
	h := e.h
	switch {
	case e.gone:
	case h.frozen:
		h.waiting = append(h.waiting, actorFunc(e.drained))
	default:
		h.w.trace(traceDrained, h, e.id, uint64(e.bulk))
		h.p.Drained(e.id, e.bulk)
	}
}

// Dial implements p2p.Host. The request arrives a latency later, and the answer
// comes back in another.
func (h *Host) Dial(addr string) p2p.ConnID {
	e := h.newEnd()
	if h.w.watch != nil {
		h.w.watch.Dialed(h, addr)
	}
	w := h.w
	far := w.byName[hostPart(addr)]
	switch {
	case far == nil:
		w.At(w.now+dialTimeout, func() { e.fail(ErrTimeout) })
	default:
		w.At(w.now+w.latency(h, far), func() { w.arrive(e, far, addr) })
	}
	return e.id
}

// arrive is a dial's request at the host that it is for.
func (w *World) arrive(e *end, far *Host, addr string) {
	h := e.h
	lost := far.silent || h.silent || w.blocked(h, far) || w.blocked(far, h) || far.frozen
	switch {
	case lost:
		w.At(w.now+dialTimeout-w.latency(h, far), func() { e.fail(ErrTimeout) })
		return
	case !far.running || far.addr != addr:
		w.At(w.now+w.latency(h, far), func() { e.fail(ErrRefused) })
		return
	}
	o := far.newEnd()
	o.other, e.other = e, o
	e.out, o.out = w.newPipe(e, o), w.newPipe(o, e)
	w.At(w.now+w.latency(h, far), func() { e.established(addr) })
	o.open = true
	w.trace(traceOpened, far, o.id, 0)
	far.p.Opened(p2p.ConnInfo{ID: o.id, Addr: h.ephemeral(e.id)})
	if e.gone { // given up while the request was on its way
		e.out.fin(io.EOF)
	}
}

// established tells the dialer.
func (e *end) established(addr string) {
	switch {
	case e.gone:
	case e.h.frozen:
		e.h.waiting = append(e.h.waiting, actorFunc(func() { e.established(addr) }))
	default:
		e.open = true
		e.h.w.trace(traceOpened, e.h, e.id, 1)
		e.h.p.Opened(p2p.ConnInfo{ID: e.id, Dialed: true, Addr: addr})
	}
}

// fail ends an end from outside, and tells its protocol.
func (e *end) fail(err error) {
	switch {
	case e.gone:
	case e.h.frozen:
		e.h.waiting = append(e.h.waiting, actorFunc(func() { e.fail(err) }))
	default:
		e.drop()
		e.h.w.trace(traceClosed, e.h, e.id, 0)
		e.h.p.Closed(e.id, err)
	}
}

// drop forgets an end without a word.
func (e *end) drop() {
	e.gone, e.open = true, false
	e.h.conns[e.id] = nil
	if e.out != nil {
		e.out.discard()
	}
}

// Close implements p2p.Host. The frame that is under way and the control
// messages behind it still leave, unless that takes longer than linger.
func (h *Host) Close(c p2p.ConnID, _ error) {
	e := h.end(c)
	if e == nil {
		return
	}
	e.gone, e.open = true, false
	h.conns[c] = nil
	if e.out != nil {
		e.out.finish()
	}
}

// Send implements p2p.Host.
func (h *Host) Send(c p2p.ConnID, m p2p.Message) error {
	e := h.end(c)
	if e == nil || !e.open {
		release(m.Body)
		return p2p.ErrClosed
	}
	if !e.out.room(&m) {
		release(m.Body)
		return p2p.ErrOutboxFull
	}
	m.Head = h.cut(m.Head)
	if h.w.watch != nil {
		h.w.watch.Sent(h, c, &m)
	}
	e.out.put(m)
	return nil
}

// deliver brings n bytes, and with the last of a frame its message.
func (e *end) deliver(n int, m *p2p.Message) {
	h := e.h
	if e.gone || !h.running {
		if m != nil {
			release(m.Body)
		}
		return
	}
	e.traffic.In += uint64(n)
	if m == nil {
		return
	}
	spec := h.specs.find(m.Type)
	if m.Len() > spec.Max {
		release(m.Body)
		e.drop()
		e.out.fin(io.EOF)
		h.w.trace(traceClosed, h, e.id, 1)
		h.p.Closed(e.id, p2p.Violation(p2p.ReasonTooLarge, "%v of %d bytes", m.Type, m.Len()))
		return
	}
	if needsSplit(m, spec.Head) {
		split(m, spec.Head)
	}
	h.w.trace(traceReceived, h, e.id, uint64(m.Type)<<32^uint64(m.Len()))
	if h.w.watch != nil {
		h.w.watch.Delivered(h, e.id, m)
	}
	h.p.Received(e.id, m)
}

// latency is a path's, one way.
func (w *World) latency(a, b *Host) time.Duration {
	return w.cfg.Latency + a.cfg.Latency + b.cfg.Latency
}

func release(b p2p.Payload) {
	if b != nil {
		b.Release()
	}
}

// Far is the host at the other end of a connection, nil if it is not known.
func (h *Host) Far(c p2p.ConnID) *Host {
	if e := h.end(c); e != nil && e.other != nil {
		return e.other.h
	}
	return nil
}
