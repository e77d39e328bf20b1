package peer

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// The capabilities of a remote of BEP 3 alone, and of one with BEP 6 and 10.
const (
	plainCaps = wire.CapBlocks | wire.CapSilent
	fullCaps  = wire.CapBlocks | wire.CapInfo
)

// foreign meets a remote of another wire: HALL or HNON is what it has. It does not
// say where it listens.
func (s *stage) foreign(id byte, caps uint16, has p2p.Type) p2p.ConnID {
	s.t.Helper()
	c := s.h.Accept(fmt.Sprintf("10.0.0.%d:40000", id))
	h := &wire.Hello{Version: 1, Caps: caps, InfoHash: stageHash, PeerID: [20]byte{id}, MaxQueue: 250, MaxRequest: piece.BlockSize}
	s.h.Deliver(c, wire.HELO, helloOf(h))
	s.h.Deliver(c, has, "")
	if !s.h.Alive(c) {
		s.t.Fatalf("the handshake failed: %s", s.h.Take())
	}
	return c
}

// TestForeignChoke: the choke of a remote that answers nothing drops what it was
// asked for; others are asked for it, and it is again when it serves us again.
func TestForeignChoke(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	a := s.foreign(1, plainCaps, wire.HALL)
	s.h.Deliver(a, wire.UNCH, "")
	first := s.requests(a)
	for _, r := range first {
		if r.Length != piece.BlockSize {
			t.Errorf("asked for %v", r)
		}
	}
	if len(first) < 8 {
		t.Fatalf("asked for %d blocks", len(first))
	}
	b := s.foreign(2, plainCaps, wire.HALL)
	s.h.Deliver(a, wire.CHOK, "")
	s.sound()
	if n := len(s.remotes[a].requests); n != 0 || s.asked != 0 {
		t.Errorf("%d requests are left, %d bytes asked for", n, s.asked)
	}
	s.take()
	s.h.Deliver(b, wire.UNCH, "")
	if again := s.requests(b); !slices.Contains(again, first[0]) {
		t.Errorf("%v is not asked of the other: %v", first[0], again)
	}
	s.h.Deliver(b, wire.CHOK, "")
	s.take()
	s.h.Deliver(a, wire.UNCH, "")
	if again := s.requests(a); len(again) != len(first) {
		t.Errorf("asked for %d blocks again, before for %d", len(again), len(first))
	}
	for s.remotes[a] != nil && len(s.remotes[a].requests) > 0 {
		s.pieceOf(a, s.remotes[a].requests[0].run)
		s.finishJobs()
		s.sound()
	}
	if !s.finished || s.stats.WastedUnrequested+s.stats.WastedDuplicate != 0 {
		t.Errorf("finished %v; %+v", s.finished, s.stats)
	}
}

// TestForeignCancel: a cancelled request of a remote that need not answer is
// forgotten a while after the cancel, and not before; its answer is welcome until
// then. One that has to answer is waited for.
func TestForeignCancel(t *testing.T) {
	for _, caps := range []uint16{plainCaps, fullCaps} {
		s := newStage(t, 3, func(i int) bool { return i > 0 }, nil)
		a := s.foreign(1, caps, wire.HALL)
		s.h.Deliver(a, wire.UNCH, "")
		runs := s.requests(a)
		if len(runs) != 2 {
			t.Fatalf("asked for %v", runs)
		}
		s.h.Advance(requestTimeout - 2*time.Second)
		b := s.seedThatServes(2)
		s.take()
		for len(s.remotes[b].requests) > 0 {
			s.pieceOf(b, s.remotes[b].requests[0].run)
		}
		if msgs, _ := s.take(a); len(only(msgs, wire.CANC)) != 2 {
			t.Fatalf("sent %q", names(msgs))
		}
		s.h.Advance(requestTimeout - 2*time.Second)
		s.sound()
		if n := len(s.remotes[a].requests); n != 2 {
			t.Fatalf("%d cancelled requests %v after the cancel", n, requestTimeout-2*time.Second)
		}
		if w := s.remotes[a].window; caps == plainCaps && w != startWindow {
			t.Errorf("its window is %d: it owes nothing", w)
		}
		s.pieceOf(a, runs[0])
		s.h.Advance(4 * time.Second)
		s.sound()
		want := 1
		if caps == plainCaps {
			want = 0
		} else if s.remotes[a].window != minWindow {
			t.Errorf("its window is %d: it owes an answer", s.remotes[a].window)
		}
		if n := len(s.remotes[a].requests); n != want || s.stats.WastedUnrequested != 0 {
			t.Errorf("caps %d: %d requests are left, %d bytes unrequested", caps, n, s.stats.WastedUnrequested)
		}
	}
}

