package magnet

import (
	"time"

	"starling/metainfo/merkle"
	"starling/p2p"
	"starling/peer/wire"
)

// Tree is the hash tree of a file whose piece layer is to be fetched: in v2 it is
// not in the info dictionary.
type Tree struct {
	Root merkle.Hash
	*merkle.Tree
}

// hashAsk is a run of hashes that is wanted.
type hashAsk struct {
	tree    int
	request merkle.Request
	from    *peer // who is asked for it
	at      time.Time
	done    bool
}

// beginHashes goes on with what the dictionary does not hold.
func (f *Fetcher) beginHashes(info []byte) {
	f.info = info
	if f.cfg.Trees != nil {
		f.trees = f.cfg.Trees(info)
	}
	for i := range f.trees {
		for r := range f.trees[i].Wants() {
			f.hashes = append(f.hashes, hashAsk{tree: i, request: r})
		}
	}
	f.hashing = true
	if f.cfg.Enough != nil && f.cfg.Enough(info) {
		f.hashEnd = f.node.Now().Add(treeWait)
	}
	f.requestHashes()
}

// requestHashes asks for what is missing.
func (f *Fetcher) requestHashes() {
	if f.done {
		return
	}
	missing := false
	for i := range f.hashes {
		a := &f.hashes[i]
		if a.done {
			continue
		}
		missing = true
		if a.from != nil {
			continue
		}
		p := f.idle()
		if p == nil {
			break
		}
		a.from, a.at = p, f.node.Now()
		p.hashes++
		h := wire.Hashes{Root: f.trees[a.tree].Root, Request: a.request}
		f.send(p, wire.HREQ, h.Append(nil))
	}
	if !missing {
		f.done = true
		f.cfg.Done(f.info, f.trees)
	}
}

// idle finds a peer that may be asked for hashes, the one with the fewest.
func (f *Fetcher) idle() *peer {
	var best *peer
	for _, p := range f.peers {
		if p.conn != 0 && p.size > 0 && !p.liar && p.hashes < ahead && (best == nil || p.hashes < best.hashes) {
			best = p
		}
	}
	return best
}

// onHashes takes an answer, or its refusal.
func (f *Fetcher) onHashes(c p2p.ConnID, m *p2p.Message) {
	p := f.conns[c]
	if p == nil {
		return
	}
	h, err := wire.ParseHashes(m.Head)
	if err != nil {
		f.drop(p, err)
		return
	}
	for i := range f.hashes {
		a := &f.hashes[i]
		if a.from != p || a.done || a.request != h.Request || f.trees[a.tree].Root != h.Root {
			continue
		}
		a.from = nil
		p.hashes--
		if m.Type == wire.HREJ {
			f.drop(p, p2p.Violation(p2p.ReasonNotNeeded, "it does not give hashes")) // others may
			break
		}
		if err := f.trees[a.tree].Accept(a.request, h.Answer); err != nil {
			p.liar = true
			f.drop(p, p2p.Violation(p2p.ReasonCorrupt, "hashes: %w", err))
			break
		}
		a.done = true
		break
	}
	f.requestHashes()
}

// freeHashes forgets what p was asked for.
func (f *Fetcher) freeHashes(p *peer) {
	for i := range f.hashes {
		if f.hashes[i].from == p {
			f.hashes[i].from = nil
		}
	}
	p.hashes = 0
}

// lateHashes says whether p owes hashes for too long.
func (f *Fetcher) lateHashes(p *peer, now time.Time) bool {
	for i := range f.hashes {
		if a := &f.hashes[i]; a.from == p && now.Sub(a.at) > partWait {
			return true
		}
	}
	return false
}
