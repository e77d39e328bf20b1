package peer

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/piece"
)

// quiet is a p2p.Host that does nothing, for benchmarks: it costs next to
// nothing itself.
type quiet struct {
	p    p2p.Protocol
	now  time.Time
	wake time.Time
	rng  *rand.Rand
	jobs []p2p.Job
	in   [2048]uint64 // bytes received, by connection
	msg  p2p.Message
}

func newTestRand() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func (h *quiet) Now() time.Time {
	if h.now.IsZero() {
		h.now = p2ptest.Epoch
	}
	return h.now
}
func (h *quiet) Rand() *rand.Rand                   { return h.rng }
func (h *quiet) Dial(string) p2p.ConnID             { panic("a benchmark that dials") }
func (h *quiet) Close(p2p.ConnID, error)            {}
func (h *quiet) WakeAt(t time.Time)                 { h.wake = t }
func (h *quiet) Run(j p2p.Job)                      { h.jobs = append(h.jobs, j) }
func (h *quiet) Send(p2p.ConnID, p2p.Message) error { return nil }
func (h *quiet) Traffic(c p2p.ConnID) p2p.Traffic   { return p2p.Traffic{In: h.in[c]} }

func (h *quiet) deliver(c p2p.ConnID, t p2p.Type, head []byte) { h.deliverBody(c, t, head, nil) }

func (h *quiet) deliverBody(c p2p.ConnID, t p2p.Type, head []byte, body p2p.Payload) {
	h.msg = p2p.Message{Type: t, Head: head, Body: body}
	h.in[c] += uint64(p2p.HeaderSize + h.msg.Len())
	h.p.Received(c, &h.msg)
}

// advance lets time pass.
func (h *quiet) advance(d time.Duration) {
	h.now = h.Now().Add(d)
	for !h.wake.IsZero() && !h.wake.After(h.now) {
		h.wake = time.Time{}
		h.p.Wake()
	}
}

// blank is a payload without bytes that may be released often.
type blank struct{ n int }

func (b *blank) Size() int { return b.n }
func (b *blank) Release()  {}

// blankContent takes everything and finds it right.
type blankContent struct{}

func (blankContent) Section(r piece.Run) p2p.Payload              { return &blank{n: r.Length} }
func (blankContent) PutPiece(int, p2p.Payload) (bool, error)      { return true, nil }
func (blankContent) PutRun(piece.Run, p2p.Payload) (Proof, error) { return Unproven, nil }
func (blankContent) ProveRun(piece.Run) (Proof, error)            { return Unproven, nil }
func (blankContent) VerifyPiece(int) (bool, error)                { return true, nil }
func (blankContent) BlockSums(int) ([]uint64, error)              { return nil, nil }
func (blankContent) Sync(context.Context) (lost []int, _ error)   { return nil, nil }
func (blankContent) Finish(context.Context) (lost []int, _ error) { return nil, nil }
func (blankContent) Recheck(int) (bool, string, error)            { return true, "", nil }

func mustPolicy(t testing.TB) *choke.Switching {
	t.Helper()
	p, err := choke.New(choke.TitForTat, choke.Default())
	if err != nil {
		t.Fatal(err)
	}
	return p
}