// TestForeignIsToldBits: what we have is a bitfield for a remote that knows no other
// form.
func TestForeignIsToldBits(t *testing.T) {
	for _, tt := range []struct {
		have       func(int) bool
		full, bits string
	}{
		{nothing, "HNON", "\x00\x00"}, {all, "HALL", "\xff\xc0"}, {func(i int) bool { return i == 1 }, "BITF", "\x40\x00"},
	} {
		s := newStage(t, stagePieces, tt.have, nil)
		plain := s.foreign(1, plainCaps, wire.HNON)
		if msgs, _ := s.take(plain); names(msgs) != "HELO BITF" || string(msgs[1].head) != tt.bits {
			t.Errorf("said %q", names(msgs))
		}
		full := s.foreign(2, fullCaps, wire.HNON)
		if msgs, _ := s.take(full); names(msgs) != "HELO INFO "+tt.full {
			t.Errorf("said %q", names(msgs))
		}
	}
}

// TestForeignQueue: of a remote that asks for blocks 512 requests wait, and one more
// is rejected, once; it is asked for no more than it says, and never for more.
func TestForeignQueue(t *testing.T) {
	s := newStage(t, 400, all, nil)
	c := s.foreign(1, fullCaps, wire.HNON)
	s.h.Deliver(c, wire.INTR, "")
	s.take()
	for i := range maxBlocks + 1 + 3 { // one is with the host
		s.request(c, piece.Run{Piece: i / 2, Begin: i % 2 * piece.BlockSize, Length: piece.BlockSize})
		s.sound()
	}
	msgs, _ := s.take(c)
	if n := len(s.remotes[c].queue); n != maxBlocks || len(only(msgs, wire.REJE)) != 3 {
		t.Errorf("%d wait, %d are rejected", n, len(only(msgs, wire.REJE)))
	}

	s = newStage(t, 400, nothing, nil)
	c = s.foreign(1, fullCaps, wire.HALL)
	for _, tt := range []struct{ said, want int }{{0, 250}, {7, 7}, {600, maxBlocks}, {0xffff, maxBlocks}, {500, 500}} {
		s.h.Deliver(c, wire.INFO, string((&wire.Info{MaxQueue: uint16(tt.said)}).Append(nil)))
		if got := s.remotes[c].maxQueue; got != tt.want {
			t.Errorf("it says %d, we take %d", tt.said, got)
		}
	}
	s.h.Deliver(c, wire.INFO, string((&wire.Info{MaxQueue: 3}).Append(nil)))
	s.take()
	s.h.Deliver(c, wire.UNCH, "")
	if runs := s.requests(c); len(runs) != 3 {
		t.Errorf("%d requests, it takes 3", len(runs))
	}
}

// TestQueueShrinks: a remote that says a shorter queue than it was asked for is not
// asked for more until it has answered so many.
func TestQueueShrinks(t *testing.T) {
	s := newStage(t, 400, nothing, nil)
	c := s.foreign(1, fullCaps, wire.HALL)
	s.h.Deliver(c, wire.UNCH, "")
	owed := len(s.requests(c))
	if owed < 10 {
		t.Fatalf("%d requests", owed)
	}
	s.h.Deliver(c, wire.INFO, string((&wire.Info{MaxQueue: 4}).Append(nil)))
	s.sound()
	for ; owed > 4; owed-- {
		if n := len(s.requests(c)); n != 0 {
			t.Fatalf("%d more requests with %d open", n, owed)
		}
		s.pieceOf(c, s.remotes[c].requests[0].run)
		s.sound()
	}
	s.take()
	for range 10 {
		s.pieceOf(c, s.remotes[c].requests[0].run)
		if n := len(s.remotes[c].requests); n != 4 {
			t.Fatalf("%d requests, it takes 4", n)
		}
		s.sound()
	}
}

