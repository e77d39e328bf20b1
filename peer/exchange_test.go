package peer

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/pex"
	"starling/peer/wire"
)

func (s *stage) info(c p2p.ConnID, i wire.Info) { s.h.Deliver(c, wire.INFO, string(i.Append(nil))) }

// candidates lists the addresses that the engine knows.
func (s *stage) candidates() (addrs []string) {
	for _, c := range s.cands.list {
		addrs = append(addrs, c.addr)
	}
	return addrs
}

// listing asks for LIST on a connection of its own.
func (s *stage) listing() string {
	s.t.Helper()
	s.h.Take()
	s.h.Deliver(s.h.Accept("10.9.9.9:1"), p2p.LIST, "")
	return s.h.Take()
}

// TestInfoSaid: who has BEP 10 is told what HELO had no room for; nobody else.
func TestInfoSaid(t *testing.T) {
	dictionary := make([]byte, 31235)
	for _, tt := range []struct {
		name string
		have func(int) bool
		mod  func(*EngineConfig)
		caps uint16
		want wire.Info
	}{
		{"a leecher", nothing, nil, fullCaps, wire.Info{ListenPort: 6881, MaxQueue: 512, Flags: wire.InfoPEX}},
		{"a seed", all, nil, fullCaps, wire.Info{ListenPort: 6881, MaxQueue: 512, Flags: wire.InfoPEX | wire.InfoUploadOnly}},
		{"private", nothing, func(c *EngineConfig) { c.Private = true }, fullCaps, wire.Info{ListenPort: 6881, MaxQueue: 512}},
		{"with the dictionary", nothing, func(c *EngineConfig) { c.Metadata = dictionary }, fullCaps,
			wire.Info{ListenPort: 6881, MaxQueue: 512, Flags: wire.InfoPEX | wire.InfoMeta, Metadata: 31235}},
		{"to one that asks for runs", nothing, nil, wire.CapInfo, wire.Info{ListenPort: 6881, MaxQueue: 64, Flags: wire.InfoPEX}},
	} {
		s := newStage(t, stagePieces, tt.have, tt.mod)
		c := s.foreign(1, tt.caps, wire.HNON)
		msgs, _ := s.take(c)
		if said := only(msgs, wire.INFO); len(said) != 1 || !bytes.Equal(said[0].head, tt.want.Append(nil)) {
			t.Errorf("%s: it said %v", tt.name, said)
		}
	}
	s := newStage(t, stagePieces, all, nil)
	for i, caps := range []uint16{0, wire.CapSuggest, plainCaps} {
		c := s.foreign(byte(i+1), caps, wire.HNON)
		if msgs, _ := s.take(c); len(only(msgs, wire.INFO)) != 0 {
			t.Errorf("caps %d: %q", caps, names(msgs))
		}
	}
}

// TestInfoPort: a remote that tells its port by INFO only is known by it from then
// on: to us, to LIST and to others. The first word counts.
func TestInfoPort(t *testing.T) {
	for _, early := range []bool{false, true} {
		s := newStage(t, stagePieces, nothing, nil)
		c := s.h.Accept("10.0.0.1:40000")
		h := &wire.Hello{Version: 1, Caps: fullCaps, InfoHash: stageHash, PeerID: [20]byte{1}, MaxQueue: 250, MaxRequest: 16 << 10}
		s.h.Deliver(c, wire.HELO, helloOf(h))
		if early { // between HELO and what it has
			s.info(c, wire.Info{ListenPort: 5555})
		}
		s.h.Deliver(c, wire.HNON, "")
		s.sound()
		if !early {
			if got := s.listing(); strings.Contains(got, "10.0.0.1") || len(s.candidates()) != 0 || len(s.connected()) != 0 {
				t.Errorf("before its port is known: LIST %q, candidates %v", got, s.candidates())
			}
			s.info(c, wire.Info{})
			s.info(c, wire.Info{ListenPort: 5555})
		}
		s.info(c, wire.Info{ListenPort: 6666})
		if got := s.listing(); !strings.Contains(got, "10.0.0.1 5555") || strings.Contains(got, "6666") {
			t.Errorf("LIST %q", got)
		}
		if got := s.candidates(); !slices.Equal(got, []string{"10.0.0.1:5555"}) {
			t.Errorf("candidates %v", got)
		}
		if got := s.connected(); len(got) != 1 || got[0].Addr != netip.MustParseAddrPort("10.0.0.1:5555") {
			t.Errorf("others would be told of %v", got)
		}
		s.h.Hangup(c, p2p.Violation(p2p.ReasonIO, "reset"))
		if got := s.listing(); strings.Contains(got, "5555") {
			t.Errorf("LIST when it is gone: %q", got)
		}
		s.h.Advance(3 * time.Second)
		if got := s.h.Take(); !strings.Contains(got, " 10.0.0.1:5555\n") {
			t.Errorf("it is not dialed: %q", got)
		}
	}
}

