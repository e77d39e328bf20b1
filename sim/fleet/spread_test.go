package fleet

import (
	"testing"
	"time"

	"starling/choke"
)

// TestSpreadAfterChoke: a seed that chokes a remote in the middle of a piece gives
// that piece to another soon. On these links it often does; the piece was once
// kept for the choked remote, and the swarm waited 20 s for it.
func TestSpreadAfterChoke(t *testing.T) {
	for seed := range uint64(3) {
		s := crowd(12, 256)
		s.RNGSeed = seed + 1
		s.Peer.Policy = choke.TitForTat
		s.Net.Latency, s.Net.Queue = 500*time.Microsecond, 45*time.Millisecond
		s.Unchecked = true
		for i := range s.Hosts {
			s.Hosts[i].Up, s.Hosts[i].Down = 2e6, 4.7825e6
		}
		if r := mustRun(t, &s, Options{}); r.All.Ratio > 1.2 {
			t.Errorf("rng seed %d: the last completed at %.2f of the bound", seed+1, r.All.Ratio)
		}
	}
}

// TestNobodyIsLeftWithOneSource: on links as fast down as up, the first to come
// were left with one source of four while all others had five.
func TestNobodyIsLeftWithOneSource(t *testing.T) {
	for seed := range uint64(3) {
		s := crowd(30, 256)
		s.Hosts = append(s.Hosts, HostSpec{Name: "seed-2", Role: Seed}, HostSpec{Name: "seed-3", Role: Seed})
		s.RNGSeed = seed + 1
		s.Peer.Policy = choke.Cooperative
		s.Net.Latency = 200 * time.Microsecond
		s.Unchecked = true
		for i := range s.Hosts {
			s.Hosts[i].Up, s.Hosts[i].Down = 40e6, 40e6
		}
		if r := mustRun(t, &s, Options{}); r.All.Ratio > 1.2 {
			t.Errorf("rng seed %d: the last completed at %.2f of the bound", seed+1, r.All.Ratio)
		}
	}
}
