package p2p_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// naive is the obvious model of a node's timers.
type naive struct {
	set []naiveTimer
	seq int
}

type naiveTimer struct{ name, at, seq int }

func (m *naive) stop(name int) {
	m.set = slices.DeleteFunc(m.set, func(t naiveTimer) bool { return t.name == name })
}

func (m *naive) start(name, at int) {
	m.stop(name)
	m.seq++
	m.set = append(m.set, naiveTimer{name, at, m.seq})
}

func (m *naive) has(name int) bool {
	return slices.ContainsFunc(m.set, func(t naiveTimer) bool { return t.name == name })
}

// advance returns the names that fire until now, in order.
func (m *naive) advance(now int) (fired []int) {
	slices.SortFunc(m.set, func(a, b naiveTimer) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return a.seq - b.seq
	})
	for len(m.set) > 0 && m.set[0].at <= now {
		fired = append(fired, m.set[0].name)
		m.set = m.set[1:]
	}
	return fired
}

func TestTimersAgainstModel(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		h, n := start(t, p2p.Config{})
		var m naive
		var fired []int
		timers := make([]*p2p.Timer, 12)
		for i := range timers {
			timers[i] = n.NewTimer(func() { fired = append(fired, i) })
		}
		now := 0
		for range 300 {
			i := r.IntN(len(timers))
			switch r.IntN(4) {
			case 0:
				timers[i].Stop()
				m.stop(i)
			case 1, 2:
				at := now + r.IntN(20) - 3
				timers[i].Set(p2ptest.Epoch.Add(time.Duration(at)))
				m.start(i, max(at, now))
			case 3:
				w := []int(nil)
				if r.IntN(3) == 0 {
					h.WakeEarly()
					w = m.advance(now)
				}
				d := r.IntN(8)
				now += d
				h.Advance(time.Duration(d))
				w = append(w, m.advance(now)...)
				if !slices.Equal(fired, w) {
					t.Fatalf("seed %d at %d: fired %v, want %v", seed, now, fired, w)
				}
				fired = nil
			}
			for i, timer := range timers {
				if want := m.has(i); timer.Armed() != want {
					t.Fatalf("seed %d at %d: timer %d is armed %v, want %v", seed, now, i, timer.Armed(), want)
				}
			}
		}
	}
}

// TestArmedInItsOwnCall: a timer that fires is not armed any more, unless it sets
// itself again.
func TestArmedInItsOwnCall(t *testing.T) {
	h, n := start(t, p2p.Config{})
	var timer *p2p.Timer
	fired := 0
	timer = n.NewTimer(func() {
		if fired++; timer.Armed() {
			t.Error("armed while it fires")
		}
		if fired == 1 {
			timer.Set(h.Now().Add(time.Second))
		}
	})
	if timer.Armed() {
		t.Error("armed before it was set")
	}
	timer.Set(p2ptest.Epoch.Add(time.Second))
	n.Wake() // as a host would
	for _, want := range []bool{true, true, false} {
		if timer.Armed() != want {
			t.Errorf("after %d calls: armed %v", fired, !want)
		}
		h.Advance(time.Second)
	}
	if fired != 2 {
		t.Errorf("fired %d times", fired)
	}
}

// The host is asked only when the earliest deadline changes, and once an event.
func TestWakeAt(t *testing.T) {
	h, n := start(t, p2p.Config{})
	at := func(s int) time.Time { return p2ptest.Epoch.Add(time.Duration(s) * time.Second) }
	wantWakes := func(w string) {
		t.Helper()
		if got := strings.ReplaceAll(h.Take(), "\n", " "); got != w {
			t.Errorf("host saw %q, want %q", got, w)
		}
	}
	var order []string
	timer := func(name string) *p2p.Timer {
		return n.NewTimer(func() { order = append(order, fmt.Sprint(name, n.Now().Sub(p2ptest.Epoch))) })
	}
	a, b, c := timer("a"), timer("b"), timer("c")
	a.Stop()
	wantWakes("")
	a.Set(at(5))
	wantWakes("wake 5s ")
	b.Set(at(9))
	c.Set(at(5))
	wantWakes("")
	a.Set(at(4))
	wantWakes("wake 4s ")
	a.Stop()
	wantWakes("wake 5s ")
	c.Set(at(20))
	wantWakes("wake 9s ")
	h.WakeEarly()
	wantWakes("wake 9s ")
	h.Advance(9 * time.Second)
	wantWakes("wake 20s ")
	c.Stop()
	wantWakes("wake never ")
	if got := fmt.Sprint(order); got != "[b9s]" {
		t.Errorf("fired %s", got)
	}

	// A timer that always asks for now gives others their turn, and ends.
	order = nil
	rounds := 0
	var self *p2p.Timer
	self = n.NewTimer(func() {
		if rounds++; rounds < 3 {
			self.Set(at(0))
		}
	})
	self.Set(at(0))
	a.Set(at(9))
	h.WakeEarly()
	if rounds != 1 || fmt.Sprint(order) != "[a9s]" {
		t.Errorf("after one wake: %d rounds, %v", rounds, order)
	}
	h.Advance(0)
	if rounds != 3 {
		t.Errorf("%d rounds", rounds)
	}
}

func TestStabilize(t *testing.T) {
	h, n := start(t, p2p.Config{})
	var at []time.Duration
	var stop func()
	stop = n.Stabilize(time.Second, func() {
		at = append(at, n.Now().Sub(p2ptest.Epoch))
		if len(at) == 3 {
			stop()
		}
	})
	h.Advance(time.Minute)
	if got := fmt.Sprint(at); got != "[1s 2s 3s]" {
		t.Errorf("called at %s", got)
	}
	stop()
}

func TestTimerAllocs(t *testing.T) {
	n := p2p.NewNode(nullHost{}, p2p.Config{Addr: "me:1"})
	a, b := n.NewTimer(func() {}), n.NewTimer(func() {})
	i := 0
	if got := testing.AllocsPerRun(1000, func() {
		i++
		a.Set(p2ptest.Epoch.Add(time.Duration(i)))
		b.Set(p2ptest.Epoch.Add(time.Duration(i)))
		a.Stop()
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
