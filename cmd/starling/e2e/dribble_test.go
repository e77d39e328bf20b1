//go:build linux

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestDribblersAndHonest has two swarms move the same content at once. At the seed and
// the tracker of one, hundreds of connections send a byte a second, and come again when
// they are cut. Who is honest there gets on as well as in the other swarm.
func TestDribblersAndHonest(t *testing.T) {
	long(t) // and not beside others: it measures by the clock
	dir := t.TempDir()
	swarms := [2]*swarm{}
	for i, name := range []string{"attacked", "quiet"} {
		sub := filepath.Join(dir, name)
		writeRandom(t, filepath.Join(sub, "d", "file"), choose[int64](40*mib, 160*mib), 21)
		swarms[i] = newSwarm(t, sub, "d", "--up-limit", "4MiB/s")
		if _, err := swarms[i].counts(); err != nil {
			t.Fatal(err)
		}
	}
	attack := newDribblers(t, choose(150, 500), swarms[0].peerTarget(), swarms[0].trackerTarget())
	eventually(t, patience, func() error {
		if n, all := attack.connected.Load(), int64(attack.n); n < all {
			return fmt.Errorf("%d of %d dribblers have connected", n, all)
		}
		return nil
	})

	var honest [2]*proc
	for i, s := range swarms {
		honest[i] = s.leech("out", "--no-seed")
	}
	// Until both are done, somebody asks both trackers in turn.
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var asked sync.WaitGroup
	var took [2]time.Duration
	var rounds int
	asked.Go(func() { took, rounds = askInTurn(t, ctx, swarms) })
	var rates [2]float64
	for i, p := range honest {
		p.wait(0, 2*time.Minute)
		sum := p.summary()
		rates[i] = float64(sum.BytesFrom.Peers) / sum.DurationS
		swarms[i].arrived("out")
	}
	enough()
	asked.Wait()
	cut, slowest := attack.end()
	t.Logf("%d dribblers, cut %d times, after %v at most", attack.n, cut, slowest.Round(time.Millisecond))
	t.Logf("transfers: %.3f and %.3f MiB/s; in %d rounds the trackers answered %d times within %v and %v", rates[0]/mib, rates[1]/mib,
		rounds, askedEach, took[0], took[1])
	if rates[0] < 0.9*rates[1] {
		t.Errorf("the transfer under attack has %.2f of the other's rate", rates[0]/rates[1])
	}
	if took[1] < took[0]*9/10 {
		t.Errorf("answers under attack have %.2f of the others' rate", float64(took[1])/float64(took[0]))
	}
}

// askedEach is how often a tracker is asked in one round, on new connections.
const askedEach = 20

// askInTurn asks both trackers until ctx ends, and returns how long a round takes at
// each: the median, for what else the machine does hits rounds of either.
func askInTurn(t *testing.T, ctx context.Context, swarms [2]*swarm) (median [2]time.Duration, rounds int) {
	var took [2][]time.Duration
	for ; ctx.Err() == nil; rounds++ {
		for k := range swarms {
			i := (k + rounds) % 2
			began := time.Now()
			for range askedEach {
				if _, err := swarms[i].counts(); err != nil {
					t.Errorf("an honest client is refused: %v", err)
					return median, rounds
				}
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	for i, list := range took {
		slices.Sort(list)
		median[i] = list[len(list)/2]
	}
	return median, rounds
}

// dribblers come again when they are cut, until end.
type dribblers struct {
	n         int // at all targets together
	connected atomic.Int64
	stop      chan struct{}
	all       sync.WaitGroup

	mu      sync.Mutex
	cut     int
	slowest time.Duration
}

// newDribblers sends n dribblers to each target.
func newDribblers(t *testing.T, n int, targets ...*target) *dribblers {
	t.Helper()
	d := &dribblers{n: n * len(targets), stop: make(chan struct{})}
	for _, at := range targets {
		for range n {
			d.all.Go(func() { d.dribble(t, at) })
		}
	}
	t.Cleanup(func() { d.end() })
	return d
}

func (d *dribblers) dribble(t *testing.T, at *target) {
	for came := false; ; came = true {
		began := time.Now()
		if !came {
			d.connected.Add(1)
		}
		if err := trickle(at.addr, at.prefix); err != nil {
			t.Errorf("a dribbler at %s: %v", at.addr, err)
			return
		}
		d.mu.Lock()
		d.cut++
		d.slowest = max(d.slowest, time.Since(began))
		d.mu.Unlock()
		select {
		case <-d.stop:
			return
		case <-time.After(time.Second):
		}
	}
}

// end waits until each has been cut for the last time, and returns how often that was,
// and how long the most patient end let one go on.
func (d *dribblers) end() (cut int, slowest time.Duration) {
	d.mu.Lock()
	select {
	case <-d.stop:
	default:
		close(d.stop)
	}
	d.mu.Unlock()
	d.all.Wait()
	return d.cut, d.slowest
}