// TestInfoOfBanned: a ban holds, too, for an address that is known by INFO only.
func TestInfoOfBanned(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	for range strikesToBan {
		s.bans.strike(s.now(), "10.0.0.1:5555", [20]byte{99})
	}
	c := s.foreign(1, fullCaps, wire.HNON)
	s.take()
	s.info(c, wire.Info{ListenPort: 5555})
	if _, closed := s.take(); closed[c] != "banned" {
		t.Errorf("closed with %q", closed[c])
	}
	s.sound()
}

// parts asks for parts of the dictionary and returns what was said of each, "data" or
// "reject", and the data.
func (s *stage) parts(c p2p.ConnID, parts ...int64) (kinds string, data []byte) {
	s.t.Helper()
	s.take()
	for _, p := range parts {
		s.h.Deliver(c, wire.META, string((&wire.Meta{Kind: wire.MetaRequest, Part: p}).Append(nil)))
		s.sound()
	}
	msgs, _ := s.take(c)
	for _, m := range only(msgs, wire.META) {
		a, err := wire.ParseMeta(m.head)
		if err != nil {
			s.t.Fatal(err)
		}
		kinds += fmt.Sprintf("%s %d, ", []string{"request", "data", "reject"}[a.Kind], a.Part)
		if a.Kind == wire.MetaData && a.Total != int64(len(s.cfg.Metadata)) {
			s.t.Errorf("part %d of %d bytes", a.Part, a.Total)
		}
		data = append(data, a.Data...)
	}
	return strings.TrimSuffix(kinds, ", "), data
}

// TestMetadata: the dictionary is given to who asks, choked or not, three times over
// to each remote and then no more; a part that is not there is rejected.
func TestMetadata(t *testing.T) {
	dictionary := make([]byte, 2*wire.MetaPart+9)
	for i := range dictionary {
		dictionary[i] = byte(i / 7)
	}
	s := newStage(t, stagePieces, nothing, func(c *EngineConfig) { c.Metadata = dictionary })
	c, d := s.foreign(1, fullCaps, wire.HNON), s.foreign(2, fullCaps, wire.HNON)
	if kinds, _ := s.parts(c, 3, -1, 1<<40); kinds != "reject 3, reject -1, reject 1099511627776" {
		t.Errorf("out of range: %s", kinds)
	}
	for turn := range metaTurns {
		kinds, data := s.parts(c, 0, 1, 2)
		if kinds != "data 0, data 1, data 2" || !bytes.Equal(data, dictionary) {
			t.Errorf("turn %d: %s", turn, kinds)
		}
		s.h.Advance(tickEvery)
	}
	if kinds, _ := s.parts(c, 0, 1); kinds != "reject 0, reject 1" {
		t.Errorf("after %d turns: %s", metaTurns, kinds)
	}
	if kinds, _ := s.parts(d, 1); kinds != "data 1" {
		t.Errorf("another: %s", kinds)
	}
	// What is no request is not answered.
	s.take()
	for _, m := range []wire.Meta{{Kind: wire.MetaData, Part: 0, Total: 5}, {Kind: wire.MetaReject}, {Kind: 77}} {
		s.h.Deliver(c, wire.META, string(m.Append(nil)))
	}
	if msgs, closed := s.take(); len(msgs) != 0 || len(closed) != 0 {
		t.Errorf("answered with %q, closed %v", names(msgs), closed)
	}
	s.h.Deliver(c, wire.META, "none")
	if _, closed := s.take(); closed[c] != "bad_message" {
		t.Errorf("closed with %q", closed[c])
	}
	s = newStage(t, stagePieces, nothing, nil)
	if kinds, _ := s.parts(s.foreign(1, fullCaps, wire.HNON), 0); kinds != "reject 0" {
		t.Errorf("without the dictionary: %s", kinds)
	}
}

// TestMetadataAtOnce: who asks for all of a large dictionary at once gets it bit by
// bit, in order, and fills no outbox.
func TestMetadataAtOnce(t *testing.T) {
	dictionary := make([]byte, 50*wire.MetaPart)
	for i := range dictionary {
		dictionary[i] = byte(i >> 12)
	}
	s := newStage(t, stagePieces, nothing, func(c *EngineConfig) { c.Metadata = dictionary })
	c := s.foreign(1, fullCaps, wire.HNON)
	var every []int64
	for i := range 50 {
		every = append(every, int64(i))
	}
	_, got := s.parts(c, every...)
	for seconds := 0; len(got) < len(dictionary); seconds++ {
		if n := len(got); n > (seconds+1)*metaBurst*wire.MetaPart || seconds > 10 {
			t.Fatalf("%d bytes after %d s", n, seconds)
		}
		s.take()
		s.h.Advance(tickEvery)
		msgs, _ := s.take(c)
		for _, m := range only(msgs, wire.META) {
			a, err := wire.ParseMeta(m.head)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, a.Data...)
		}
		s.sound()
	}
	if !bytes.Equal(got, dictionary) {
		t.Error("it is not what was asked for")
	}
	_, _ = s.parts(c, every...)
	s.h.Hangup(c, p2p.Violation(p2p.ReasonIO, "reset"))
	s.h.Advance(3 * tickEvery)
	s.sound()
}

func peersOf(addrs ...string) (m pex.Message) {
	for _, a := range addrs {
		m.Added = append(m.Added, pex.Peer{Addr: netip.MustParseAddrPort(a)})
	}
	return m
}

