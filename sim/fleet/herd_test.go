package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestNoHerd: a tracker that comes back after a while to 2,000 peers is asked no more
// in any second than twice what it is always asked in one.
func TestNoHerd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes too long for -short")
	}
	const n, interval = 2000, time.Minute
	s := Default()
	s.PieceLength, s.Size = 256<<10, 256<<10
	s.Tracker.Interval, s.Tracker.MinInterval = interval, 10*second
	for i := range n {
		// All are whole, and have come one after the other within an interval.
		s.Hosts = append(s.Hosts, HostSpec{Name: fmt.Sprintf("host-%d", i), Role: Seed, Arrive: time.Duration(i) * interval / n})
	}
	s.Linger, s.Deadline = time.Hour, time.Hour
	f := launch(t, &s)
	now := 2 * interval
	steady := f.announces(interval, now)
	for _, away := range []time.Duration{5 * second, 50 * second, 90 * second} {
		f.tracker.down = true
		now += away
		f.run(now)
		f.tracker.down = false
		after := f.announces(now, now+interval*5/4)
		now += interval * 5 / 4
		t.Logf("away for %v: %.1f announces a second, at most %d; before it %.1f, at most %d", away, mean(after), slices.Max(after), mean(steady), slices.Max(steady))
		if float64(slices.Max(after)) > 2*mean(steady) {
			t.Errorf("away for %v: %d announces in a second, of %.1f always", away, slices.Max(after), mean(steady))
		}
	}
}

// announces leads a run from one time to another, and counts how many announces the
// tracker answers in each second.
func (f *fleet) announces(from, to time.Duration) (each []int) {
	f.run(from)
	for ; from < to; from += second {
		before := f.tracker.announces
		f.run(from + second)
		each = append(each, f.tracker.announces-before)
	}
	return each
}

func mean(list []int) float64 {
	sum := 0
	for _, v := range list {
		sum += v
	}
	return float64(sum) / float64(len(list))
}
