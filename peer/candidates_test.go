package peer

import (
	"math/rand/v2"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// TestThreeDialsAMinute lets every attempt at an address fail at once, and wants
// no four of them within a minute, however the jitter falls.
func TestThreeDialsAMinute(t *testing.T) {
	shortest := time.Hour
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		cs := candidates{}
		cs.init()
		now := p2ptest.Epoch
		cs.add("10.0.0.1:6881", fromTracker, now)
		var dials []time.Time
		for len(dials) < 8 {
			addr, ok := cs.next(now)
			if !ok {
				now = now.Add(100 * time.Millisecond)
				continue
			}
			dials = append(dials, now)
			cs.failed(addr, p2p.ReasonDialFailed, false, now, rng)
		}
		for i := range len(dials) - 3 {
			shortest = min(shortest, dials[i+3].Sub(dials[i]))
		}
	}
	if shortest < time.Minute || shortest > 80*time.Second {
		t.Errorf("four attempts within %v", shortest)
	}
	t.Logf("the shortest time with four attempts: %v", shortest)
}
