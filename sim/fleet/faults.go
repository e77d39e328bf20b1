package fleet

import (
	"cmp"
	"errors"
	"slices"

	"starling/p2p"
	"starling/sim"
)

// inOrder are the faults by time.
func (f *fleet) inOrder() []Fault {
	fs := slices.Clone(f.spec.Faults)
	slices.SortStableFunc(fs, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return fs
}

// inflict lets a fault happen.
func (f *fleet) inflict(x *Fault) {
	switch x.Kind {
	case Partition, OneWay:
		var others []*sim.Host
		if len(x.Others) > 0 {
			others = f.hosts(x.Others)
		}
		f.heal = append(f.heal, f.world.Block(f.hosts(x.Hosts), others, x.Kind == Partition))
	case Heal:
		for _, end := range f.heal {
			end()
		}
		f.heal = nil
	case Stall:
		for _, h := range f.hosts(x.Hosts) { // one by one: they do not reach each other either
			f.later(f.world.Now()+x.For, f.world.Block([]*sim.Host{h}, nil, true))
		}
	case TrackerDown:
		f.tracker.down = true
	case TrackerUp:
		f.tracker.down = false
	case TrackerLost:
		f.tracker.forget()
	default:
		for _, name := range x.Hosts {
			f.strike(f.byName[name], x)
		}
	}
}

// strike lets a fault happen to one host.
func (f *fleet) strike(m *member, x *Fault) {
	switch x.Kind {
	case Crash, PowerLoss:
		m.die(x.Kind == PowerLoss)
	case Leave:
		m.leave()
	case Return:
		m.start()
	case Slow:
		m.slow = x.Factor
		m.h.SetRates(rate(m.spec.Up)*m.slow, rate(m.spec.Down)*m.slow)
	case Freeze:
		m.h.Freeze()
		f.later(f.world.Now()+x.For, m.h.Thaw)
	case ClockJump:
		m.h.Leap(x.For)
	case DiskFull:
		m.content.full = true
		f.later(f.world.Now()+x.For, func() { m.content.full = false })
	}
}

// rate is a link's, which is not given as 0.
func rate(r float64) float64 {
	if r <= 0 {
		return sim.DefaultRate
	}
	return r
}

func (f *fleet) hosts(names []string) (hs []*sim.Host) {
	for _, n := range names {
		hs = append(hs, f.byName[n].h)
	}
	return hs
}

// send has a host send a request.
func (f *fleet) send(s *Send) {
	from, to := f.byName[s.From], f.byName[s.To]
	r := Reply{From: s.From, To: s.To}
	done := func(answer string, typ p2p.Type, err error) {
		r.At = f.world.Now()
		r.Type, r.Data = typ.String(), answer
		if err != nil {
			r.Type, r.Err = "", err.Error()
		}
		f.res.Replies = append(f.res.Replies, r)
	}
	if !from.up {
		done("", 0, sim.ErrRefused)
		return
	}
	f.request(from, to, s, done)
}

// errNoReply is what came of a request whose connection the other side closed
// in order, and said nothing.
var errNoReply = errors.New("no reply")

// request sends it; done hears the answer or why there is none.
func (f *fleet) request(from, to *member, s *Send, done func(string, p2p.Type, error)) {
	m := p2p.Message{Type: s.Type, Head: []byte(s.Data)}
	from.node.ConnectAndSend(to.h.Addr(), m, true, func(replies []p2p.Message, err error) {
		if err == nil && len(replies) == 0 {
			err = errNoReply
		}
		if err != nil {
			done("", 0, err)
			return
		}
		last := replies[len(replies)-1]
		done(string(last.Head), last.Type, nil)
	})
	from.node.Wake() // we are not in an event of its host: what it asked for is armed
}
