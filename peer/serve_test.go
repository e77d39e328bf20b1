package peer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

func runAt(i int) piece.Run { return piece.Run{Piece: i, Length: piece.BlockSize} }

// request delivers a REQU.
func (s *stage) request(c p2p.ConnID, r piece.Run) { s.h.Deliver(c, wire.REQU, wordsOf(r)) }

func (s *stage) cancel(c p2p.ConnID, r piece.Run) { s.h.Deliver(c, wire.CANC, wordsOf(r)) }

// interested meets a leecher that wants something, and so is unchoked.
func (s *stage) interested(id byte) p2p.ConnID {
	s.t.Helper()
	c := s.meet(id, wire.HNON)
	s.h.Deliver(c, wire.INTR, "")
	return c
}

func TestChokedRequestIsRejectedOnce(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.meet(1, wire.HNON)
	s.take()
	s.request(c, runAt(3))
	s.h.Drain(c)
	s.h.Advance(30 * time.Second)
	msgs, _ := s.take(c)
	answers := only(msgs, wire.REJE, wire.PIEC)
	if len(answers) != 1 || answers[0].typ != "REJE" || answers[0].run() != runAt(3) {
		t.Errorf("answered with %v", answers)
	}
}

// TestLackedPieceIsRejected: also what we do not have is answered.
func TestLackedPieceIsRejected(t *testing.T) {
	s := newStage(t, stagePieces, func(i int) bool { return i < 5 }, nil)
	c := s.interested(1)
	s.take()
	s.request(c, runAt(7))
	s.request(c, runAt(2))
	if msgs, _ := s.take(c); names(only(msgs, wire.REJE, wire.PIEC)) != "REJE PIEC" {
		t.Errorf("answered with %q", names(msgs))
	}
}

// TestChokeEmptiesTheQueue: what waits is rejected at the choke, what was
// handed to the host comes, and nothing more after.
func TestChokeEmptiesTheQueue(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.interested(1)
	for i := range 6 {
		s.request(c, runAt(i))
	}
	msgs, _ := s.take(c)
	handed := len(only(msgs, wire.PIEC))
	if handed < 1 || handed > bulkAhead {
		t.Fatalf("before the choke: %q", names(msgs))
	}
	for id := range byte(5) {
		s.interested(id + 2) // the last of them waits for a slot
	}
	s.h.Deliver(c, wire.NINT, "") // and gets this one
	for range 4 {
		s.h.Drain(c)
	}
	msgs, _ = s.take(c)
	want := "CHOK" + strings.Repeat(" REJE", 6-handed)
	if got := names(only(msgs, wire.CHOK, wire.REJE, wire.PIEC)); got != want {
		t.Errorf("at the choke: %q, want %q", got, want)
	}
	s.sound()
}

func TestCancel(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.interested(1)
	for i := range 4 {
		s.request(c, runAt(i))
	}
	msgs, _ := s.take(c)
	pieces := only(msgs, wire.PIEC)
	s.cancel(c, runAt(0)) // is on its way
	s.cancel(c, runAt(9)) // was never asked for
	s.cancel(c, runAt(2)) // waits
	s.cancel(c, runAt(2)) // does no more
	msgs, _ = s.take(c)
	if answers := only(msgs, wire.REJE, wire.PIEC); len(answers) != 1 || answers[0].run() != runAt(2) {
		t.Errorf("the cancels were answered with %v", answers)
	}
	for range 4 {
		s.h.Drain(c)
	}
	msgs, _ = s.take(c)
	if pieces = append(pieces, only(msgs, wire.PIEC)...); len(pieces) != 3 || pieces[2].run() != runAt(3) {
		t.Errorf("served %v", pieces)
	}
}

