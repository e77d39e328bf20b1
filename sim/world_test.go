package sim

import (
	"fmt"
	"testing"
	"time"

	"starling/p2p"
)

// TestJobs: a job is back when a worker of its class has had the time that it
// was charged, and what it commits happens then, or never.
func TestJobs(t *testing.T) {
	b := newBench(t, Config{})
	p := b.host(HostConfig{})
	var committed []time.Duration
	run := func(class p2p.Class, d time.Duration) {
		p.Run(&work{h: p.Host, charge: d, class: class, commit: func() { committed = append(committed, b.Now()) }})
	}
	for range 3 {
		run(p2p.Disk, 2*time.Second) // two workers: the third waits
	}
	for range 5 {
		run(p2p.Network, 10*time.Second) // four
	}
	run(p2p.Flush, 0)
	b.Run(time.Minute)
	p.want("0s done", "2s done", "2s done", "4s done", "10s done", "10s done", "10s done", "10s done", "20s done")
	if fmt.Sprint(committed) != "[0s 2s 2s 4s 10s 10s 10s 10s 20s]" {
		t.Errorf("committed at %v", committed)
	}
	committed = nil
	run(p2p.Disk, time.Second)
	p.Kill()
	p.Start(p, limits)
	b.Run(2 * time.Minute)
	if p.want(); committed != nil {
		t.Errorf("a job of a killed process committed at %v", committed)
	}
}

// TestWake: the last deadline counts; none is none.
func TestWake(t *testing.T) {
	b := newBench(t, Config{})
	p := b.host(HostConfig{})
	at := func(d time.Duration) time.Time { return Epoch.Add(d) }
	p.WakeAt(at(3 * time.Second))
	p.WakeAt(at(time.Second))
	p.WakeAt(at(2 * time.Second))
	b.Run(10 * time.Second)
	p.want("2s wake")
	p.WakeAt(at(20 * time.Second))
	p.WakeAt(time.Time{})
	b.Run(30 * time.Second)
	p.want()
	p.WakeAt(at(0)) // it has passed
	b.Run(30 * time.Second)
	p.want("30s wake")
}

// TestSharedHeads: a message's head is the sender's until Send returns, and not
// after; equal ones are kept once.
func TestSharedHeads(t *testing.T) {
	b := newBench(t, Config{})
	p, q := b.host(HostConfig{}), b.host(HostConfig{})
	c, _ := p.connect(q)
	head := []byte("same")
	for _, s := range []string{"same", "same", "other"} {
		head = append(head[:0], s...)
		p.Send(c, p2p.Message{Type: note, Head: head})
		clear(head)
	}
	b.Run(time.Second)
	if len(q.lines) != 3 {
		t.Fatal(q.lines)
	}
	for i, want := range []string{`"same" 4`, `"same" 4`, `"othe" 5`} {
		if l := q.lines[i]; l[len(l)-len(want):] != want {
			t.Errorf("%s, want %s", l, want)
		}
	}
}

// seen counts what a Watcher is told.
type seen struct{ sent, delivered, dialed int }

func (s *seen) Sent(*Host, p2p.ConnID, *p2p.Message)      { s.sent++ }
func (s *seen) Delivered(*Host, p2p.ConnID, *p2p.Message) { s.delivered++ }
func (s *seen) Dialed(*Host, string)                      { s.dialed++ }

// storm is a run with chance, loss, load and faults.
func storm(t *testing.T, seed uint64, o Watcher) (hash string, events uint64) {
	b := newBench(t, Config{Seed: seed, Latency: 5 * ms, Queue: 20 * ms})
	b.Rack("r", 2e6, 2e6)
	if o != nil {
		b.Watch(o)
	}
	var ps []*party
	for i := range 12 {
		cfg := HostConfig{Up: 1e6, Down: 2e6, Loss: float64(i%3) * 0.05}
		if i < 4 {
			cfg.Rack = "r"
		}
		ps = append(ps, b.host(cfg))
	}
	for i, p := range ps {
		for range 3 {
			q := ps[(i+1+p.Rand().IntN(len(ps)-1))%len(ps)]
			c := p.Dial(q.Addr())
			b.At(time.Second, func() { p.pump(c, 1000+p.Rand().IntN(50_000)) })
		}
	}
	b.At(3*time.Second, ps[0].Kill)
	b.At(4*time.Second, func() { ps[0].Start(ps[0], limits) })
	b.At(4*time.Second, ps[1].Freeze)
	b.At(6*time.Second, ps[1].Thaw)
	b.At(5*time.Second, func() {
		b.At(9*time.Second, b.Block([]*Host{ps[2].Host, ps[3].Host}, nil, true))
	})
	b.At(7*time.Second, ps[5].PowerOff)
	b.Run(45 * time.Second)
	return b.TraceHash(), b.Events()
}

// TestDeterminism: the seed is all that a run depends on, and a watcher changes
// nothing.
func TestDeterminism(t *testing.T) {
	watcher := &seen{}
	hash, events := storm(t, 1, nil)
	for range 3 {
		if h, n := storm(t, 1, watcher); h != hash || n != events {
			t.Errorf("%s after %d events, want %s after %d", h, n, hash, events)
		}
	}
	if watcher.dialed != 3*36 || watcher.sent == 0 || watcher.delivered == 0 || watcher.delivered > watcher.sent {
		t.Errorf("seen %+v", watcher)
	}
	if h, _ := storm(t, 2, nil); h == hash {
		t.Error("another seed gives the same run")
	}
}

// TestPayloadsReleased: whatever goes wrong when, each payload is released once;
// the bench's cleanup sees to it.
func TestPayloadsReleased(t *testing.T) {
	for seed := range uint64(10) {
		storm(t, seed, nil)
	}
}

func TestNewHostPanics(t *testing.T) {
	for name, cfg := range map[string]HostConfig{
		"address that is taken": {Addr: "10.0.0.1:9"}, "rack that is not there": {Addr: "10.0.0.2:1", Rack: "r"},
	} {
		w := New(Config{})
		w.Host(HostConfig{Addr: "10.0.0.1:1"})
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			w.Host(cfg)
		}()
	}
}
