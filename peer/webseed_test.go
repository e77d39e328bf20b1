package peer

import (
	"io"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

const webAddr = "http://h/file"

// meetWeb lets a web seed connect, as package webseed does.
func (s *stage) meetWeb() p2p.ConnID {
	s.t.Helper()
	c := s.h.Accept(webAddr)
	hello := testHello(99)
	hello.ListenPort, hello.Caps = 0, 0
	s.h.Deliver(c, wire.HELO, helloOf(hello))
	s.h.Deliver(c, wire.HALL, "")
	if !s.h.Alive(c) {
		s.t.Fatalf("the web seed was refused: %s", s.h.Take())
	}
	return c
}

func withWeb(cfg *EngineConfig) { cfg.MaxRemotes, cfg.WebSeeds = 1, []string{webAddr} }

// TestWebSeedPlace: a web seed has a place beside those for peers, keeps it, and is
// neither dialed nor asked whom it knows.
func TestWebSeedPlace(t *testing.T) {
	s := newStage(t, 4, nothing, withWeb)
	first := s.meet(1, wire.HNON)
	web := s.meetWeb()
	s.h.Advance(settledAfter)
	if s.greetFrom(2); !s.h.Alive(first) || !s.h.Alive(web) {
		t.Fatalf("somebody lost its place: %s", s.h.Take())
	}
	_, closed := s.take()
	if len(closed) != 1 {
		t.Fatalf("%v were refused, want the second peer", closed)
	}
	if st := s.Stats(); st.Remotes != 2 || st.Incoming != 1 {
		t.Errorf("%d remotes, %d that dialed us, want 2 and 1", st.Remotes, st.Incoming)
	}
	s.h.Deliver(web, wire.UNCH, "")
	for range 30 {
		s.h.Advance(time.Second)
		s.h.Deliver(web, p2p.PING, "")
	}
	if msgs, _ := s.take(web); len(only(msgs, p2p.T("MSID"))) > 0 {
		t.Error("it was asked whom it knows")
	}
	s.h.Hangup(web, io.EOF)
	for range 30 {
		s.h.Advance(10 * time.Second)
		if lines := s.h.Take(); strings.Contains(lines, "dial "+webAddr) {
			t.Fatalf("it was dialed: %s", lines)
		}
	}
	s.sound()
}

// TestNobodyElseIsAWebSeed: what another says about itself makes it none.
func TestNobodyElseIsAWebSeed(t *testing.T) {
	s := newStage(t, 4, nothing, withWeb)
	s.meet(1, wire.HNON)
	s.h.Advance(settledAfter)
	c := s.h.Accept("http://h/other")
	s.h.Deliver(c, wire.HELO, helloOf(testHello(99)))
	if s.h.Alive(c) {
		t.Error("a place was made for it")
	}
}

// TestFromWebSeeds: what counts as theirs is what they gave of verified pieces.
func TestFromWebSeeds(t *testing.T) {
	s := newStage(t, 2, nothing, withWeb)
	web := s.meetWeb()
	s.take()
	s.h.Deliver(web, wire.SUGG, words(1))
	s.h.Deliver(web, wire.UNCH, "")
	msgs, _ := s.take(web)
	asked := only(msgs, wire.REQU)
	if len(asked) == 0 || asked[0].run().Piece != 1 {
		t.Fatalf("it was asked for %v", msgs)
	}
	for _, m := range asked {
		s.pieceOf(web, m.run())
	}
	s.finishJobs()
	if n := s.Stats().FromWebSeeds; n != stagePiece {
		t.Errorf("%d bytes, want %d", n, stagePiece)
	}
	s.sound()
}

// stretches takes stretches until there is none, or n.
func (s *stage) stretches(n int) (list [][2]int) {
	taken := piece.NewBitfield(s.geo.NumPieces())
	for len(list) < n {
		first, n, _ := webView{s.Engine}.Stretch(taken)
		if n == 0 {
			break
		}
		for i := first; i < first+n; i++ {
			if !taken.Set(i) {
				s.t.Fatalf("piece %d is chosen twice", i)
			}
		}
		list = append(list, [2]int{first, first + n})
	}
	return list
}

// TestStretchOwners: peers who know nothing of what the others fetch begin at
// different places, and each goes through all in the end.
func TestStretchOwners(t *testing.T) {
	const pieces, peers, begin = 1000, 4, 8
	var by [pieces]int
	for me := byte(1); me <= peers; me++ {
		s := newStage(t, pieces, nothing, func(cfg *EngineConfig) {
			cfg.PeerID, cfg.WebSeeds = [20]byte{me}, []string{webAddr}
		})
		s.meetWeb()
		for id := byte(1); id <= peers; id++ {
			if id != me {
				s.meet(id, wire.HNON)
			}
		}
		s.meet(50, wire.HALL) // who has all fetches nothing
		all := s.stretches(pieces)
		sum := 0
		for _, st := range all {
			sum += st[1] - st[0]
		}
		if sum != pieces {
			t.Errorf("peer %d: %d pieces in %d stretches", me, sum, len(all))
		}
		for _, st := range all[:begin] {
			for i := st[0]; i < st[1]; i++ {
				if by[i] != 0 {
					t.Errorf("piece %d is among the first of peers %d and %d", i, by[i], me)
				}
				by[i] = int(me)
			}
		}
	}
}

// TestStretchRare: pieces that nobody has come first, and those that we have, that
// are asked for or that are not wanted not at all.
func TestStretchRare(t *testing.T) {
	const pieces = 64
	wanted := piece.NewBitfield(pieces)
	for i := range 60 {
		wanted.Set(i)
	}
	s := newStage(t, pieces, func(i int) bool { return i < 4 }, func(cfg *EngineConfig) {
		cfg.WebSeeds, cfg.Wanted = []string{webAddr}, wanted
	})
	web := s.meetWeb()
	other := s.meet(1, wire.HNON)
	for i := 8; i < 56; i++ {
		s.h.Deliver(other, wire.HAVE, words(uint32(i)))
	}
	for _, st := range s.stretches(8) {
		if st[0] < 4 || st[0] >= 8 && st[0] < 56 || st[1] > 60 {
			t.Errorf("pieces %d to %d, though there are some that nobody has", st[0], st[1]-1)
		}
	}
	if n := len(s.stretches(pieces)); n != 56 {
		t.Errorf("%d stretches of a piece each, want 56", n)
	}
	view := webView{s.Engine}
	if view.Rare(8, 0) || !view.Rare(8, 1) || !view.Rare(7, 0) || view.Rare(3, 9) || view.Open(61) {
		t.Error("it takes one piece for another")
	}
	if first, n := view.After(58, piece.NewBitfield(pieces)); first != 58 || n != 1 {
		t.Errorf("%d pieces from %d on, want one from 58", n, first)
	}
	if first, n := view.After(60, piece.NewBitfield(pieces)); first != 4 || n != 1 {
		t.Errorf("%d pieces from %d on, want one from 4", n, first)
	}
	s.h.Deliver(web, wire.SUGG, words(5))
	s.h.Deliver(web, wire.UNCH, "")
	if view.Open(5) {
		t.Error("a piece that is asked for is open")
	}
	s.sound()
}

// TestStretchLength: a large torrent is fetched in stretches of 16 MiB, a small one
// in enough for all who share them.
func TestStretchLength(t *testing.T) {
	for _, c := range []struct {
		total, pieceLength int64
		rivals, want       int
	}{
		{16 << 30, 256 << 10, 0, 64},
		{16 << 30, 256 << 10, 50, 64},
		{16 << 30, 64 << 20, 0, 1},
		{64 << 20, 256 << 10, 0, 4},
		{64 << 20, 256 << 10, 50, 1},
		{1 << 20, 256 << 10, 0, 1},
	} {
		e := Engine{geo: piece.Geometry{TotalLength: c.total, PieceLength: c.pieceLength}}
		if got := e.stretch(c.rivals); got != c.want {
			t.Errorf("%d bytes, %d rivals: %d pieces, want %d", c.total, c.rivals, got, c.want)
		}
	}
}
