package peer

import (
	"net/netip"
	"time"

	"starling/p2p"
	"starling/peer/pex"
	"starling/peer/wire"
)

// exchange is what a remote that reads PEEX is told of others, and what it tells.
type exchange struct {
	state *pex.State // nil: it reads none
	judge pex.Judge
}

// onPEX takes the peers of a remote. They are a stranger's word, as those of LIST
// are. In a private torrent they are worth nothing (BEP 27).
func (e *Engine) onPEX(r *remote, m *p2p.Message) error {
	if e.cfg.Private {
		return nil
	}
	x, err := pex.Parse(m.Head)
	if err != nil {
		return err
	}
	now := e.now()
	if err := r.pex.judge.Accept(now, x); err != nil {
		return err
	}
	for _, p := range x.Added {
		e.cands.addAs(p.Addr.String(), fromPeer, e.nameOf(r.infoHash), now)
	}
	e.dialMore(now)
	return nil
}

// beginPEX notes that a remote reads PEEX.
func (e *Engine) beginPEX(r *remote) {
	if r.pex.state == nil && !e.cfg.Private {
		r.pex.state = pex.NewState(r.addrPort())
	}
}

// tellPEX tells each remote who came and who went, when it is due.
func (e *Engine) tellPEX(now time.Time) {
	var connected []pex.Peer
	looked := false
	for _, r := range e.order {
		if r.pex.state == nil || r.phase != ready || r.fault != nil || now.Before(r.pex.state.Due()) {
			continue
		}
		if !looked {
			connected, looked = e.connected(), true
		}
		if m, ok := r.pex.state.Next(now, connected); ok {
			e.send(r, wire.PEEX, m.Append(nil))
		}
	}
}

// connected lists the remotes that others could connect to.
func (e *Engine) connected() []pex.Peer {
	var ps []pex.Peer
	for _, r := range e.order {
		a := r.addrPort()
		if r.phase != ready || r.fault != nil || r.web || !r.listens || !a.IsValid() {
			continue
		}
		p := pex.Peer{Addr: a}
		if r.seed {
			p.Flags |= pex.Seed
		}
		if r.dialed {
			p.Flags |= pex.Reachable
		}
		ps = append(ps, p)
	}
	return ps
}

// addrPort is r's address; the zero value where it is a name.
func (r *remote) addrPort() netip.AddrPort {
	a, _ := netip.ParseAddrPort(r.addr)
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
