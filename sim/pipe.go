package sim

import (
	"io"
	"time"

	"starling/p2p"
)

// pipe is one direction of a connection.
type pipe struct {
	from, to *end
	hops     [3]*link // after the uplink; the last is the receiver's downlink
	nhops    int8
	latency  time.Duration

	ctl      []p2p.Message // behind the frame that is under way
	ctlBytes int
	bulk     []p2p.Message
	cur      p2p.Message // the frame that is under way
	left     int         // bytes of it that have not left; 0: none is
	inflight int         // bytes of frames that have left and not arrived
	ctlSent  int         // bytes of control messages that have left and not arrived
	window   int
	queued   bool // it waits for its turn at the uplink, or has it
	closing  bool // what is under way still leaves, then a fin
	closed   bool // nothing more enters it
	ended    bool // the other side will hear, or need not hear, of the end

	lastArrival time.Duration
	held        []*packet // arrived where they cannot pass
	heldSince   time.Duration
	holds       uint64 // counts holdings, so that an old deadline is void
}

// packet is a quantum of a frame, or a whole control message, or an end.
type packet struct {
	p      *pipe
	size   int32
	hop    int8
	end    bool // the sender's side is gone; err says how
	whole  bool // msg is complete with it
	credit bool // its bytes count in inflight
	took   time.Duration
	msg    p2p.Message
	err    error
}

func (w *World) newPipe(from, to *end) *pipe {
	a, b := from.h, to.h
	p := &pipe{from: from, to: to, latency: w.latency(a, b)}
	if a.rack != b.rack {
		if a.rack != nil {
			p.hops[p.nhops] = &a.rack.up
			p.nhops++
		}
		if b.rack != nil {
			p.hops[p.nhops] = &b.rack.down
			p.nhops++
		}
	}
	p.hops[p.nhops] = &b.down
	p.nhops++
	p.resize()
	return p
}

// resize sets the window by the rates of the path.
func (p *pipe) resize() {
	slowest := p.from.h.up.nsPerByte
	for _, l := range p.hops[:p.nhops] {
		slowest = max(slowest, l.nsPerByte)
	}
	p.window = max(int(float64(2*p.latency+queueTime+p.from.h.w.cfg.Queue)/slowest), 4*p.from.h.up.quantum)
}

// room says whether the outbox takes a message.
func (p *pipe) room(m *p2p.Message) bool {
	if m.Body != nil {
		return len(p.bulk) < bulkMessages
	}
	return p.ctlBytes+p2p.HeaderSize+len(m.Head) <= controlBytes && p.ctlSent <= controlBytes+p.window
}

// put takes a message into the outbox.
func (p *pipe) put(m p2p.Message) {
	switch {
	case m.Body != nil:
		p.from.bulk++
		p.bulk = append(p.bulk, m)
		p.enqueue()
	case p.left > 0:
		p.ctl = append(p.ctl, m)
		p.ctlBytes += p2p.HeaderSize + len(m.Head)
	default:
		p.sendControl(m)
	}
}

// sendControl lets a message leave now.
func (p *pipe) sendControl(m p2p.Message) {
	n := p2p.HeaderSize + len(m.Head)
	p.from.traffic.Out += uint64(n)
	p.ctlSent += n
	k := p.packet(n)
	k.msg, k.whole = m, true
	p.depart(k, p.from.h.up.control(n))
}

func (p *pipe) packet(n int) *packet {
	w := p.from.h.w
	if last := len(w.spare) - 1; last >= 0 {
		k := w.spare[last]
		w.spare = w.spare[:last]
		*k = packet{p: p, size: int32(n)}
		return k
	}
	return &packet{p: p, size: int32(n)}
}

// depart sends a packet on its way; it leaves the uplink after wait.
func (p *pipe) depart(k *packet, wait time.Duration) {
	w := p.from.h.w
	at := w.now + wait + p.from.h.up.queueing() + p.latency + p.lossDelay()
	at = max(at, p.lastArrival) // TCP keeps the order
	p.lastArrival = at
	w.queue.push(at, k)
}

// lossDelay is how much later a quantum comes because it was lost first.
func (p *pipe) lossDelay() time.Duration {
	a, b := p.from.h, p.to.h
	rate := 1 - (1-a.cfg.Loss)*(1-b.cfg.Loss)
	if rate <= 0 {
		return 0
	}
	var d time.Duration
	rto := max(2*p.latency, minRTO)
	for a.loss.Float64() < rate && d < writeTimeout {
		d += rto
		rto *= 2
	}
	return d
}

