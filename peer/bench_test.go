package peer

import (
	"context"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
	"starling/piece"
)

// benchStage is an engine among many remotes, with a content that has no bytes:
// what is measured is the engine.
func benchStage(b *testing.B, pieces, remotes int, have func(i int) bool) (*Engine, *quiet) {
	b.Helper()
	geo := piece.Geometry{TotalLength: int64(pieces) * wire.MaxRun, PieceLength: wire.MaxRun}
	h := &quiet{rng: newTestRand()}
	cfg := EngineConfig{
		InfoHash: stageHash, PeerID: stageID, ListenPort: 6881, Geometry: geo, Have: piece.NewBitfield(pieces),
		Content: blankContent{}, Policy: mustPolicy(b), Rechoke: 10 * time.Second, SnubAfter: time.Minute,
		MaxRemotes: remotes, NumWant: 50,
	}
	for i := range pieces {
		if have(i) {
			cfg.Have.Set(i)
		}
	}
	n := p2p.NewNode(h, p2p.Config{ID: "bench", MaxPeers: remotes})
	e := NewEngine(n, cfg)
	h.p = n
	e.Start(nil)
	n.Wake()
	return e, h
}

// meetQuiet opens a connection whose remote has what t says.
func meetQuiet(h *quiet, id int, t p2p.Type, more ...p2p.Type) p2p.ConnID {
	c := p2p.ConnID(id + 1)
	h.p.Opened(p2p.ConnInfo{ID: c, Addr: "10.0.0.1:40000"})
	hello := testHello(0)
	hello.PeerID = [20]byte{1, byte(id), byte(id >> 8)}
	h.deliver(c, wire.HELO, []byte(helloOf(hello)))
	for _, t := range append([]p2p.Type{t}, more...) {
		h.deliver(c, t, nil)
	}
	return c
}

// BenchmarkHave: one HAVE of one piece, in a torrent of 100,000 pieces with 50
// remotes that all have something for us.
func BenchmarkHave(b *testing.B) {
	const pieces, remotes = 100_000, 50
	var h *quiet
	start := func() {
		_, h = benchStage(b, pieces, remotes, func(i int) bool { return i%2 == 0 })
		for id := range remotes {
			meetQuiet(h, id, wire.HNON)
		}
	}
	start()
	heads := make([][]byte, pieces)
	for i := range heads {
		heads[i] = wire.AppendIndexes(nil, []int{i})
	}
	c, i := p2p.ConnID(1), 0
	b.ReportAllocs()
	for b.Loop() {
		h.deliver(c, wire.HAVE, heads[i])
		if i++; i == pieces-1 { // the next remote; none becomes a seed
			if c++; c > remotes {
				b.StopTimer()
				start()
				c = 1
				b.StartTimer()
			}
			i = 0
		}
	}
}

// BenchmarkPiece: one PIEC from its arrival to the HAVEs, with the job done at
// once and 50 remotes to tell.
func BenchmarkPiece(b *testing.B) {
	const pieces, remotes = 100_000, 50
	var e *Engine
	var h *quiet
	start := func() {
		e, h = benchStage(b, pieces, remotes, func(int) bool { return false })
		for id := range remotes {
			meetQuiet(h, id, wire.HALL)
		}
		h.deliver(1, wire.UNCH, nil)
	}
	start()
	var head [wire.PieceHead]byte
	body := &blank{n: wire.MaxRun}
	b.ReportAllocs()
	for b.Loop() {
		r := e.remotes[1]
		if r == nil { // all is had, and so the seeds have left
			b.StopTimer()
			start()
			b.StartTimer()
			r = e.remotes[1]
		}
		run := r.requests[0].run
		copy(head[:], words(uint32(run.Piece), uint32(run.Begin)))
		h.deliverBody(1, wire.PIEC, head[:], body)
		for len(h.jobs) > 0 {
			j := h.jobs[0]
			h.jobs = h.jobs[:copy(h.jobs, h.jobs[1:])]
			j.Do(context.Background())
			h.p.Done(j)
		}
		h.advance(time.Millisecond)
	}
}

// BenchmarkRechoke: one rechoke over 1,000 interested remotes, snapshots,
// traffic counters, messages and all.
func BenchmarkRechoke(b *testing.B) {
	const pieces, remotes = 1000, 1000
	e, h := benchStage(b, pieces, remotes, func(i int) bool { return i%2 == 0 })
	for id := range remotes {
		meetQuiet(h, id, wire.HNON, wire.INTR)
	}
	b.ReportAllocs()
	for b.Loop() {
		h.now = h.now.Add(10 * time.Second)
		e.rechokeAll()
	}
}

// BenchmarkTick: the engine's second hand over 1,000 remotes.
func BenchmarkTick(b *testing.B) {
	e, h := benchStage(b, 1000, 1000, func(i int) bool { return i%2 == 0 })
	for id := range 1000 {
		meetQuiet(h, id, wire.HNON, wire.INTR)
	}
	for _, r := range e.order {
		r.lastIn = p2ptest.Epoch.AddDate(1, 0, 0) // nobody times out
	}
	b.ReportAllocs()
	for b.Loop() {
		h.now = h.now.Add(time.Millisecond)
		e.tick()
	}
}

// BenchmarkLoopback: a seed and a leecher in one process move a file over TCP
// on the loopback interface, from disk to disk, hashed and synced.
func BenchmarkLoopback(b *testing.B) {
	const size = 256 << 20
	p := newPayload(b, "content", size, 256<<10)
	s := testSession(b, 1, nil)
	p.seed(b, s)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		l := testSession(b, 2, nil)
		dir := b.TempDir()
		b.StartTimer()
		tor := p.add(b, l, dir, false, []string{s.Addr().String()})
		<-tor.Completed()
		b.StopTimer()
		closeSession(b, l)
		b.StartTimer()
	}
}
