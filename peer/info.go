package peer

import (
	"starling/p2p"
	"starling/peer/wire"
)

// maxInfo bounds INFO, with room for what later versions say.
const maxInfo = 256

// room is how many requests of r we hold. One that asks for single blocks needs
// more of them for as many bytes.
func (r *remote) room() int {
	if r.caps&wire.CapBlocks != 0 {
		return maxBlocks
	}
	return maxQueue
}

// sayInfo tells a remote what HELO had no room for. It may be said again.
func (e *Engine) sayInfo(r *remote) {
	if r.caps&wire.CapInfo == 0 {
		return
	}
	i := wire.Info{ListenPort: e.cfg.ListenPort, MaxQueue: uint16(r.room()), Metadata: uint32(len(e.cfg.Metadata))}
	if len(e.cfg.Metadata) > 0 {
		i.Flags |= wire.InfoMeta
	}
	if !e.cfg.Private {
		i.Flags |= wire.InfoPEX
	}
	if e.pick.Done() && r.shown == nil {
		i.Flags |= wire.InfoUploadOnly
	}
	e.scratch = i.Append(e.scratch[:0])
	e.send(r, wire.INFO, e.scratch)
}

// onInfo takes a remote's limits; it may say them again.
func (e *Engine) onInfo(r *remote, m *p2p.Message) error {
	i, err := wire.ParseInfo(m.Head)
	if err != nil {
		return err
	}
	if i.MaxQueue > 0 {
		// What it is asked for already stands.
		r.maxQueue, r.queued = min(int(i.MaxQueue), r.room()), len(r.requests)
	}
	if i.ListenPort > 0 && !r.listens {
		r.listens = true
		r.addr = withPort(r.addr, i.ListenPort)
		if e.bans.hasAddr(e.now(), r.addr) {
			return p2p.Violation(p2p.ReasonBanned, "%s is banned", r.addr)
		}
		if r.phase == ready {
			e.reachable(r)
		}
	}
	if i.Flags&wire.InfoPEX != 0 {
		e.beginPEX(r)
	}
	e.ask(r)
	return nil
}

// reachable notes where others and we ourselves can find a remote that is ready.
// An address that it only came from is good for nobody.
func (e *Engine) reachable(r *remote) {
	if !r.listens {
		return
	}
	e.cands.connected(r.addr, e.now())
	if !e.cfg.Private {
		_ = e.node.AddPeer(r.addr, r.addr) // a full table only shortens what LIST answers
	}
}
