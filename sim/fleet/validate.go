package fleet

import (
	"time"

	"starling/choke"
)

// Default is a Spec without hosts: the defaults of the real commands.
func Default() Spec {
	return Spec{
		Name: "scenario", RNGSeed: 1, Size: 256 << 20, PieceLength: 256 << 10,
		Peer:     PeerSpec{Policy: choke.TitForTat, Choke: choke.Default(), MaxRemotes: 50, NumWant: 50, SeedFor: -1},
		Net:      NetSpec{Latency: 200 * time.Microsecond},
		Tracker:  TrackerSpec{Interval: 60 * time.Second, MinInterval: 10 * time.Second, RTT: time.Millisecond},
		Deadline: time.Hour,
	}
}

// Validate says what is wrong with s, if anything.
func (s *Spec) Validate() error { return nil }
