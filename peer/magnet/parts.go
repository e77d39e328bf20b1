package magnet

import (
	"bytes"
	"context"
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// onInfo hears that a peer has the dictionary, and how long it is.
func (f *Fetcher) onInfo(c p2p.ConnID, m *p2p.Message) {
	p := f.conns[c]
	i, err := wire.ParseInfo(m.Head)
	if p == nil || err != nil || i.Flags&wire.InfoMeta == 0 || i.Metadata == 0 || i.Metadata > maxSize {
		return // it may say so later
	}
	if p.size == 0 {
		p.size = int(i.Metadata)
	}
	f.request()
}

// request asks for what is missing: whoever is idle, and where there was a wrong
// dictionary one peer only.
func (f *Fetcher) request() {
	if f.hashing {
		f.requestHashes()
		return
	}
	if f.done || f.check {
		return
	}
	if !f.agreed() {
		return
	}
	for _, p := range f.peers {
		if p.conn == 0 || p.size != f.size || p.liar || f.wary && p != f.solo {
			continue
		}
		for i := 0; i < len(f.parts) && len(p.asked) < ahead; i++ {
			if f.parts[i] == nil && f.from[i] == nil {
				f.from[i] = p
				p.asked = append(p.asked, ask{i, f.node.Now()})
				q := wire.Meta{Kind: wire.MetaRequest, Part: int64(i)}
				f.send(p, wire.META, q.Append(nil))
			}
		}
	}
}

// agreed settles on a size, and after a failure on the peer.
func (f *Fetcher) agreed() bool {
	if !f.wary {
		size := f.likely()
		if size != 0 && size != f.size {
			f.begin(size)
		}
		return size != 0
	}
	if f.solo == nil {
		i := slices.IndexFunc(f.peers, (*peer).able)
		if i < 0 {
			return false
		}
		f.solo = f.peers[i]
		f.begin(f.solo.size)
	}
	return true
}

// able says whether p can be asked.
func (p *peer) able() bool { return p.conn != 0 && p.size != 0 && !p.liar }

// likely is the size that most peers say, of several the smallest: it takes least to
// find out that it is wrong. 0: nobody says one.
func (f *Fetcher) likely() int {
	best, most := 0, 0
	for _, p := range f.peers {
		if !p.able() {
			continue
		}
		n := 0
		for _, o := range f.peers {
			if o.able() && o.size == p.size {
				n++
			}
		}
		if n > most || n == most && p.size < best {
			best, most = p.size, n
		}
	}
	return best
}

// begin throws away what there is and starts over.
func (f *Fetcher) begin(size int) {
	n := (size + wire.MetaPart - 1) / wire.MetaPart
	f.size, f.got = size, 0
	f.parts, f.from = make([][]byte, n), make([]*peer, n)
	f.end = f.node.Now().Add(f.allowed())
	for _, p := range f.peers {
		p.asked = nil // an answer that comes late is not waited for
	}
}

// allowed is how long the parts may take.
func (f *Fetcher) allowed() time.Duration {
	return tryWait + time.Duration(len(f.parts))*partTime
}

// onMeta takes a part.
func (f *Fetcher) onMeta(c p2p.ConnID, m *p2p.Message) {
	p := f.conns[c]
	if p == nil {
		return
	}
	a, err := wire.ParseMeta(m.Head)
	if err != nil {
		f.drop(p, err)
		return
	}
	if a.Kind == wire.MetaRequest {
		r := wire.Meta{Kind: wire.MetaReject, Part: a.Part}
		f.send(p, wire.META, r.Append(nil))
		return
	}
	at := -1
	for i, q := range p.asked {
		if int64(q.part) == a.Part {
			at = i
		}
	}
	if at < 0 {
		return
	}
	part := p.asked[at].part
	p.asked = append(p.asked[:at], p.asked[at+1:]...)
	want := min(wire.MetaPart, f.size-part*wire.MetaPart)
	if a.Kind != wire.MetaData || len(a.Data) != want || a.Total >= 0 && a.Total != int64(f.size) {
		f.from[part] = nil
		f.drop(p, p2p.Violation(p2p.ReasonNotNeeded, "it does not give the info dictionary"))
		f.request()
		return
	}
	f.parts[part] = bytes.Clone(a.Data)
	if f.got++; f.got == len(f.parts) {
		f.check = true
		f.node.Host().Run(&checkJob{check: f.cfg.Check, info: bytes.Join(f.parts, nil)})
		return
	}
	f.request()
}

// checkJob judges a whole dictionary.
type checkJob struct {
	check func([]byte) error
	info  []byte
	err   error
}

func (j *checkJob) Class() p2p.Class   { return p2p.Disk }
func (j *checkJob) Do(context.Context) { j.err = j.check(j.info) }

func (f *Fetcher) onDone(job p2p.Job) {
	j, ok := job.(*checkJob)
	if !ok {
		return
	}
	f.check = false
	if j.err == nil {
		f.beginHashes(j.info)
		return
	}
	// Whoever gave all of it alone has lied.
	alone := true
	for _, p := range f.from {
		alone = alone && p == f.from[0]
	}
	f.wary, f.solo = true, nil
	if p := f.from[0]; alone {
		p.liar = true
		if p.conn != 0 {
			f.drop(p, p2p.Violation(p2p.ReasonCorrupt, "a wrong info dictionary"))
		}
	}
	f.request()
}