// TestEachRequestHasOneAnswer plays leechers that request, cancel, lose and gain
// interest at random while slots change hands: in the end each request has
// exactly one answer, and no PIEC was sent to a choked remote.
func TestEachRequestHasOneAnswer(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newStage(t, 64, all, nil)
		peers := map[p2p.ConnID]bool{} // the value says: unchoked
		open := map[string]int{}       // requests without an answer
		var ids []p2p.ConnID
		for id := range byte(9) {
			c := s.interested(id + 1)
			ids = append(ids, c)
		}
		settle := func() {
			msgs, closed := s.take()
			if len(closed) > 0 {
				t.Fatalf("seed %d: closed %v", seed, closed)
			}
			for _, m := range msgs {
				switch m.typ {
				case "UNCH":
					peers[m.conn] = true
				case "CHOK":
					peers[m.conn] = false
				case "PIEC", "REJE":
					if m.typ == "PIEC" && !peers[m.conn] {
						t.Fatalf("seed %d: a PIEC for a choked remote", seed)
					}
					r := m.run()
					if open[fmt.Sprint(m.conn, r)]--; open[fmt.Sprint(m.conn, r)] < 0 {
						t.Fatalf("seed %d: %v of %v was not asked for", seed, m.typ, r)
					}
				}
			}
			s.sound()
		}
		settle()
		for range 600 {
			c := ids[rng.IntN(len(ids))]
			r := piece.Run{Piece: rng.IntN(64), Begin: rng.IntN(2) * piece.BlockSize, Length: piece.BlockSize}
			switch rng.IntN(10) {
			default:
				open[fmt.Sprint(c, r)]++
				s.request(c, r)
			case 0:
				s.cancel(c, r)
			case 1:
				s.h.Deliver(c, wire.NINT, "")
			case 2:
				s.h.Deliver(c, wire.INTR, "")
			case 3, 4:
				s.h.Drain(c)
			case 5:
				s.h.Advance(time.Duration(rng.IntN(3000)) * time.Millisecond)
			}
			settle()
		}
		for range maxQueue + 1 {
			for _, c := range ids {
				s.h.Drain(c)
			}
		}
		settle()
		for r, n := range open {
			if n != 0 {
				t.Fatalf("seed %d: request %s has %d answers too few", seed, r, n)
			}
		}
	}
}

func TestFloodOfBadRequests(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.meet(1, wire.HNON)
	s.take()
	for range maxBad {
		s.request(c, runAt(0))
	}
	if msgs, closed := s.take(c); len(closed) != 0 || len(only(msgs, wire.REJE)) != maxBad {
		t.Fatalf("%d bad requests: closed %v", maxBad, closed)
	}
	s.request(c, runAt(0))
	if _, closed := s.take(); closed[c] != "flood" {
		t.Errorf("one more: closed with %q", closed[c])
	}
}

// TestFullQueue: what does not fit is rejected, so the memory is bounded.
func TestFullQueue(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.interested(1)
	s.take()
	const n = maxQueue + bulkAhead + 10
	for range n {
		s.request(c, runAt(0))
	}
	msgs, closed := s.take(c)
	handed, rejected := len(only(msgs, wire.PIEC)), len(only(msgs, wire.REJE))
	if rejected != n-maxQueue-handed || len(closed) != 0 {
		t.Errorf("%d sent, %d rejected; closed %v", handed, rejected, closed)
	}
	if n := len(s.remotes[c].queue); n != maxQueue {
		t.Errorf("%d queued", n)
	}
}

// TestSlowReader: a remote whose outbox is full is closed by the next message
// for it, for no message of ours may be lost.
func TestSlowReader(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.meet(1, wire.HNON)
	s.take()
	s.h.Fill(c, true)
	s.h.Deliver(c, wire.INTR, "")
	if _, closed := s.take(); closed[c] != "slow_reader" {
		t.Errorf("closed with %q", closed[c])
	}
	if len(s.order) != 0 {
		t.Error("it is still there")
	}
}

