package fleet

import (
	"context"
	"fmt"
	"testing"
	"time"

	"starling/p2p"
	"starling/piece"
)

// crowd is a flash crowd of equal uplinks.
func crowd(n int, pieces int64) Spec {
	s := Default()
	s.PieceLength = 256 << 10
	s.Size = pieces * s.PieceLength
	s.Hosts = append(s.Hosts, HostSpec{Name: "seed", Role: Seed, Up: 2.5e6, Down: 5e6})
	for i := range n {
		s.Hosts = append(s.Hosts, HostSpec{Name: fmt.Sprintf("leecher-%d", i), Up: 2.5e6, Down: 5e6})
	}
	return s
}

// mustRun runs a Spec, and wants no violation.
func mustRun(t *testing.T, s *Spec, o Options) *Result {
	t.Helper()
	r, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Errorf("seed %d: %v %s: %s: %s", s.RNGSeed, v.At, v.Host, v.Invariant, v.Detail)
	}
	return r
}

// launch is a run for a test to lead through time, with f.run. Its violations
// are errors.
func launch(t *testing.T, s *Spec) *fleet {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	f := newFleet(s, Options{})
	f.build()
	t.Cleanup(func() {
		f.checkBooks()
		f.checkPayloads()
		for _, v := range f.res.Violations {
			t.Errorf("%v %s: %s: %s", v.At, v.Host, v.Invariant, v.Detail)
		}
	})
	return f
}

// done lets the run end, and wants every expected leecher complete.
func (f *fleet) done(t *testing.T) {
	t.Helper()
	f.run(f.spec.Deadline)
	f.checkEnd()
	if f.left != 0 {
		t.Errorf("%d leechers have not completed after %v", f.left, f.world.Now())
	}
}

const second = time.Second

// says has a host send a message, as far as the checks see.
func says(typ p2p.Type, head []byte) func(*fleet, *member, p2p.ConnID) {
	return func(f *fleet, m *member, c p2p.ConnID) { f.checks.Sent(m.h, c, &p2p.Message{Type: typ, Head: head}) }
}

// lacks is a block of a piece that a host has not.
func lacks(m *member) piece.Run {
	r := piece.Run{Length: piece.BlockSize}
	for m.content.verified.Has(r.Piece) {
		r.Piece++
	}
	return r
}

// finishing is a job that publishes a content.
type finishing struct{ c *content }

func (finishing) Class() p2p.Class         { return p2p.Flush }
func (j finishing) Do(ctx context.Context) { _, _ = j.c.Finish(ctx) }
