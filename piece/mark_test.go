package piece

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func whole(p *Picker, i int) Run { return p.geo.run(i, 0, p.geo.NumBlocks(i)) }

func mustHold(t *testing.T, p *Picker) {
	t.Helper()
	if err := p.Invariant(); err != nil {
		t.Fatal(err)
	}
}

func TestLifeOfAPiece(t *testing.T) {
	const b = BlockSize
	p := swarm(t, "1 1-", 1)
	head, tail := Run{0, 0, 3 * b}, Run{0, 3 * b, b}
	p.Requested(head)
	p.Requested(tail)
	if complete, fresh := p.Received(head); complete || !fresh {
		t.Fatalf("first run: complete %v, fresh %v", complete, fresh)
	}
	if complete, fresh := p.Received(head); complete || fresh {
		t.Fatalf("duplicate: complete %v, fresh %v", complete, fresh)
	}
	if complete, fresh := p.Received(Run{0, 2 * b, 2 * b}); !complete || !fresh {
		t.Fatalf("last run: complete %v, fresh %v", complete, fresh)
	}
	if complete, fresh := p.Received(tail); complete || fresh {
		t.Fatalf("complete is said twice: %v, %v", complete, fresh)
	}
	if p.Done() || p.InFlightPieces() != 1 || p.Left() != 4*b || !p.WantsPiece(0) {
		t.Fatalf("before verification: done %v, %d in flight, %d left", p.Done(), p.InFlightPieces(), p.Left())
	}
	p.Unreceived(tail)
	if r, ok := p.Pick(&Ask{Have: remote(t, p, ""), MaxLength: 4 * b}); !ok || r != tail {
		t.Fatalf("after a failed write: %v", r)
	}
	if complete, _ := p.Received(tail); !complete {
		t.Fatal("the second write does not complete")
	}
	p.Corrupt(0)
	if r, ok := p.Pick(&Ask{Have: remote(t, p, ""), MaxLength: 4 * b}); !ok || r != whole(p, 0) {
		t.Fatalf("after a wrong hash: %v", r)
	}
	p.Received(whole(p, 0))
	p.Verified(0)
	if !p.Done() || p.Left() != 0 || p.NumHave() != 1 || p.InFlightPieces() != 0 || p.Rarest() != -1 {
		t.Fatalf("verified: done %v, left %d, %d in flight", p.Done(), p.Left(), p.InFlightPieces())
	}
	if complete, fresh := p.Received(head); complete || fresh {
		t.Fatal("a block of a verified piece is fresh")
	}
	p.Requested(head)
	p.Corrupt(0)
	mustHold(t, p)
	p.Lost(0)
	if p.Done() || p.Left() != 4*b || p.NumHave() != 0 {
		t.Fatal("a lost piece is still had")
	}
	mustHold(t, p)
}

func TestVanishedRemoteCostsItsRequests(t *testing.T) {
	const b = BlockSize
	p := swarm(t, "2 2 2", 1)
	mine, theirs := Run{0, 0, 2 * b}, Run{0, 2 * b, 2 * b}
	p.Requested(mine)
	p.Requested(theirs)
	p.Requested(whole(p, 1))
	p.Received(Run{1, 0, b})
	p.Unrequested(theirs)
	p.Unrequested(whole(p, 1))
	mustHold(t, p)
	if got := p.partial(0).blocks; !slices.Equal(got, []uint8{1, 1, 0, 0}) {
		t.Fatalf("piece 0: %v", got)
	}
	if got := p.partial(1).blocks; !slices.Equal(got, []uint8{received, 0, 0, 0}) {
		t.Fatalf("piece 1: %v", got)
	}
	p.Unrequested(mine)
	if p.partial(0) != nil || p.InFlightPieces() != 1 {
		t.Fatal("a piece without requests and blocks is still begun")
	}
	mustHold(t, p)
}

