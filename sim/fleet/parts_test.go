package fleet

import (
	"fmt"
	"testing"
	"time"

	"starling/choke"
)

// bigPieces is a flash crowd at 100 Mbit/s of a content of a few large pieces.
func bigPieces(policy string, v2 bool) Spec {
	s := Default()
	s.PieceLength = 8 << 20
	s.Size = 32 * s.PieceLength
	s.V2, s.Peer.Policy = v2, policy
	s.Probe = time.Second
	s.Hosts = append(s.Hosts, HostSpec{Name: "seed", Role: Seed, Up: 12.5e6, Down: 12.5e6})
	for i := range 24 {
		s.Hosts = append(s.Hosts, HostSpec{Name: fmt.Sprintf("leecher-%d", i), Up: 12.5e6, Down: 12.5e6})
	}
	return s
}

// begun is when the leechers have a twentieth of the content, on the mean.
func begun(r *Result) time.Duration {
	for _, x := range r.Samples {
		if x.UpBytes > 24*32*(8<<20)/20 {
			return x.At
		}
	}
	return -1
}

// TestPartsShortenTheStart: blocks of a v2 torrent that are passed on before their
// piece is whole bring a crowd under way sooner, and to its end.
func TestPartsShortenTheStart(t *testing.T) {
	for _, policy := range []string{choke.Cooperative, choke.TitForTat} {
		whole, parts := bigPieces(policy, false), bigPieces(policy, true)
		a, b := mustRun(t, &whole, Options{}), mustRun(t, &parts, Options{})
		t.Logf("%s: a twentieth after %v and %v, half complete after %v and %v, the last after %v and %v",
			policy, begun(a), begun(b), a.All.P50, b.All.P50, a.All.Last, b.All.Last)
		if begun(b) > begun(a)*2/3 || b.All.P50 > a.All.P50*97/100 {
			t.Errorf("%s: a twentieth after %v instead of %v, half after %v instead of %v",
				policy, begun(b), begun(a), b.All.P50, a.All.P50)
		}
		if b.Messages["PART"] == 0 || b.Messages["HASH"] == 0 || a.Messages["PART"]+a.Messages["HREQ"] > 0 {
			t.Errorf("%d PART and %d HASH with v2; %d and %d HREQ without", b.Messages["PART"], b.Messages["HASH"],
				a.Messages["PART"], a.Messages["HREQ"])
		}
	}
}

// TestPartsFaults: nothing is broken where peers crash, leave, lie, send corrupt blocks
// and lose their disks in the midst of it.
func TestPartsFaults(t *testing.T) {
	for seed := range uint64(24) {
		s := bigPieces([]string{choke.Cooperative, choke.TitForTat}[seed%2], true)
		s.RNGSeed = seed
		s.PieceLength, s.Size = 2<<20, 24<<20
		s.Hosts = s.Hosts[:13]
		s.Hosts[3].Corrupts, s.Hosts[4].Lies, s.Hosts[5].FreeRides = 0.2, true, true
		at := func(tenths int) time.Duration { return time.Duration(tenths) * 100 * time.Millisecond }
		s.Faults = []Fault{
			{At: at(8), Kind: Crash, Hosts: []string{"leecher-6"}}, {At: at(20), Kind: Return, Hosts: []string{"leecher-6"}},
			{At: at(10), Kind: DiskFull, Hosts: []string{"leecher-7"}, For: time.Second},
			{At: at(12), Kind: Leave, Hosts: []string{"leecher-8"}},
			{At: at(6), Kind: PowerLoss, Hosts: []string{"leecher-9"}}, {At: at(30), Kind: Return, Hosts: []string{"leecher-9"}},
			{At: at(9), Kind: Stall, Hosts: []string{"seed"}, For: time.Second},
		}
		if r := mustRun(t, &s, Options{}); r.Messages["PART"] == 0 {
			t.Errorf("seed %d: no PART", seed)
		}
	}
}
