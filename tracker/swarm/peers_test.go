package swarm

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestAppendPeers: the peers of both families are listed as they announced, at most so
// many, and none of another swarm.
func TestAppendPeers(t *testing.T) {
	s, rng, r := New(Fleet()), rand.New(rand.NewPCG(1, 2)), new(Response)
	var want []Listed
	for i, addr := range []string{"10.0.0.1:1", "10.0.0.2:2", "[fd00::3]:3"} {
		q := &Request{InfoHash: InfoHash{1}, PeerID: [20]byte{byte(i)}, Addr: netip.MustParseAddrPort(addr), Left: int64(i % 2)}
		if err := s.Announce(rng, time.Duration(i)*time.Second, q, r); err != nil {
			t.Fatal(err)
		}
		want = append(want, Listed{Addr: q.Addr, ID: q.PeerID, Seed: i%2 == 0, Silent: time.Duration(9-i) * time.Second})
	}
	got := s.AppendPeers(nil, 9*time.Second, InfoHash{1}, 9)
	slices.SortFunc(got, func(a, b Listed) int { return a.Addr.Compare(b.Addr) })
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for most := range 4 {
		if got := s.AppendPeers(nil, 9*time.Second, InfoHash{1}, most); len(got) != most {
			t.Errorf("%d peers, want %d", len(got), most)
		}
	}
	if got := s.AppendPeers(nil, 9*time.Second, InfoHash{2}, 9); len(got) != 0 {
		t.Errorf("of a swarm that is not there: %+v", got)
	}
	if err := s.Register(InfoHash{3}); err != nil {
		t.Fatal(err)
	}
	if all := s.AppendHashes(nil, 9); len(all) != 2 || len(s.AppendHashes(nil, 1)) != 1 || len(s.AppendHashes(nil, 0)) != 0 {
		t.Errorf("swarms %x", all)
	}
}
