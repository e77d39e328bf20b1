package sim

import (
	"slices"
	"time"

	"starling/p2p"
)

// SetRates changes a host's link, in bytes a second; 0 is DefaultRate.
func (h *Host) SetRates(up, down float64) {
	h.up.nsPerByte, h.down.nsPerByte = perByte(up), perByte(down)
	h.up.quantum = h.w.cfg.Quantum
	if h.up.quantum <= 0 {
		h.up.quantum = int(min(max(float64(quantumTime)/h.up.nsPerByte, minQuantum), maxQuantum))
	}
	for id := p2p.ConnID(1); id <= h.last; id++ {
		if e := h.end(id); e != nil && e.out != nil {
			e.out.resize()
			e.other.out.resize()
		}
	}
}

// Kill ends the host's process as kill -9 would: its connections are reset,
// dials to it refused. Start brings another one up.
func (h *Host) Kill() { h.stop(ErrReset) }

// PowerOff ends the host without a word to anybody.
func (h *Host) PowerOff() {
	h.stop(nil)
	h.silent = true
}

// Stop ends the process in order: its connections are closed.
func (h *Host) Stop() {
	for id := p2p.ConnID(1); id <= h.last; id++ {
		h.Close(id, nil)
	}
	h.halt()
}

// stop drops every connection; the other ends hear err, if it is not nil.
func (h *Host) stop(err error) {
	for id := p2p.ConnID(1); id <= h.last; id++ {
		e := h.end(id)
		if e == nil {
			continue
		}
		e.drop()
		if e.out == nil {
			continue
		}
		if err != nil {
			e.out.fin(err)
		}
	}
	h.halt()
}

func (h *Host) halt() {
	h.running = false
	h.life++
	h.waiting = nil
	h.frozen = false
	h.timer.at = time.Time{}
	h.up.debt, h.up.controlAt = 0, 0
}

// Freeze stops the host's process and its link until Thaw, as when a virtual
// machine is paused.
func (h *Host) Freeze() { h.frozen = h.running }

// Thaw lets a frozen host go on. What it missed comes at once.
func (h *Host) Thaw() {
	if !h.frozen {
		return
	}
	h.frozen = false
	for _, a := range h.waiting {
		h.w.queue.push(h.w.now, a)
	}
	h.waiting = nil
	h.w.resume()
	h.up.start()
}

// Leap sets the host's clock forward.
func (h *Host) Leap(d time.Duration) {
	h.skew += max(d, 0)
	if at := h.timer.at; !at.IsZero() {
		h.WakeAt(at)
	}
}

// rule keeps packets from passing.
type rule struct {
	from, to []bool // by host index; nil: every host
	both     bool
}

func in(set []bool, h *Host) bool { return set == nil || h.index < len(set) && set[h.index] }

// Block keeps everything that from sends to to from arriving, and with both the
// other way too; a nil to is all others. It returns what ends it.
func (w *World) Block(from, to []*Host, both bool) (unblock func()) {
	r := &rule{from: w.set(from), both: both}
	if to != nil {
		r.to = w.set(to)
	} else {
		r.to = make([]bool, len(w.hosts))
		for i := range r.to {
			r.to[i] = !r.from[i]
		}
	}
	w.rules = append(w.rules, r)
	return func() {
		w.rules = slices.DeleteFunc(w.rules, func(o *rule) bool { return o == r })
		w.resume()
	}
}

func (w *World) set(hosts []*Host) []bool {
	s := make([]bool, len(w.hosts))
	for _, h := range hosts {
		s[h.index] = true
	}
	return s
}

// blocked says whether packets from a to b cannot pass.
func (w *World) blocked(a, b *Host) bool {
	for _, r := range w.rules {
		if in(r.from, a) && in(r.to, b) || r.both && in(r.from, b) && in(r.to, a) {
			return true
		}
	}
	return false
}

// hold keeps a packet that cannot pass, as TCP does, which sends it again and
// again. After writeTimeout the sender gives the connection up.
func (p *pipe) hold(k *packet) {
	w := p.from.h.w
	p.held = append(p.held, k)
	if len(p.held) > 1 {
		return
	}
	p.heldSince = w.now
	p.holds++
	w.holding = append(w.holding, p)
	epoch := p.holds
	w.At(w.now+writeTimeout, func() {
		if p.holds != epoch || len(p.held) == 0 {
			return
		}
		p.drain()
		p.from.fail(ErrTimeout)
	})
}

// drain throws away what is held.
func (p *pipe) drain() {
	for _, k := range p.held {
		release(k.msg.Body)
		p.off(k)
	}
	p.held = nil
	p.holds++
}

// resume lets pass again what was held and no longer has to be, at the time of
// TCP's next attempt, each of which comes twice as late as the one before.
func (w *World) resume() {
	w.holding = slices.DeleteFunc(w.holding, func(p *pipe) bool { return len(p.held) == 0 })
	for _, p := range w.holding {
		p.retry()
	}
}

func (p *pipe) retry() {
	if len(p.held) == 0 || p.barred() {
		return
	}
	w := p.from.h.w
	at, rto := p.heldSince, max(2*p.latency, minRTO)
	for at < w.now {
		at += rto
		rto *= 2
	}
	epoch := p.holds
	w.At(at, func() {
		if p.holds != epoch || p.barred() {
			return
		}
		held := p.held
		p.held = nil
		p.holds++
		for _, k := range held {
			k.act()
		}
	})
}

// Busy says whether a host's uplink is sending, and how long what has come to
// its downlink waits there.
func (h *Host) Busy() (up bool, down time.Duration) {
	return h.up.cur != nil, max(0, h.down.free-h.w.now)
}