func TestRequestersNeverLookReceived(t *testing.T) {
	p := swarm(t, "1", 1)
	for range 300 {
		p.Requested(whole(p, 0))
	}
	mustHold(t, p)
	if complete, fresh := p.Received(whole(p, 0)); !complete || !fresh {
		t.Fatalf("complete %v, fresh %v", complete, fresh)
	}
}

func TestIdleIsTheLeastReceived(t *testing.T) {
	if i, ok := swarm(t, "1 1r 1q 1p 1w 1p", 1).Idle(); !ok || i != 3 {
		t.Fatalf("piece %d, %v", i, ok)
	}
}

func TestInvalidRunsMarkNothing(t *testing.T) {
	p := swarm(t, "1 1r", 1)
	before := slices.Clone(p.partial(1).blocks)
	for _, r := range []Run{{}, {9, 0, BlockSize}, {-1, 0, BlockSize}, {1, 1, BlockSize}, {1, 0, math.MaxInt}, {1, math.MinInt, 1}} {
		p.Requested(r)
		p.Unrequested(r)
		if complete, fresh := p.Received(r); complete || fresh {
			t.Errorf("%v is received", r)
		}
		p.Unreceived(r)
	}
	mustHold(t, p)
	if p.InFlightPieces() != 1 || !slices.Equal(p.partial(1).blocks, before) {
		t.Fatal("something is marked")
	}
}

func TestPriorities(t *testing.T) {
	const b = BlockSize
	p := swarm(t, "1 1p 1# 1", 1)
	p.SetPriority(1, 0)
	p.SetPriority(2, 0)
	p.SetPriority(3, 200)
	mustHold(t, p)
	if p.Left() != 2*4*b || p.WantsPiece(1) || p.InFlightPieces() != 1 {
		t.Fatalf("left %d, %d begun", p.Left(), p.InFlightPieces())
	}
	if bf := remote(t, p, "1 2"); p.Wanted(bf) || p.CountWanted(bf) != 0 {
		t.Fatal("a remote with unwanted and had pieces is interesting")
	}
	if bf := remote(t, p, "0 1 2"); !p.Wanted(bf) || p.CountWanted(bf) != 1 {
		t.Fatal("a remote with a wanted piece is not interesting")
	}
	p.Corrupt(1)
	p.Lost(2)
	mustHold(t, p)
	p.SetPriority(1, 1)
	p.SetPriority(2, 1)
	mustHold(t, p)
	if p.Left() != 4*4*b {
		t.Fatalf("left %d", p.Left())
	}
}

// TestPartialsAreBounded begins as many pieces as there may be, each with one
// block of a remote that is gone, and gives them up one by one.
func TestPartialsAreBounded(t *testing.T) {
	const b = BlockSize
	n := MaxPartials + 10
	p := NewPicker(Geometry{TotalLength: int64(n) * 2 * b, PieceLength: 2 * b}, nil, rand.New(rand.NewPCG(1, 1)))
	if _, ok := p.Idle(); ok {
		t.Fatal("idle, with nothing begun")
	}
	for i := range MaxPartials {
		p.Received(Run{i, 0, b})
	}
	p.Requested(Run{0, b, b})
	other := NewBitfield(n)
	for i := MaxPartials; i < n; i++ {
		other.Set(i)
	}
	p.AddRemote(other)
	a := Ask{Have: other, MaxLength: 2 * b}
	if r, ok := p.Pick(&a); ok {
		t.Fatalf("%v is begun beyond the bound", r)
	}
	a.Suggested = []int{n - 1}
	if r, ok := p.Pick(&a); ok {
		t.Fatalf("%v is begun beyond the bound", r)
	}
	i, ok := p.Idle()
	if !ok || i != 1 {
		t.Fatalf("idle piece %d, %v; want the lowest without requests", i, ok)
	}
	p.Corrupt(i)
	if r, ok := p.Pick(&a); !ok || r.Piece != n-1 {
		t.Fatalf("after giving one up: %v, %v", r, ok)
	}
	mustHold(t, p)
}
