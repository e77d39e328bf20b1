package tcp

import (
	"context"
	"net"
	"slices"

	"starling/p2p"
)

// dial is a connection that is being made, or waits for its turn.
type dial struct {
	id     p2p.ConnID
	addr   string
	cancel context.CancelFunc // nil before its turn
}

// Dial implements p2p.Host.
func (h *Host) Dial(addr string) p2p.ConnID {
	h.lastID++
	d := &dial{id: h.lastID, addr: addr}
	if int(h.live.Load())+len(h.dials) >= h.cfg.MaxConns {
		err := p2p.Violation(p2p.ReasonTooMany, "%d connections", h.cfg.MaxConns)
		h.inbox.force(&event{kind: evRefused, id: d.id, err: err})
	} else {
		h.queued = append(h.queued, d)
	}
	h.dials[d.id] = d
	h.startDials()
	return d.id
}

func (h *Host) startDials() {
	for h.dialers < h.cfg.MaxDials && len(h.queued) > 0 {
		d := h.queued[0]
		h.queued = slices.Delete(h.queued, 0, 1)
		ctx, cancel := context.WithTimeout(h.ctx, h.cfg.DialTimeout)
		d.cancel = cancel
		h.dialers++
		h.tasks.Add(1)
		go h.dial(ctx, d)
	}
}

// dial runs apart from the loop and uses only what never changes.
func (h *Host) dial(ctx context.Context, d *dial) {
	defer h.tasks.Done()
	c, err := h.cfg.Dial(ctx, d.addr)
	if !h.inbox.force(&event{kind: evDialed, id: d.id, conn: c, err: err}) && c != nil {
		c.Close()
	}
}

// dialed applies the result of a dial.
func (h *Host) dialed(ev *event) {
	d := h.dials[ev.id]
	delete(h.dials, ev.id)
	if ev.kind == evDialed {
		h.dialers--
		defer h.startDials()
	}
	switch {
	case d == nil: // closed meanwhile
		if ev.conn != nil {
			ev.conn.Close()
		}
		return
	case ev.conn == nil:
		if ev.kind == evDialed {
			d.cancel()
			ev.err = &p2p.ProtocolError{Reason: p2p.ReasonDialFailed, Err: ev.err}
		}
		h.proto.Closed(d.id, ev.err)
		return
	}
	d.cancel()
	info := p2p.ConnInfo{ID: d.id, Dialed: true, Addr: d.addr}
	c := h.newConn(info, ev.conn, NewReader(ev.conn), h.cfg.DialCodec(d.addr))
	h.serve(c)
	h.proto.Opened(info)
}

// abandonDial forgets a dial that the protocol has closed.
func (h *Host) abandonDial(id p2p.ConnID) {
	d := h.dials[id]
	if d == nil {
		return
	}
	delete(h.dials, id)
	if d.cancel != nil {
		d.cancel()
		return
	}
	h.queued = slices.DeleteFunc(h.queued, func(q *dial) bool { return q == d })
}

// Adopt hands over a connection that somebody made to us, with the message that
// has been read from it, if one has: Opened follows, then Received. It waits for
// room in the inbox. A host that has stopped, or that has MaxConns connections,
// closes it; the error is ErrStopped for the first. c is the host's either way.
func (h *Host) Adopt(c net.Conn, first *FirstMessage) error {
	ev := event{kind: evAdopted, conn: c, first: first}
	if !h.inbox.put(&ev) {
		h.refuse(&ev)
		return ErrStopped
	}
	return nil
}

// adopted makes a connection of one that Adopt has brought.
func (h *Host) adopted(ev *event) {
	if int(h.live.Load()) >= h.cfg.MaxConns {
		h.cfg.Logger.Debug("connection refused", "addr", ev.conn.RemoteAddr(), "conns", h.cfg.MaxConns)
		h.refuse(ev)
		return
	}
	h.lastID++
	info := p2p.ConnInfo{ID: h.lastID, Addr: ev.conn.RemoteAddr().String()}
	if ev.first == nil {
		h.serve(h.newConn(info, ev.conn, NewReader(ev.conn), Native{}))
		h.proto.Opened(info)
		return
	}
	f := ev.first
	c := h.newConn(info, ev.conn, f.in, f.codec)
	c.release = f.release
	h.serve(c)
	h.proto.Opened(info)
	if !c.open {
		f.frame.releaseHead()
		return
	}
	h.deliver(c, &f.frame, nil)
}

func (h *Host) newConn(info p2p.ConnInfo, nc net.Conn, in *Reader, codec Codec) *conn {
	in.timeout = h.cfg.FrameTimeout
	c := &conn{host: h, info: info, net: nc, in: in, codec: codec, open: true}
	c.out.init(h.cfg.ControlBytes, h.cfg.BulkMessages)
	c.w.init(nc, h.cfg.WriteTimeout, h.cfg.Buffers)
	tune(nc)
	return c
}

// serve starts a connection's goroutines.
func (h *Host) serve(c *conn) {
	h.conns[c.info.ID] = c
	h.live.Add(1)
	h.tasks.Add(2)
	c.parts.Store(2)
	go c.readLoop()
	go c.writeLoop()
}
