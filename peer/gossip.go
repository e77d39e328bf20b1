package peer

import (
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// gossipEvery is how often a peer that knows few others asks one of them for
// its list.
const gossipEvery = 20 * time.Second

// gossip asks a remote whom it knows (LIST), while we know too few to do
// without: a swarm so outlives its tracker. A private torrent's peers come
// from its tracker only (BEP 27).
func (e *Engine) gossip(now time.Time) {
	if now.Before(e.gossipAt) || e.cfg.Private || e.stopping || e.finished || len(e.order)+e.cands.idle() >= hungry {
		return
	}
	n := len(e.order)
	for k := range n {
		r := e.order[(e.turn+k)%n]
		if r.phase != ready || r.fault != nil || r.web || r.caps&wire.CapBlocks != 0 {
			continue
		}
		e.turn += k + 1
		e.gossipAt = now.Add(gossipEvery)
		e.node.Request(r.id, p2p.Message{Type: p2p.LIST}, e.listed)
		return
	}
}

// listed takes the answer. The addresses are a stranger's word: they may fill
// only a part of what we remember.
func (e *Engine) listed(replies []p2p.Message, err error) {
	if err != nil {
		return
	}
	peers, _ := p2p.ParseList(replies)
	now := e.now()
	for _, p := range peers {
		if p.Addr != e.node.Addr() {
			e.cands.add(p.Addr, fromPeer, now)
		}
	}
	e.dialMore(now)
}
