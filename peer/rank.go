package peer

import (
	"net/netip"

	"starling/p2p"
	"starling/peer/canonical"
)

// outrank makes room for r in place of a remote with which we have the lower
// canonical priority (BEP 40), if nothing goes on with that one. It is about
// public addresses, and so about swarms of strangers: a fleet in its own network
// is left to chance, which mixes it better.
func (e *Engine) outrank(r *remote) bool {
	mine := netip.AddrPortFrom(e.external, e.cfg.ListenPort)
	now := e.now()
	if !public(e.external) || !public(r.addrPort().Addr()) || now.Before(e.evictAt) {
		return false
	}
	lowest := canonical.Priority(mine, r.addrPort())
	var worst *remote
	for _, o := range e.order {
		if o == r || o.fault != nil || o.web || o.phase != ready || !o.amChoking || !o.peerChoking || !public(o.addrPort().Addr()) {
			continue
		}
		if p := canonical.Priority(mine, o.addrPort()); p < lowest {
			lowest, worst = p, o
		}
	}
	if worst == nil {
		return false
	}
	e.evictAt = now.Add(displaceEvery)
	e.fault(worst, p2p.Violation(p2p.ReasonTooMany, "its place goes to one of a higher priority"))
	return true
}

func public(a netip.Addr) bool { return a.IsGlobalUnicast() && !a.IsPrivate() }
