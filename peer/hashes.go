package peer

import (
	"bytes"
	"context"

	"starling/metainfo/merkle"
	"starling/p2p"
	"starling/peer/wire"
)

// Hashes are the hash trees of a v2 torrent (BEP 52). But for Want they are called
// from jobs and may read the disk.
type Hashes interface {
	// Answer returns the hashes that are asked for of the tree with this root, and
	// false if they cannot be given.
	Answer(root merkle.Hash, r merkle.Request) ([]byte, bool)
	// Want is the request for the hashes of the blocks of piece i, and false if
	// there is none: it is a single block, or has padding. It returns at once.
	Want(i int) (wire.Hashes, bool)
	// Accept holds the answer to it against the piece's hash. If that is right,
	// Content goes by it from then on.
	Accept(i int, answer []byte) bool
}

const (
	// maxHashJobs is how many requests for hashes one remote may have under
	// way; one more is rejected.
	maxHashJobs = 4
	// One remote is given hashes, in bytes, for a hashShare of the content, and
	// freeHashes besides: all trees several times over, with proofs. More would
	// be a way to spend our uplink while choked.
	hashShare  = 32
	freeHashes = 1 << 20
)

// hashJob answers one request.
type hashJob struct {
	conn   p2p.ConnID
	hashes Hashes
	asked  wire.Hashes
	ok     bool
}

func (j *hashJob) Class() p2p.Class { return p2p.Disk }
func (j *hashJob) Do(context.Context) {
	j.asked.Answer, j.ok = j.hashes.Answer(j.asked.Root, j.asked.Request)
}

// onHashRequest answers a request for hashes, choked or not: exactly once.
func (e *Engine) onHashRequest(r *remote, m *p2p.Message) error {
	h, err := wire.ParseHashes(m.Head)
	switch {
	case err != nil:
		return err
	case len(h.Answer) > 0:
		return p2p.Violation(p2p.ReasonBadMessage, "HREQ of %d bytes", len(m.Head))
	case e.cfg.Hashes == nil || r.hashJobs >= maxHashJobs, r.hashBytes > freeHashes+e.geo.TotalLength/hashShare:
		e.rejectHashes(r, m.Head)
		return nil
	}
	r.hashJobs++
	e.node.Host().Run(&hashJob{conn: r.id, hashes: e.cfg.Hashes, asked: h})
	return nil
}

func (e *Engine) rejectHashes(r *remote, asked []byte) {
	e.send(r, wire.HREJ, bytes.Clone(asked[:wire.HashHead]))
}

// hashesDone sends what a job found.
func (e *Engine) hashesDone(j *hashJob) {
	r := e.remotes[j.conn]
	if r == nil || r.fault != nil {
		return
	}
	r.hashJobs--
	b := j.asked.Append(nil)
	if !j.ok {
		e.rejectHashes(r, b)
		return
	}
	r.hashBytes += int64(len(b))
	e.send(r, wire.HASH, b)
}
