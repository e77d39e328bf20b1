package peer

import (
	"errors"
	"fmt"
	"testing"

	"starling/metainfo/merkle"
	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// memHashes are the trees of a memory: what is asked and answered names the piece.
type memHashes struct{ m *memory }

func (h memHashes) Answer(root merkle.Hash, r merkle.Request) ([]byte, bool) {
	return answerOf(int(r.Index / r.Length)), true
}

func (h memHashes) Want(i int) (wire.Hashes, bool) {
	return wire.Hashes{Request: merkle.Request{Index: int64(2 * i), Length: 2}}, h.m.geo.NumBlocks(i) > 1
}

func (h memHashes) Accept(i int, answer []byte) bool {
	if string(answer) != string(answerOf(i)) {
		return false
	}
	if h.m.leaves == nil {
		h.m.leaves = map[int]bool{}
	}
	h.m.leaves[i] = true
	return true
}

// answerOf stands for the hashes of piece i's blocks.
func answerOf(i int) []byte {
	b := make([]byte, 2*merkle.Size)
	b[0] = byte(i)
	return b
}

// partStage is a stage with a v2 torrent of pieces of two blocks, and remotes that
// are asked for one block at a time.
type partStage struct{ *stage }

func newPartStage(t testing.TB, pieces int, have func(int) bool) partStage {
	return partStage{newStage(t, pieces, have, func(cfg *EngineConfig) {
		cfg.Hashes = memHashes{cfg.Content.(*memory)}
	})}
}

func (s partStage) meet(id byte, has p2p.Type) p2p.ConnID {
	h := testHello(id)
	h.Caps, h.MaxRequest = wire.CapParts, piece.BlockSize
	c := s.h.Accept(fmt.Sprintf("10.0.0.%d:40000", id))
	s.h.Deliver(c, wire.HELO, helloOf(h))
	s.h.Deliver(c, has, "")
	s.take()
	return c
}

// hashes answers a request for the hashes of a piece's blocks.
func (s partStage) hashes(c p2p.ConnID, i int) {
	h, _ := s.cfg.Hashes.Want(i)
	h.Answer = answerOf(i)
	s.h.Deliver(c, wire.HASH, string(h.Append(nil)))
	s.finishJobs()
	s.sound()
}

// block delivers a block of a piece, right or wrong.
func (s partStage) block(c p2p.ConnID, i, k int, right bool) {
	if !right {
		s.full[i*stagePiece+k*piece.BlockSize] ^= 1
	}
	s.pieceOf(c, blockOf(i, k))
	if !right {
		s.full[i*stagePiece+k*piece.BlockSize] ^= 1
	}
	s.finishJobs()
	s.sound()
}

func blockOf(i, k int) piece.Run {
	return piece.Run{Piece: i, Begin: k * piece.BlockSize, Length: piece.BlockSize}
}

// TestPartsPassedOn: the hashes of a piece's blocks are asked for before the blocks
// if there is somebody to pass them on to, and a block that agrees with them is told
// and served while its piece is not whole.
func TestPartsPassedOn(t *testing.T) {
	s := newPartStage(t, 1, nothing)
	seed, taker := s.meet(1, wire.HALL), s.meet(2, wire.HNON)
	s.h.Deliver(seed, wire.UNCH, "")
	if msgs, _ := s.take(); names(msgs) != "HREQ REQU REQU" || msgs[0].conn != seed {
		t.Fatalf("asks %q", names(msgs))
	}
	s.hashes(seed, 0)
	s.block(seed, 0, 0, true)
	msgs, _ := s.take()
	if names(msgs) != "PART" || msgs[0].conn != taker || msgs[0].run() != blockOf(0, 0) {
		t.Fatalf("tells %q", names(msgs))
	}
	s.h.Deliver(taker, wire.INTR, "")
	if msgs, _ := s.take(taker); names(msgs) != "PART UNCH" {
		t.Errorf("the unchoked is told %q", names(msgs))
	}
	s.h.Deliver(taker, wire.REQU, wordsOf(blockOf(0, 0)))
	s.h.Deliver(taker, wire.REQU, wordsOf(blockOf(0, 1)))
	s.sound()
	if msgs, _ := s.take(taker); names(msgs) != "PIEC REJE" || msgs[0].run() != blockOf(0, 0) || msgs[1].run() != blockOf(0, 1) {
		t.Errorf("serves %q", names(msgs))
	}
	s.block(seed, 0, 1, true)
	msgs, _ = s.take(taker)
	if names(msgs) != "PART HAVE" || !s.pick.Done() || len(s.proving) != 0 {
		t.Errorf("a whole piece is told with %q, %d proving", names(msgs), len(s.proving))
	}
}

// TestPartsLateHashes: blocks that came before the hashes are proven when those come.
func TestPartsLateHashes(t *testing.T) {
	s := newPartStage(t, 1, nothing)
	seed, taker := s.meet(1, wire.HALL), s.meet(2, wire.HNON)
	s.h.Deliver(seed, wire.UNCH, "")
	s.block(seed, 0, 0, false)
	if msgs, _ := s.take(taker); len(msgs) > 0 {
		t.Errorf("unproven, and told with %q", names(msgs))
	}
	s.hashes(seed, 0)
	msgs, _ := s.take()
	if names(msgs) != "CANC REQU REQU" || s.stats.WastedCorrupt != piece.BlockSize {
		t.Errorf("after a wrong block: %q, %d wasted", names(msgs), s.stats.WastedCorrupt)
	}
	if s.bans.struckUntil("10.0.0.1:7001", [20]byte{1}).IsZero() {
		t.Error("it was not held against its sender")
	}
	// The hashes are known still: nothing is asked again, and what is right is told.
	s.block(seed, 0, 0, true)
	if msgs, _ := s.take(taker); names(msgs) != "PART" {
		t.Errorf("proven, and told with %q", names(msgs))
	}
	s.h.Deliver(seed, wire.REJE, wordsOf(blockOf(0, 1)))
	s.block(seed, 0, 1, false)
	if _, closed := s.take(); closed[seed] != "corrupt" {
		t.Errorf("the second wrong block: %v", closed)
	}

	// Hashes that come when the last block is there change nothing any more.
	s = newPartStage(t, 1, nothing)
	seed, _ = s.meet(1, wire.HALL), s.meet(2, wire.HNON)
	s.h.Deliver(seed, wire.UNCH, "")
	s.pieceOf(seed, blockOf(0, 0))
	s.pieceOf(seed, blockOf(0, 1))
	s.h.FinishJob(0)
	s.h.FinishJob(0)
	h, _ := s.cfg.Hashes.Want(0)
	h.Answer = answerOf(0)
	s.h.Deliver(seed, wire.HASH, string(h.Append(nil)))
	s.h.FinishJob(1) // of the verdict and the hashes, the hashes
	s.finishJobs()
	s.sound()
	if !s.pick.Done() || len(s.proving) > 0 {
		t.Errorf("done %v, %d proving", s.pick.Done(), len(s.proving))
	}
}

// TestPartsWanted: hashes are asked for only where they help.
func TestPartsWanted(t *testing.T) {
	for name, tt := range map[string]struct {
		setup func(s partStage) p2p.ConnID
		want  string
	}{
		"nobody to pass on to": {func(s partStage) p2p.ConnID { return s.meet(1, wire.HALL) }, "REQU REQU REQU REQU"},
		"another seed": {func(s partStage) p2p.ConnID {
			s.meet(2, wire.HALL)
			return s.meet(1, wire.HALL)
		}, "REQU REQU REQU REQU"},
		"of a seed that has none": {func(s partStage) p2p.ConnID {
			s.meet(2, wire.HNON)
			return s.stage.meet(1, wire.HALL)
		}, "REQU REQU"},
		"a taker that reads none": {func(s partStage) p2p.ConnID {
			s.stage.meet(2, wire.HNON)
			return s.meet(1, wire.HALL)
		}, "REQU REQU REQU REQU"},
		"a taker": {func(s partStage) p2p.ConnID {
			s.meet(2, wire.HNON)
			return s.meet(1, wire.HALL)
		}, "HREQ REQU REQU HREQ REQU REQU"},
	} {
		s := newPartStage(t, 2, nothing)
		c := tt.setup(s)
		s.take()
		s.h.Deliver(c, wire.UNCH, "")
		if msgs, _ := s.take(c); names(msgs) != tt.want {
			t.Errorf("%s: asks %q, want %q", name, names(msgs), tt.want)
		}
		s.sound()
	}
	// What others have a lot of pieces for needs no hashes.
	s := newPartStage(t, 4, func(i int) bool { return i == 0 })
	c := s.meet(1, wire.HALL)
	s.meet(2, wire.HNON)
	s.take()
	s.h.Deliver(c, wire.UNCH, "")
	if msgs, _ := s.take(c); len(only(msgs, wire.HREQ)) > 0 {
		t.Errorf("asks %q, though there is a piece for the taker", names(msgs))
	}
}

// TestHashAnswers: what answers no request ends the connection, and so does what is
// wrong; a rejection and the end of the remote do not keep the piece from coming.
func TestHashAnswers(t *testing.T) {
	start := func() (s partStage, seed p2p.ConnID) {
		s = newPartStage(t, 1, nothing)
		seed = s.meet(1, wire.HALL)
		s.meet(2, wire.HNON)
		s.h.Deliver(seed, wire.UNCH, "")
		s.take()
		return s, seed
	}
	asked, _ := memHashes{&memory{geo: piece.Geometry{TotalLength: stagePiece, PieceLength: stagePiece}}}.Want(0)
	right, other := asked, asked
	right.Answer = answerOf(0)
	other.Root[0] = 1
	head := func(h wire.Hashes) string { return string(h.Append(nil)) }
	for name, tt := range map[string]struct {
		typ    p2p.Type
		heads  []string
		closed string
	}{
		"right":           {wire.HASH, []string{head(right)}, ""},
		"twice":           {wire.HASH, []string{head(right), head(right)}, "bad_message"},
		"of another tree": {wire.HASH, []string{head(other)}, "bad_message"},
		"cut off":         {wire.HASH, []string{head(right)[:50]}, "bad_message"},
		"wrong":           {wire.HASH, []string{head(asked) + string(answerOf(9))}, "corrupt"},
		"rejected":        {wire.HREJ, []string{head(asked)}, ""},
		"rejected twice":  {wire.HREJ, []string{head(asked), head(asked)}, "bad_message"},
	} {
		s, seed := start()
		for _, h := range tt.heads {
			s.h.Deliver(seed, tt.typ, h)
		}
		s.finishJobs()
		s.sound()
		if _, closed := s.take(); closed[seed] != tt.closed {
			t.Errorf("%s: closed with %q, want %q", name, closed[seed], tt.closed)
		}
		if tt.closed != "" {
			// Another seed is asked for the blocks and, for nobody answered, the hashes.
			c := s.meet(3, wire.HALL)
			s.h.Deliver(c, wire.UNCH, "")
			seed = c
		}
		s.block(seed, 0, 0, true)
		s.block(seed, 0, 1, true)
		if !s.pick.Done() {
			t.Errorf("%s: not done", name)
		}
	}
	s, seed := start()
	s.h.Hangup(seed, nil)
	c := s.meet(3, wire.HALL)
	s.h.Deliver(c, wire.UNCH, "")
	if msgs, _ := s.take(c); names(msgs) != "HREQ REQU REQU" {
		t.Errorf("after the first is gone: %q", names(msgs))
	}
}

// TestPartsHeard: a remote that tells of blocks is asked for them and for no others;
// what it takes back, or has whole, is no part any more.
func TestPartsHeard(t *testing.T) {
	s := newPartStage(t, 3, func(i int) bool { return i == 2 })
	c := s.meet(1, wire.HNON)
	part := func(r piece.Run) { s.h.Deliver(c, wire.PART, wordsOf(r)); s.sound() }
	part(blockOf(2, 0))
	if msgs, _ := s.take(); len(msgs) > 0 {
		t.Errorf("of a piece we have: %q", names(msgs))
	}
	part(blockOf(1, 1))
	if msgs, _ := s.take(c); names(msgs) != "INTR" {
		t.Errorf("says %q", names(msgs))
	}
	s.h.Deliver(c, wire.UNCH, "")
	msgs, _ := s.take(c)
	if names(msgs) != "REQU" || msgs[0].run() != blockOf(1, 1) {
		t.Fatalf("asks %q", names(msgs))
	}
	s.block(c, 1, 1, true)
	if msgs, _ := s.take(c); len(msgs) > 0 {
		t.Errorf("while more may come: %q", names(msgs))
	}
	part(blockOf(1, 0))
	if msgs, _ := s.take(c); len(only(msgs, wire.REQU)) != 1 {
		t.Errorf("more: %q", names(msgs))
	}
	s.block(c, 1, 0, true)
	if !s.pick.Have().Has(1) || len(s.remotes[c].parts) != 0 {
		t.Errorf("%d parts after the piece is had", len(s.remotes[c].parts))
	}
	if msgs, _ := s.take(c); len(only(msgs, wire.NINT)) != 1 {
		t.Errorf("with nothing more to want: %q", names(msgs))
	}
	part(blockOf(0, 0))
	s.h.Deliver(c, wire.DONT, words(0))
	s.sound()
	if len(s.remotes[c].parts) != 0 {
		t.Error("a part that was taken back is kept")
	}
	part(blockOf(0, 0))
	s.h.Deliver(c, wire.HAVE, words(0))
	s.sound()
	if len(s.remotes[c].parts) != 0 || s.remotes[c].useful != 1 {
		t.Error("a part of a piece that it has")
	}
	for _, r := range []piece.Run{{Piece: 3, Length: piece.BlockSize}, {Piece: 0, Begin: 5, Length: piece.BlockSize}, {Piece: 0}} {
		s := newPartStage(t, 3, nothing)
		c := s.meet(1, wire.HNON)
		s.h.Deliver(c, wire.PART, wordsOf(r))
		if _, closed := s.take(); closed[c] != "bad_message" {
			t.Errorf("PART of %v: closed with %q", r, closed[c])
		}
	}
	// Of any number of parts some are kept.
	s = newPartStage(t, maxParts+5, nothing)
	c = s.meet(1, wire.HNON)
	for i := range maxParts + 5 {
		part(blockOf(i, 0))
	}
	if n := len(s.remotes[c].parts); n != maxParts {
		t.Errorf("%d parts", n)
	}
}

// TestPartsTakenBack: blocks of a piece that is not to be had are taken back, and what
// was asked of them rejected.
func TestPartsTakenBack(t *testing.T) {
	s := newPartStage(t, 1, nothing)
	seed, taker := s.meet(1, wire.HALL), s.meet(2, wire.HNON)
	s.h.Deliver(seed, wire.UNCH, "")
	s.hashes(seed, 0)
	s.block(seed, 0, 0, true)
	s.h.Deliver(taker, wire.INTR, "")
	for range 4 { // two are with the host
		s.h.Deliver(taker, wire.REQU, wordsOf(blockOf(0, 0)))
	}
	s.pieceOf(seed, blockOf(0, 1))
	s.h.FinishJob(0)
	s.take()
	s.mem.unread = errors.New("input/output error")
	s.finishJobs()
	s.sound()
	msgs, _ := s.take(taker)
	if len(only(msgs, wire.DONT)) != 1 || len(only(msgs, wire.REJE)) != 3 || s.pick.Have().Has(0) {
		t.Errorf("says %q", names(msgs))
	}
	s.mem.unread = nil
	s.h.Advance(2 * diskRetry)
	s.finishJobs()
	s.sound()
	if msgs, _ := s.take(seed); len(only(msgs, wire.REQU)) == 0 {
		t.Error("nothing is asked for again")
	}
}

// TestPartsFew: with many pieces it is not done.
func TestPartsFew(t *testing.T) {
	s := newPartStage(t, fewPieces+1, nothing)
	seed := s.meet(1, wire.HALL)
	s.meet(2, wire.HNON)
	s.h.Deliver(seed, wire.UNCH, "")
	if msgs, _ := s.take(); len(only(msgs, wire.HREQ)) > 0 || len(only(msgs, wire.REQU)) == 0 {
		t.Errorf("asks %q", names(msgs))
	}
}