// TestFullBulkOutbox: a PIEC that the host refuses waits for Drained.
func TestFullBulkOutbox(t *testing.T) {
	s := newStage(t, stagePieces, all, nil)
	c := s.interested(1)
	s.take()
	s.h.Fill(c, true)
	s.request(c, runAt(4))
	s.h.Fill(c, false)
	if msgs, closed := s.take(c); len(msgs) != 0 || len(closed) != 0 {
		t.Fatalf("sent %q, closed %v", names(msgs), closed)
	}
	s.h.Drain(c)
	if msgs, _ := s.take(c); names(msgs) != "PIEC" {
		t.Errorf("sent %q", names(msgs))
	}
	if n := s.stats.SentPayload; n != piece.BlockSize {
		t.Errorf("%d bytes counted as sent", n)
	}
}

// TestLimitsDoNotWaitForEachOther: a slow limit for one direction does not hold
// the other up.
func TestLimitsDoNotWaitForEachOther(t *testing.T) {
	s := newStage(t, stagePieces, func(i int) bool { return i < 8 }, func(cfg *EngineConfig) {
		cfg.UpLimit, cfg.DownLimit = 1<<20, 1<<10
	})
	seed := s.meet(1, wire.HALL)
	s.h.Deliver(seed, wire.UNCH, "") // a request: the download is in debt for 16 s
	c := s.interested(2)
	s.take()
	for i := range 8 {
		s.request(c, runAt(i))
	}
	sent := 0
	for range 10 {
		s.h.Advance(50 * time.Millisecond)
		s.h.Drain(c)
		msgs, _ := s.take(c)
		sent += len(only(msgs, wire.PIEC))
	}
	if sent != 8 {
		t.Errorf("%d of 8 requests were served in half a second at 64 a second", sent)
	}
}

// TestServeGap: of a torrent of v2 alone, a client of BEP 3 may ask for whole
// blocks where a file ends; one of ours may not, and nobody may past the piece.
func TestServeGap(t *testing.T) {
	for _, tt := range []struct {
		name    string
		caps    uint16
		v2      bool
		run     piece.Run
		refused bool
	}{
		{"a block across the end", wire.CapBlocks, true, piece.Run{Piece: 0, Begin: 16 << 10, Length: 16 << 10}, false},
		{"of the last piece", wire.CapBlocks, true, piece.Run{Piece: 1, Begin: 16 << 10, Length: 16 << 10}, false},
		{"past the piece", wire.CapBlocks, true, piece.Run{Piece: 0, Begin: 16 << 10, Length: 32 << 10}, true},
		{"one of ours", 0, true, piece.Run{Piece: 0, Begin: 16 << 10, Length: 16 << 10}, true},
		{"v1", wire.CapBlocks, false, piece.Run{Piece: 1, Begin: 16 << 10, Length: 16 << 10}, true},
	} {
		s := newStage(t, 2, func(int) bool { return true }, func(cfg *EngineConfig) {
			cfg.Geometry = piece.Geometry{TotalLength: stagePiece + 20_000, PieceLength: stagePiece}
			if tt.v2 {
				g, err := piece.Aligned(stagePiece, slices.Values([]int64{20_000, 20_000}))
				if err != nil {
					t.Fatal(err)
				}
				cfg.Geometry = g
			}
		})
		h := testHello(1)
		h.Caps = tt.caps
		c := s.h.Accept("10.0.0.1:40000")
		s.h.Deliver(c, wire.HELO, helloOf(h))
		s.h.Deliver(c, wire.HNON, "")
		s.h.Deliver(c, wire.INTR, "")
		s.take()
		s.h.Deliver(c, wire.REQU, string(wire.AppendRun(nil, tt.run)))
		if msgs, closed := s.take(); (closed[c] == "bad_message") != tt.refused || !tt.refused && names(msgs) != "PIEC" {
			t.Errorf("%s: answered with %q, closed with %q", tt.name, names(msgs), closed[c])
		}
	}
}