func (s *stage) peex(c p2p.ConnID, m pex.Message) { s.h.Deliver(c, wire.PEEX, string(m.Append(nil))) }

// TestPEEXHeard: the peers that a remote names become candidates and are dialed; in
// a private torrent they are not.
func TestPEEXHeard(t *testing.T) {
	for _, private := range []bool{false, true} {
		s := newStage(t, stagePieces, nothing, func(c *EngineConfig) { c.Private = private })
		c := s.foreign(1, fullCaps, wire.HNON)
		s.take()
		s.peex(c, peersOf("10.3.0.1:1001", "[2001:db8::1]:1002"))
		s.sound()
		want := []string{"10.3.0.1:1001", "[2001:db8::1]:1002"}
		lines := s.h.Take()
		if private {
			want = nil
		}
		if got := s.candidates(); !slices.Equal(got, want) || strings.Contains(lines, "dial") == private {
			t.Errorf("private %v: candidates %v, said %q", private, got, lines)
		}
		if !private {
			s.h.Deliver(c, wire.PEEX, "no dictionary")
			if _, closed := s.take(); closed[c] != "bad_message" {
				t.Errorf("closed with %q", closed[c])
			}
		}
	}
}

// TestPEEXFlood: who sends them too often is closed, and no number of them makes the
// list of candidates longer than peers may make it.
func TestPEEXFlood(t *testing.T) {
	s := newStage(t, stagePieces, nothing, nil)
	c := s.foreign(1, fullCaps, wire.HNON)
	s.take()
	n := 0
	for ; s.h.Alive(c) && n < 20; n++ {
		var addrs []string
		for i := range 100 {
			addrs = append(addrs, fmt.Sprintf("10.%d.0.%d:6881", 10+n, i+1))
		}
		s.peex(c, peersOf(addrs...))
		s.sound()
	}
	if _, closed := s.take(); closed[c] != "flood" || n != 5 {
		t.Errorf("closed with %q after %d", closed[c], n)
	}
	for id := range byte(20) {
		d := s.foreign(50+id, fullCaps, wire.HNON)
		var addrs []string
		for i := range 100 {
			addrs = append(addrs, fmt.Sprintf("10.%d.1.%d:6881", 100+id, i+1))
		}
		s.peex(d, peersOf(addrs...))
		s.sound()
	}
	if n := len(s.cands.list); n > maxCandidates/4 {
		t.Errorf("%d candidates from peers", n)
	}
}

// toldPeers are the PEEX messages that a remote was sent since the last take, and
// nobody else.
func (s *stage) toldPeers(c p2p.ConnID) (ms []pex.Message) {
	s.t.Helper()
	msgs, _ := s.take()
	for _, m := range only(msgs, wire.PEEX) {
		if m.conn != c {
			s.t.Errorf("connection %d is told of peers", m.conn)
		}
		x, err := pex.Parse(m.head)
		if err != nil {
			s.t.Fatal(err)
		}
		ms = append(ms, x)
	}
	return ms
}

// TestPEEXTold: a remote that reads PEEX is told who is connected, and then each
// minute who came and who went: those only that listen, and not itself. One that
// does not say that it reads them gets none, and in a private torrent nobody.
func TestPEEXTold(t *testing.T) {
	for _, private := range []bool{false, true} {
		s := newStage(t, stagePieces, nothing, func(c *EngineConfig) { c.Private = private })
		seed := s.meet(1, wire.HALL) // of ours, listens at 7001
		reader := s.foreign(2, fullCaps, wire.HNON)
		deaf := s.foreign(3, fullCaps, wire.HNON)
		s.info(reader, wire.Info{ListenPort: 2222, Flags: wire.InfoPEX})
		s.info(deaf, wire.Info{})
		s.take()
		s.h.Advance(2 * time.Second)
		s.sound()
		first := s.toldPeers(reader)
		if private {
			s.h.Advance(3 * time.Minute)
			if more := s.toldPeers(reader); len(first)+len(more) != 0 {
				t.Errorf("in a private torrent: %v %v", first, more)
			}
			continue
		}
		want := []pex.Peer{{Addr: netip.MustParseAddrPort("10.0.0.1:7001"), Flags: pex.Seed}}
		if len(first) != 1 || !slices.Equal(first[0].Added, want) || len(first[0].Dropped) != 0 {
			t.Fatalf("told %+v", first)
		}
		s.h.Hangup(seed, p2p.Violation(p2p.ReasonIO, "reset"))
		s.meet(4, wire.HNON)
		s.take()
		s.h.Advance(50 * time.Second)
		if early := s.toldPeers(reader); len(early) != 0 {
			t.Errorf("within a minute: %+v", early)
		}
		s.h.Advance(15 * time.Second)
		s.sound()
		later := s.toldPeers(reader)
		if len(later) != 1 || len(later[0].Added) != 1 || later[0].Added[0].Addr.Port() != 7004 ||
			!slices.Equal(later[0].Dropped, []netip.AddrPort{want[0].Addr}) {
			t.Errorf("told %+v", later)
		}
	}
}
