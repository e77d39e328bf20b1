package sim

import "time"

// uplink is a host's sending side. The pipes that have something to send and
// room in their windows take turns, a quantum each.
type uplink struct {
	h         *Host
	nsPerByte float64
	quantum   int
	ring      []*pipe // whose turn comes; from head on
	head      int
	cur       *pipe // whose quantum is leaving
	n         int   // its bytes
	took      time.Duration
	debt      int           // control bytes that have left ahead of the quantum that is leaving
	controlAt time.Duration // when all control messages so far will have left
	idleAt    time.Duration // when it has nothing more to send
	since     time.Duration // when it last began to be busy
}

// queueing is how long what leaves now waits in the buffers before the link:
// TCP fills them as long as there is something to send, and everything that
// leaves, the small messages of other connections too, waits behind.
func (u *uplink) queueing() time.Duration {
	if u.cur == nil {
		return 0
	}
	return min(u.h.w.cfg.Queue, u.h.w.now-u.since)
}

func (u *uplink) time(n int) time.Duration { return time.Duration(float64(n) * u.nsPerByte) }

// control takes the link's time for a message of n bytes, and says how long it
// takes to leave: it goes ahead of all frames, and behind the control messages
// before it. Those that take less than a quantum's time together leave side by
// side: what is told to many at once comes to them at once.
func (u *uplink) control(n int) time.Duration {
	now := u.h.w.now
	u.controlAt = max(u.controlAt, now) + u.time(n)
	if u.cur != nil {
		u.debt += n
	}
	return max(u.time(n), u.controlAt-now-quantumTime)
}

// join gives a pipe a turn after all others.
func (u *uplink) join(p *pipe) {
	if u.head > 0 && len(u.ring) == cap(u.ring) {
		n := copy(u.ring, u.ring[u.head:])
		clear(u.ring[n:])
		u.ring, u.head = u.ring[:n], 0
	}
	u.ring = append(u.ring, p)
	u.start()
}

// start lets the next quantum leave if none is leaving.
func (u *uplink) start() {
	w := u.h.w
	for u.cur == nil && !u.h.frozen && u.head < len(u.ring) {
		p := u.ring[u.head]
		u.ring[u.head] = nil
		if u.head++; u.head == len(u.ring) {
			u.ring, u.head = u.ring[:0], 0
		}
		p.queued = false
		n := 0
		if !p.closed && p.inflight < p.window {
			n = p.quantum(u.quantum)
		}
		if n == 0 {
			continue
		}
		if u.idleAt < w.now {
			u.since = w.now
		}
		u.cur, u.n = p, n
		u.took = u.time(n) + max(u.time(u.debt), u.controlAt-w.now)
		u.idleAt = w.now + u.took
		u.debt = 0
		w.queue.push(w.now+u.took, u)
	}
}

// act is the end of a quantum's leaving.
func (u *uplink) act() {
	p := u.cur
	n := min(u.n, p.left) // less if the pipe was closed meanwhile
	if n > 0 {
		p.sent(n, u.took)
	}
	u.cur = nil
	p.enqueue()
	u.start()
}
