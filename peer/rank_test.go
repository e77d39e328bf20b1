package peer

import (
	"fmt"
	"net/netip"
	"testing"

	"starling/p2p"
	"starling/peer/canonical"
	"starling/peer/wire"
)

// TestOutrank: who is full among strangers gives the place of the lowest priority
// to one of a higher (BEP 40), one in ten seconds; on private addresses, and while
// our own is not known, nobody's.
func TestOutrank(t *testing.T) {
	us := netip.MustParseAddr("198.51.100.7")
	rank := func(addr string) uint32 {
		return canonical.Priority(netip.AddrPortFrom(us, 6881), netip.MustParseAddrPort(addr))
	}
	for _, tt := range []struct {
		name, network string
		known, gives  bool
	}{
		{"public", "203.0.%d.9:7000", true, true},
		{"our own address is not known", "203.0.%d.9:7000", false, false},
		{"private", "10.0.%d.9:7000", true, false},
	} {
		s := newStage(t, stagePieces, nothing, func(cfg *EngineConfig) { cfg.MaxRemotes = 4 })
		if tt.known {
			s.external = us
		}
		meet := func(k int) p2p.ConnID {
			h := testHello(byte(k))
			h.ListenPort = 7000
			c := s.h.Accept(fmt.Sprintf(tt.network, k))
			s.h.Deliver(c, wire.HELO, helloOf(h))
			s.h.Deliver(c, wire.HNON, "")
			return c
		}
		ids := map[int]p2p.ConnID{}
		lowest := 0
		for k := 1; k <= 4; k++ {
			ids[k] = meet(k)
			if lowest == 0 || rank(fmt.Sprintf(tt.network, k)) < rank(fmt.Sprintf(tt.network, lowest)) {
				lowest = k
			}
		}
		s.inbound = 1 << 30 // chance shuffles nobody
		s.take()
		admitted := 0
		for k := 5; k < 60; k++ {
			before := rank(fmt.Sprintf(tt.network, lowest))
			c := meet(k)
			if !s.h.Alive(c) {
				continue
			}
			admitted++
			if admitted == 1 && (s.h.Alive(ids[lowest]) || rank(fmt.Sprintf(tt.network, k)) <= before) {
				t.Errorf("%s: %d has a place, which is not that of %d, the lowest", tt.name, k, lowest)
			}
		}
		if want := map[bool]int{true: 1}[tt.gives]; admitted != want {
			t.Errorf("%s: %d were let in within a moment, want %d", tt.name, admitted, want)
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
}
