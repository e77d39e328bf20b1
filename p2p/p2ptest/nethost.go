package p2ptest

import (
	"context"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"starling/p2p"
)

// NetHost is one host of a Net.
type NetHost struct {
	net    *Net
	addr   string
	p      p2p.Protocol
	limits *p2p.Limits
	rand   *rand.Rand
	last   p2p.ConnID
	conns  map[p2p.ConnID]*end
	wake   time.Time
	dead   bool
	// Uplink, if not 0, is how many bytes of bulk messages leave the host in
	// a second. They leave one after the other, in the order of sending, and
	// Drained follows when one has left. Control messages take no time.
	Uplink float64
	free   time.Time // when the uplink will have sent all it was given
}

// end is one host's end of a connection.
type end struct {
	h       *NetHost
	id      p2p.ConnID
	other   *end // nil until the dial has arrived
	open    bool // the protocol has been told
	traffic p2p.Traffic
	bulk    int // messages with a body on their way out
}

// Start gives the host its protocol and what it may read.
func (h *NetHost) Start(p p2p.Protocol, l *p2p.Limits) { h.p, h.limits = p, l }

// Now is the world's time.
func (h *NetHost) Now() time.Time { return h.net.now }

// Rand is seeded by the world's seed and the host's place in it.
func (h *NetHost) Rand() *rand.Rand { return h.rand }

func (h *NetHost) newEnd() *end {
	h.last++
	e := &end{h: h, id: h.last}
	h.conns[e.id] = e
	return e
}

// live reports whether the host still has the connection.
func (e *end) live() bool { return !e.h.dead && e.h.conns[e.id] == e }

// Dial reaches the host at addr one Latency later, and its answer comes back in
// another.
func (h *NetHost) Dial(addr string) p2p.ConnID {
	e := h.newEnd()
	h.net.after(Latency, func() {
		far := h.net.hosts[addr]
		if far == nil || far.p == nil {
			h.net.after(Latency, func() {
				if e.live() {
					delete(h.conns, e.id)
					h.p.Closed(e.id, ErrDial)
				}
			})
			return
		}
		o := far.newEnd()
		o.other, e.other = e, o
		h.net.after(Latency, func() {
			if e.live() {
				e.open = true
				h.p.Opened(p2p.ConnInfo{ID: e.id, Dialed: true, Addr: addr})
			}
		})
		o.open = true
		far.p.Opened(p2p.ConnInfo{ID: o.id, Addr: h.ephemeral(e.id)})
		if !e.live() {
			e.hangup(io.EOF)
		}
	})
	return e.id
}

// ephemeral is the address that a connection of ours comes from.
func (h *NetHost) ephemeral(c p2p.ConnID) string {
	host := h.addr[:strings.LastIndexByte(h.addr, ':')+1]
	return host + strconv.FormatUint(32768+uint64(c)%28232, 10)
}

// Send delivers a copy of the head, and the body itself, one Latency later.
func (h *NetHost) Send(c p2p.ConnID, m p2p.Message) error {
	e := h.conns[c]
	if e == nil || !e.open {
		release(m.Body)
		return p2p.ErrClosed
	}
	size := uint64(p2p.HeaderSize + m.Len())
	bulk := m.Body != nil
	e.traffic.Out += size
	m.Head = append([]byte(nil), m.Head...)
	if bulk {
		e.bulk++
	}
	var leave time.Duration
	if bulk && h.Uplink > 0 {
		if h.free.Before(h.net.now) {
			h.free = h.net.now
		}
		h.free = h.free.Add(time.Duration(float64(size) / h.Uplink * float64(time.Second)))
		leave = h.free.Sub(h.net.now)
	}
	h.net.after(leave+Latency, func() {
		e.other.deliver(m, size)
		if bulk && e.live() {
			e.bulk--
			h.p.Drained(c, e.bulk)
		}
	})
	return nil
}

// deliver hands a message to the protocol at this end.
func (e *end) deliver(m p2p.Message, size uint64) {
	h := e.h
	if !e.live() {
		release(m.Body)
		return
	}
	spec, _ := h.limits.For(m.Type)
	if m.Len() > spec.Max {
		release(m.Body)
		delete(h.conns, e.id)
		e.hangup(io.EOF)
		h.p.Closed(e.id, p2p.Violation(p2p.ReasonTooLarge, "%v of %d bytes", m.Type, m.Len()))
		return
	}
	m = split(m, spec.Head)
	e.traffic.In += size
	if t := h.net.Trace; t != nil {
		t(p2p.TapRecord{
			Time: h.net.now, Dir: p2p.Received, From: e.other.h.addr, To: h.addr,
			Type: m.Type, Length: m.Len(), Digest: p2p.Digest(&m),
		})
	}
	h.p.Received(e.id, &m)
}

// Close ends a connection; the other end hears of it after what was sent.
func (h *NetHost) Close(c p2p.ConnID, _ error) {
	if e := h.conns[c]; e != nil {
		delete(h.conns, c)
		e.hangup(io.EOF)
	}
}

// hangup tells the other end that this one is gone.
func (e *end) hangup(err error) {
	o := e.other
	if o == nil {
		return
	}
	e.h.net.after(Latency, func() {
		if o.live() {
			delete(o.h.conns, o.id)
			o.h.p.Closed(o.id, err)
		}
	})
}

// Traffic counts whole messages.
func (h *NetHost) Traffic(c p2p.ConnID) p2p.Traffic {
	if e := h.conns[c]; e != nil {
		return e.traffic
	}
	return p2p.Traffic{}
}

// WakeAt sets the one deadline.
func (h *NetHost) WakeAt(t time.Time) {
	h.wake = t
	if t.IsZero() {
		return
	}
	h.net.after(max(0, t.Sub(h.net.now)), func() {
		if !h.dead && h.wake.Equal(t) {
			h.wake = time.Time{}
			h.p.Wake()
		}
	})
}

// Run does a job at once and gives it back one Latency later.
func (h *NetHost) Run(j p2p.Job) {
	j.Do(context.Background())
	h.net.after(Latency, func() {
		if !h.dead {
			h.p.Done(j)
		}
	})
}

func release(b p2p.Payload) {
	if b != nil {
		b.Release()
	}
}

// split cuts a message where its receiver's Spec says, which need not be where
// the sender did; the bytes of a blank body are zeros.
func split(m p2p.Message, head int) p2p.Message {
	if m.Body == nil && (head == 0 || len(m.Head) <= head) || m.Body != nil && len(m.Head) == head && head > 0 {
		return m
	}
	data := m.Head
	if m.Body != nil {
		b := make([]byte, m.Body.Size())
		if v, ok := m.Body.(interface{ Bytes() []byte }); ok {
			copy(b, v.Bytes())
		}
		data = append(data, b...)
		m.Body.Release()
	}
	m.Head, m.Body = data, nil
	if head > 0 && len(data) > head {
		m.Head, m.Body = data[:head:head], NewBody(data[head:])
	}
	return m
}

// Sending says whether the uplink has something to send.
func (h *NetHost) Sending() bool { return h.free.After(h.net.now) }
