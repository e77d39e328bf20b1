package fleet

import (
	"math"
	"testing"
	"time"

	"starling/sim"
)

// under is a seed and n leechers with faults.
func under(n int, pieces int64, faults ...Fault) Spec {
	s := crowd(n, pieces)
	s.Faults = faults
	return s
}

// came is how much payload has come to a host.
func (f *fleet) came(name string) uint64 { return f.byName[name].delivered }

// moved is how much comes to a host until a time.
func (f *fleet) moved(name string, until time.Duration) uint64 {
	before := f.came(name)
	f.run(until)
	return f.came(name) - before
}

// TestCrash: what was not synced is lost, the rest is there at the return.
func TestCrash(t *testing.T) {
	s := under(3, 200,
		Fault{At: 10 * second, Kind: Crash, Hosts: []string{"leecher-0"}},
		Fault{At: 12 * second, Kind: Return, Hosts: []string{"leecher-0"}})
	f := launch(t, &s)
	m, other := f.byName["leecher-0"], f.byName["leecher-1"]
	f.run(10*second - 1)
	verified, durable := m.content.verified.Count(), m.content.durable.Count()
	if durable == 0 || durable >= verified {
		t.Fatalf("%d pieces verified, %d durable: nothing to lose", verified, durable)
	}
	had := knows(other, m)
	f.run(11 * second)
	if m.up || m.h.Running() || !had || knows(other, m) {
		t.Errorf("up %v, known %v before and %v after", m.up, had, knows(other, m))
	}
	f.run(12*second + time.Millisecond)
	if got := m.content.verified.Count(); got != durable || !m.up {
		t.Errorf("%d pieces after the return, %d were durable", got, durable)
	}
	f.done(t)
}

// knows says whether a has a connection to b.
func knows(a, b *member) bool {
	for c := range a.f.checks.conns[a.h.Index()] {
		if a.h.Far(c) == b.h {
			return true
		}
	}
	return false
}

// TestPower: the others are not told.
func TestPower(t *testing.T) {
	s := under(2, 200, Fault{At: 10 * second, Kind: PowerLoss, Hosts: []string{"leecher-0"}})
	s.Linger = time.Minute
	f := launch(t, &s)
	m, other := f.byName["leecher-0"], f.byName["leecher-1"]
	f.run(15 * second)
	if m.up || !knows(other, m) {
		t.Error("up, or its neighbour knows that it is not")
	}
	f.run(60 * second)
	if knows(other, m) {
		t.Error("nobody has noticed")
	}
	f.done(t)
	if f.byName["leecher-0"].res.Expected {
		t.Error("it is expected to complete")
	}
}

// TestLeave: it tells the tracker, and what it has is durable when it returns.
func TestLeave(t *testing.T) {
	s := under(2, 200,
		Fault{At: 10 * second, Kind: Leave, Hosts: []string{"leecher-0"}},
		Fault{At: 20 * second, Kind: Return, Hosts: []string{"leecher-0"}})
	f := launch(t, &s)
	m := f.byName["leecher-0"]
	f.run(10*second - 1)
	before, verified := f.tracker.local.Totals(), m.content.verified.Count()
	f.run(15 * second)
	if got := f.tracker.local.Totals(); before.Leechers != 2 || got.Leechers != 1 || m.up {
		t.Errorf("the tracker knows %d leechers, knew %d", got.Leechers, before.Leechers)
	}
	f.run(20*second + 1)
	if got := m.content.verified.Count(); got < verified {
		t.Errorf("%d pieces after the return, %d before", got, verified)
	}
	f.done(t)
}

// TestSeedFor: a leecher stays for so long after it has completed.
func TestSeedFor(t *testing.T) {
	s := under(2, 20)
	s.Peer.SeedFor, s.Linger = 5*second, 10*second
	s.Hosts[2].Down = 0.5e6 // the other one is still busy then
	f := launch(t, &s)
	m := f.byName["leecher-0"]
	for m.res.Done < 0 && f.world.Now() < time.Minute {
		f.run(f.world.Now() + time.Millisecond)
	}
	f.run(m.res.Done + 5*second - 1)
	if !m.up {
		t.Error("it left early")
	}
	f.run(m.res.Done + 5*second)
	if m.up {
		t.Error("it is still there")
	}
	f.done(t)
}

// TestCopies: the copies of pieces are those of leechers that run, whatever they
// do.
func TestCopies(t *testing.T) {
	one := []string{"leecher-0"}
	s := under(3, 60,
		Fault{At: 2 * second, Kind: Crash, Hosts: one}, Fault{At: 3 * second, Kind: Return, Hosts: one},
		Fault{At: 4 * second, Kind: Leave, Hosts: one}, Fault{At: 5 * second, Kind: Return, Hosts: one},
		Fault{At: 6 * second, Kind: Crash, Hosts: one})
	s.Hosts[2].Has, s.Hosts[3].Arrive = 0.5, 3*second
	f := launch(t, &s)
	for at := time.Duration(0); at < 9*second; at += 100 * time.Millisecond {
		f.run(at)
		for i, n := range f.copies {
			want := int32(0)
			for _, m := range f.members[1:] {
				if m.up && m.content.verified.Has(i) {
					want++
				}
			}
			if n != want {
				t.Fatalf("%v: piece %d has %d copies, counted %d", at, i, want, n)
			}
		}
	}
	f.done(t)
}