// TestHaveAllAgain: a remote of another wire may say that it has all when it is
// complete; one of ours says so by HAVEs.
func TestHaveAllAgain(t *testing.T) {
	s := newStage(t, stagePieces, func(i int) bool { return i == 0 }, nil)
	c := s.foreign(1, fullCaps, wire.HNON)
	s.h.Deliver(c, wire.HAVE, words(3))
	for range 2 {
		s.h.Deliver(c, wire.HALL, "")
		s.sound()
	}
	if r := s.remotes[c]; !r.seed || !r.amInterested {
		t.Errorf("seed %v, interesting %v", r.seed, r.amInterested)
	}
	for _, typ := range []p2p.Type{wire.HNON, wire.BITF} {
		s.take()
		d := s.foreign(2, fullCaps, wire.HNON)
		s.take()
		s.h.Deliver(d, typ, "")
		if _, closed := s.take(); closed[d] != "bad_state" {
			t.Errorf("a second %v: closed with %q", typ, closed[d])
		}
	}
	d := s.meet(2, wire.HNON)
	s.take()
	s.h.Deliver(d, wire.HALL, "")
	if _, closed := s.take(); closed[d] != "bad_state" {
		t.Errorf("one of ours: closed with %q", closed[d])
	}
	// Both have all: there is no more use in it.
	s = newStage(t, stagePieces, all, nil)
	c = s.foreign(1, fullCaps, wire.HNON)
	s.take()
	s.h.Deliver(c, wire.HALL, "")
	if _, closed := s.take(); closed[c] != "not_needed" {
		t.Errorf("closed with %q", closed[c])
	}
}

// TestForeignGossip: who cannot be asked for a list is not.
func TestForeignGossip(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	c := s.foreign(1, plainCaps, wire.HALL)
	d := s.foreign(2, fullCaps, wire.HALL)
	s.take()
	s.h.Advance(3 * gossipEvery)
	if msgs, _ := s.take(c, d); len(only(msgs, p2p.MSID, p2p.LIST)) != 0 {
		t.Errorf("sent %q", names(msgs))
	}
	ours := s.meet(3, wire.HALL)
	s.take()
	s.h.Advance(2 * gossipEvery)
	if msgs, _ := s.take(); len(only(msgs, p2p.MSID)) == 0 || only(msgs, p2p.MSID)[0].conn != ours {
		t.Errorf("one of ours was not asked: %q", names(msgs))
	}
}

// TestForeignPieces: a content comes from a remote of blocks and goes to another.
func TestForeignPieces(t *testing.T) {
	for _, caps := range []uint16{plainCaps, fullCaps} {
		s := newStage(t, stagePieces, nothing, nil)
		from := s.foreign(1, caps, wire.HALL)
		to := s.foreign(2, caps, wire.HNON)
		s.h.Deliver(from, wire.UNCH, "")
		s.h.Deliver(to, wire.INTR, "")
		for s.remotes[from] != nil && len(s.remotes[from].requests) > 0 {
			run := s.remotes[from].requests[0].run
			s.pieceOf(from, run)
			s.finishJobs()
			s.h.Advance(50 * time.Millisecond)
			s.sound()
		}
		if !s.finished {
			t.Fatal("not complete")
		}
		s.h.Advance(11 * time.Second)
		s.take()
		for i := range stagePieces {
			s.request(to, runAt(i))
			s.h.Drain(to)
		}
		if msgs, _ := s.take(to); len(only(msgs, wire.PIEC)) != stagePieces {
			t.Errorf("it got %q", names(msgs))
		}
	}
}
