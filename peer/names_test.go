package peer

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

var stageHash2 = [20]byte{2}

// callingStage is an engine of a hybrid that lacks all, and what it heard of dials.
func callingStage(t *testing.T, mod func(*EngineConfig)) (*stage, *[]string) {
	calls := &[]string{}
	return newStage(t, stagePieces, nothing, func(cfg *EngineConfig) {
		cfg.InfoHashV2 = stageHash2
		cfg.OnDial = func(addr string, infoHash [20]byte) { *calls = append(*calls, addr+" by "+fmt.Sprint(infoHash[0])) }
		if mod != nil {
			mod(cfg)
		}
	}), calls
}

// said is the infohash of the only HELO that was sent since the last take.
func (s *stage) said() (infoHash byte) {
	s.t.Helper()
	msgs, _ := s.take()
	helos := only(msgs, wire.HELO)
	if len(helos) != 1 {
		s.t.Fatalf("sent: %s", names(msgs))
	}
	h, err := wire.ParseHello(helos[0].head)
	if err != nil {
		s.t.Fatal(err)
	}
	return h.InfoHash[0]
}

// TestHybridAnnounces: a tracker hears of both names, and who it tells of is called
// by the name under which it knows him; by the first where it knows him by both.
func TestHybridAnnounces(t *testing.T) {
	an := &script{next: Announced{
		Interval: time.Minute, Peers: []string{"10.0.0.1:1", "10.0.0.3:3"}, PeersV2: []string{"10.0.0.2:2", "10.0.0.3:3"},
	}}
	s, calls := callingStage(t, func(cfg *EngineConfig) { cfg.Announcer = an })
	if a := an.said[0]; a.InfoHash != stageHash || a.InfoHashV2 != stageHash2 || a.Event != EventStarted {
		t.Errorf("%+v", a)
	}
	if want := []string{"10.0.0.1:1 by 1", "10.0.0.3:3 by 1", "10.0.0.2:2 by 2"}; !slices.Equal(*calls, want) {
		t.Fatalf("it calls %q, want %q", *calls, want)
	}
	for i, want := range []byte{1, 1, 2} {
		c := s.order[i].id
		s.h.Open(c)
		if got := s.said(); got != want {
			t.Errorf("the HELO to %d has name %d, want %d", i, got, want)
		}
	}
	// libtorrent may answer to one name with the other; nobody with a third.
	for i, name := range []byte{2, 3} {
		c := s.order[i].id
		h := testHello(byte(1 + i))
		h.InfoHash = [20]byte{name}
		s.h.Deliver(c, wire.HELO, helloOf(h))
		if _, closed := s.take(); len(closed) != i || i == 1 && closed[c] != "unknown_torrent" {
			t.Errorf("the answer has name %d: closed %v", name, closed)
		}
	}
	s.sound()
}

// TestHybridRefused: who hangs up on one name twice is called by the other, and what
// he answers to is kept. A torrent with one name has no other.
func TestHybridRefused(t *testing.T) {
	for _, hybrid := range []bool{true, false} {
		s, calls := callingStage(t, func(cfg *EngineConfig) {
			if !hybrid {
				cfg.InfoHashV2 = cfg.InfoHash
			}
		})
		s.AddPeers([]string{"10.0.0.1:7001"})
		lost := p2p.Violation(p2p.ReasonIO, "reset")
		dial := func() p2p.ConnID {
			for range 400 {
				if len(s.order) > 0 {
					break
				}
				s.h.Advance(time.Second)
			}
			c := s.order[0].id
			s.h.Open(c)
			return c
		}
		for range 2 * perName {
			s.h.Hangup(dial(), lost)
		}
		want := "1122"
		if !hybrid {
			want = "1111"
		}
		got := ""
		for _, c := range *calls {
			got += c[len(c)-1:]
		}
		if got != want {
			t.Errorf("hybrid %v: called by %s, want %s", hybrid, got, want)
		}
		if !hybrid {
			continue
		}
		s.h.Hangup(dial(), lost)
		s.h.Hangup(dial(), lost)
		s.take()
		c := dial() // the turn of the second name
		h := testHello(1)
		h.InfoHash = stageHash2
		s.h.Deliver(c, wire.HELO, helloOf(h))
		s.h.Deliver(c, wire.HALL, "")
		if got := s.said(); got != 2 || !s.h.Alive(c) {
			t.Fatalf("called by %d", got)
		}
		s.h.Hangup(c, lost)
		s.take()
		dial()
		if got := s.said(); got != 2 {
			t.Errorf("the next time called by %d", got)
		}
		s.sound()
	}
}

// TestHybridFound: by which name somebody is called that was found in other ways.
func TestHybridFound(t *testing.T) {
	s, calls := callingStage(t, nil)
	s.AddFound(stageHash2, []string{"10.0.0.1:1"})
	s.AddFound(stageHash, []string{"10.0.0.2:2"})
	s.AddPeers([]string{"10.0.0.3:3"})
	// Whom one tells of that called us by the second name has it too.
	c := s.h.Accept("10.0.0.4:40000")
	h := testHello(14)
	h.InfoHash, h.Caps = stageHash2, fullCaps
	s.h.Deliver(c, wire.HELO, helloOf(h))
	s.h.Deliver(c, wire.HNON, "")
	if got := s.said(); got != 2 {
		t.Errorf("answered by %d", got)
	}
	s.peex(c, peersOf("10.0.0.5:5"))
	if want := []string{"10.0.0.1:1 by 2", "10.0.0.2:2 by 1", "10.0.0.3:3 by 1", "10.0.0.5:5 by 2"}; !slices.Equal(*calls, want) {
		t.Errorf("it calls %q, want %q", *calls, want)
	}
	s.sound()
}