// TestCutOff: while a fault that cuts a host off lasts, nothing comes to it that
// was not on its way; after it the host completes.
func TestCutOff(t *testing.T) {
	one, all := []string{"leecher-0"}, []string{"leecher-0", "leecher-1", "seed"}
	heal := Fault{At: 10 * second, Kind: Heal}
	for name, faults := range map[string][]Fault{
		"partition":       {{Kind: Partition, Hosts: one}, heal},
		"of the others":   {{Kind: Partition, Hosts: []string{"seed", "leecher-1"}}, heal},
		"of some":         {{Kind: Partition, Hosts: one, Others: []string{"seed", "leecher-1"}}, heal},
		"one way to it":   {{Kind: OneWay, Hosts: []string{"seed", "leecher-1"}, Others: one}, heal},
		"one way from it": {{Kind: OneWay, Hosts: one}, heal},
		"stall":           {{Kind: Stall, Hosts: one, For: 5 * second}},
		"all stall":       {{Kind: Stall, Hosts: all, For: 5 * second}},
		"freeze":          {{Kind: Freeze, Hosts: one, For: 5 * second}},
	} {
		s := under(2, 200, faults...)
		s.Faults[0].At = 5 * second
		f := launch(t, &s)
		if n := f.moved("leecher-0", 5*second-1); n == 0 {
			t.Errorf("%s: nothing came before it", name)
		}
		f.run(8 * second) // what was asked for before has come, or will not
		if n := f.moved("leecher-0", 10*second-1); n != 0 {
			t.Errorf("%s: %d bytes came", name, n)
		}
		f.run(20 * second)
		if n := f.moved("leecher-0", 25*second); n == 0 && f.byName["leecher-0"].res.Done < 0 {
			t.Errorf("%s: nothing comes after it", name)
		}
		f.done(t)
	}
}

// TestPartitionKeepsInside: hosts on one side of it go on with one another.
func TestPartitionKeepsInside(t *testing.T) {
	s := under(4, 400,
		Fault{At: 5 * second, Kind: Partition, Hosts: []string{"leecher-0", "leecher-1"}}, Fault{At: 25 * second, Kind: Heal})
	f := launch(t, &s)
	f.run(6 * second)
	if n := f.moved("leecher-2", 20*second); n == 0 {
		t.Error("the side of the seed stands still")
	}
	a, b := f.byName["leecher-0"].content.verified, f.byName["leecher-1"].content.verified
	for i := range 400 {
		if a.Has(i) != b.Has(i) {
			t.Fatalf("after 15 s only one of two hosts that reach each other has piece %d", i)
		}
	}
	f.done(t)
}

// TestSlow: rates are multiplied, and restored.
func TestSlow(t *testing.T) {
	s := under(1, 400,
		Fault{At: 5 * second, Kind: Slow, Hosts: []string{"seed"}, Factor: 0.1},
		Fault{At: 15 * second, Kind: Slow, Hosts: []string{"seed"}, Factor: 1})
	f := launch(t, &s)
	f.run(6 * second)
	if n := float64(f.moved("leecher-0", 14*second)); math.Abs(n-8*0.25e6) > 0.3e6 {
		t.Errorf("%.0f bytes in 8 s of 0.25 MB/s", n)
	}
	f.run(16 * second)
	if n := float64(f.moved("leecher-0", 24*second)); math.Abs(n-8*2.5e6) > 1e6 {
		t.Errorf("%.0f bytes in 8 s of 2.5 MB/s", n)
	}
	f.done(t)
}

// TestClockJump: a host's clock leaps, and only its.
func TestClockJump(t *testing.T) {
	s := under(2, 60, Fault{At: 2 * second, Kind: ClockJump, Hosts: []string{"leecher-0"}, For: time.Hour})
	f := launch(t, &s)
	f.run(3 * second)
	for name, want := range map[string]time.Duration{"leecher-0": time.Hour + 3*second, "leecher-1": 3 * second} {
		if got := f.byName[name].h.Now().Sub(sim.Epoch); got != want {
			t.Errorf("%s: its clock is at %v, want %v", name, got, want)
		}
	}
	f.done(t)
}

// TestDiskFull: nothing is written, nor said to be there; then it goes on.
func TestDiskFull(t *testing.T) {
	s := under(2, 200, Fault{At: 5 * second, Kind: DiskFull, Hosts: []string{"leecher-0"}, For: 5 * second})
	f := launch(t, &s)
	m := f.byName["leecher-0"]
	f.run(5*second + 10*time.Millisecond) // jobs that had begun are done
	had := m.content.verified.Count()
	f.run(10*second - 1)
	if got := m.content.verified.Count(); got != had || had == 0 {
		t.Errorf("%d pieces when the disk was full, %d after", had, got)
	}
	f.done(t)
}

// TestTrackerFaults: who comes while it is down gets no peers until it is up;
// what it has lost it learns again.
func TestTrackerFaults(t *testing.T) {
	s := under(3, 60,
		Fault{At: 4 * second, Kind: TrackerDown}, Fault{At: 40 * second, Kind: TrackerUp}, Fault{At: 100 * second, Kind: TrackerLost})
	s.Hosts[3].Arrive = 5 * second
	s.Linger = 200 * second
	f := launch(t, &s)
	f.run(40*second - 1)
	if n := f.came("leecher-2"); n != 0 {
		t.Errorf("%d bytes came to a host that knows nobody", n)
	}
	f.run(100*second - 1)
	if f.byName["leecher-2"].res.Done < 0 || f.left != 0 {
		t.Errorf("it has not completed; %d have not", f.left)
	}
	known := func() int { n := f.tracker.local.Totals(); return n.Leechers + n.Seeders }
	before := known()
	f.run(100*second + 1)
	if after := known(); before != 4 || after > 1 {
		t.Errorf("the tracker knew %d peers, and %d after it lost them", before, after)
	}
	f.run(170 * second)
	if n := known(); n != 4 {
		t.Errorf("a minute later it knows %d peers", n)
	}
}
