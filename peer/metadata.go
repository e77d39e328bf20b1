package peer

import (
	"starling/p2p"
	"starling/peer/wire"
)

// metaTurns is how often one remote may be sent all of the info dictionary. Who
// asks for more is told that we have none: it would else be a way to spend our
// uplink while choked.
const metaTurns = 3

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
	all := e.cfg.Metadata
	parts := (len(all) + wire.MetaPart - 1) / wire.MetaPart
	a := wire.Meta{Kind: wire.MetaReject, Part: q.Part}
	if q.Part >= 0 && q.Part < int64(parts) && r.metas < metaTurns*parts {
		r.metas++
		from := int(q.Part) * wire.MetaPart
		a.Kind, a.Total = wire.MetaData, int64(len(all))
		a.Data = all[from:min(from+wire.MetaPart, len(all))]
	}
	e.scratch = a.Append(e.scratch[:0])
	e.send(r, wire.META, e.scratch)
	return nil
}
