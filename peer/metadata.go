package peer

import (
	"starling/p2p"
	"starling/peer/wire"
)

const (
	// metaTurns is how often one remote may be sent all of the info dictionary.
	// Who asks for more is told that we have none: it would else be a way to
	// spend our uplink while choked.
	metaTurns = 3
	// metaBurst is how many parts a remote is sent at once, and in each second
	// then. Some clients ask for all at the same time, and an outbox has no
	// room for all of a large dictionary.
	metaBurst = 8
)

// metaState is what a remote has had of the info dictionary.
type metaState struct {
	taken int   // parts that it was promised, over all
	burst int   // parts that it was sent since the last tick
	queue []int // parts that wait for the next
}

// onMeta answers a request for a part of the info dictionary (BEP 9). We have it
// from the start, so we ask nobody for it: package magnet does, before there is an
// engine.
func (e *Engine) onMeta(r *remote, m *p2p.Message) error {
	q, err := wire.ParseMeta(m.Head)
	if err != nil {
		return err
	}
	if q.Kind != wire.MetaRequest {
		return nil
	}
	s, parts := &r.meta, e.metaParts()
	switch {
	case q.Part < 0 || q.Part >= int64(parts) || s.taken >= metaTurns*parts:
		a := wire.Meta{Kind: wire.MetaReject, Part: q.Part}
		e.scratch = a.Append(e.scratch[:0])
		e.send(r, wire.META, e.scratch)
	case s.burst >= metaBurst:
		s.taken++
		s.queue = append(s.queue, int(q.Part))
	default:
		s.taken++
		e.sendMeta(r, int(q.Part))
	}
	return nil
}

// metaParts is how many parts the info dictionary has.
func (e *Engine) metaParts() int {
	return (len(e.cfg.Metadata) + wire.MetaPart - 1) / wire.MetaPart
}

func (e *Engine) sendMeta(r *remote, part int) {
	all, from := e.cfg.Metadata, part*wire.MetaPart
	a := wire.Meta{
		Kind: wire.MetaData, Part: int64(part), Total: int64(len(all)), Data: all[from:min(from+wire.MetaPart, len(all))],
	}
	r.meta.burst++
	e.scratch = a.Append(e.scratch[:0])
	e.send(r, wire.META, e.scratch)
}

// metaTick sends parts that had to wait.
func (e *Engine) metaTick(r *remote) {
	s := &r.meta
	s.burst = 0
	for len(s.queue) > 0 && s.burst < metaBurst && r.fault == nil {
		e.sendMeta(r, s.queue[0])
		s.queue = s.queue[1:]
	}
}