// act is a packet's arrival at its next hop, or behind the last one.
func (k *packet) act() {
	p := k.p
	w := p.from.h.w
	if len(p.held) > 0 || p.barred() {
		p.hold(k)
		return
	}
	for k.hop < p.nhops {
		l := p.hops[k.hop]
		k.hop++
		if at := l.pass(w.now, int(k.size), k.took); at > w.now {
			w.queue.push(at, k)
			return
		}
	}
	p.arrived(k)
}

// barred says whether packets of p cannot pass now.
func (p *pipe) barred() bool {
	to := p.to.h
	return to.frozen || to.silent || len(to.w.rules) > 0 && to.w.blocked(p.from.h, to)
}

// arrived ends a packet's way.
func (p *pipe) arrived(k *packet) {
	n := int(k.size)
	p.off(k)
	end, whole, err, m := k.end, k.whole, k.err, k.msg
	*k = packet{}
	w := p.from.h.w
	w.spare = append(w.spare, k)
	switch {
	case end:
		p.to.fail(err)
		return
	case whole:
		p.to.deliver(n, &m)
	default:
		p.to.deliver(n, nil)
	}
	if p.left > 0 || len(p.bulk) > 0 {
		p.enqueue()
	}
	if p.to.gone && !p.from.gone && !p.to.out.closing {
		p.to.out.fin(ErrReset) // it writes to a closed socket
	}
}

// off takes a packet off the count of what is on its way.
func (p *pipe) off(k *packet) {
	if k.credit {
		p.inflight -= int(k.size)
	} else {
		p.ctlSent -= int(k.size)
	}
}

// enqueue asks for a turn at the uplink, if there is something to send and the
// window is open.
func (p *pipe) enqueue() {
	if p.queued || p.closed || p.left == 0 && len(p.bulk) == 0 || p.inflight >= p.window {
		return
	}
	p.queued = true
	p.from.h.up.join(p)
}

// quantum takes the next bytes to send, at most n, beginning the next frame if
// need be. It returns 0 if there is nothing.
func (p *pipe) quantum(n int) int {
	if p.left == 0 {
		if len(p.bulk) == 0 {
			return 0
		}
		p.cur = p.bulk[0]
		copy(p.bulk, p.bulk[1:])
		p.bulk[len(p.bulk)-1] = p2p.Message{}
		p.bulk = p.bulk[:len(p.bulk)-1]
		p.left = p2p.HeaderSize + p.cur.Len()
	}
	return min(n, p.left)
}

// sent lets n bytes of the frame under way leave, and what waited for its end.
func (p *pipe) sent(n int, took time.Duration) {
	p.left -= n
	p.inflight += n
	p.from.traffic.Out += uint64(n)
	k := p.packet(n)
	k.took, k.credit = took, true
	last := p.left == 0
	if last {
		k.msg, k.whole = p.cur, true
		p.cur = p2p.Message{}
	}
	p.depart(k, 0)
	if !last {
		return
	}
	ctl := p.ctl
	p.ctl, p.ctlBytes = p.ctl[:0], 0
	for i := range ctl {
		p.sendControl(ctl[i])
		ctl[i] = p2p.Message{}
	}
	if p.closing {
		p.fin(io.EOF)
		return
	}
	p.from.bulk--
	p.from.drained()
}

// finish lets what is under way leave, then ends the pipe.
func (p *pipe) finish() {
	p.dropBulk()
	if p.left == 0 {
		p.fin(io.EOF)
		return
	}
	p.closing = true
	w := p.from.h.w
	w.At(w.now+linger, func() { p.fin(io.EOF) })
}

// fin ends the pipe: the other side hears of it after what has left.
func (p *pipe) fin(err error) {
	if p.ended {
		return
	}
	p.ended = true
	p.discard()
	k := p.packet(0)
	k.end, k.err = true, err
	p.depart(k, 0)
}

// discard drops what has not left.
func (p *pipe) discard() {
	p.closed = true
	p.dropBulk()
	if p.left > 0 {
		release(p.cur.Body)
		p.cur, p.left = p2p.Message{}, 0
	}
	p.ctl, p.ctlBytes = nil, 0
}

func (p *pipe) dropBulk() {
	for i := range p.bulk {
		release(p.bulk[i].Body)
	}
	p.bulk = nil
}
