package tcp

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"starling/p2p"
)

func TestDoAndPost(t *testing.T) {
	h := start(t, Config{}, &hooks{})
	n := 0
	for range 100 {
		do(t, h, func() { n++ })
	}
	if n != 100 {
		t.Errorf("%d of 100 calls ran", n)
	}
	ran := make(chan struct{})
	if err := h.Post(func() { close(ran) }); err != nil {
		t.Errorf("Post: %v", err)
	}
	get(t, ran)
	stop(t, h)
	if err := h.Do(func() { t.Error("ran after Stop") }); !errors.Is(err, ErrStopped) {
		t.Errorf("Do after Stop: %v", err)
	}
	if err := h.Post(func() { t.Error("ran after Stop") }); !errors.Is(err, ErrStopped) {
		t.Errorf("Post after Stop: %v", err)
	}
}

func TestPostSaysBusy(t *testing.T) {
	h := start(t, Config{InboxEvents: 4}, &hooks{})
	busy, release := make(chan struct{}), make(chan struct{})
	h.Post(func() { close(busy); <-release })
	get(t, busy)
	accepted := 0
	var err error
	for err == nil && accepted < 100 {
		if err = h.Post(func() {}); err == nil {
			accepted++
		}
	}
	close(release)
	if !errors.Is(err, ErrBusy) || accepted != 4 {
		t.Errorf("%d posts, then %v; want 4, then %v", accepted, err, ErrBusy)
	}
}

func TestStopBeforeStart(t *testing.T) {
	h := NewHost(Config{})
	stop(t, h)
	stop(t, h)
	h.Start(&hooks{opened: func(p2p.ConnInfo) { t.Error("opened") }}, testLimits())
	a, b := net.Pipe()
	defer a.Close()
	if err := h.Adopt(b, nil); !errors.Is(err, ErrStopped) {
		t.Errorf("Adopt: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the adopted connection is open: %v", err)
	}
}

// Wake comes once for a deadline, at it and not before; a later WakeAt replaces
// an earlier one, and the zero time clears it.
func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wakes []time.Duration
		p := &hooks{}
		h := start(t, Config{}, p)
		t0 := time.Now()
		p.wake = func() {
			wakes = append(wakes, h.Now().Sub(t0))
			if len(wakes) == 2 {
				h.WakeAt(h.Now()) // at once
			}
		}
		do(t, h, func() { h.WakeAt(t0.Add(time.Hour)); h.WakeAt(t0.Add(time.Second)) })
		time.Sleep(10 * time.Second)
		do(t, h, func() { h.WakeAt(t0.Add(5 * time.Second)) }) // past
		time.Sleep(10 * time.Second)
		do(t, h, func() { h.WakeAt(t0.Add(30 * time.Second)) })
		do(t, h, func() { h.WakeAt(time.Time{}) })
		time.Sleep(time.Minute)
		want := []time.Duration{time.Second, 10 * time.Second, 10 * time.Second}
		do(t, h, func() {
			if !slices.Equal(wakes, want) {
				t.Errorf("woken at %v, want %v", wakes, want)
			}
		})
	})
}

func TestRandIsSeeded(t *testing.T) {
	a, b := NewHost(Config{Seed: 7}), NewHost(Config{Seed: 7})
	defer stop(t, a)
	defer stop(t, b)
	if a.Rand().Uint64() != b.Rand().Uint64() {
		t.Error("one seed, two sequences")
	}
}

// job is a Job of a function.
type job struct {
	class p2p.Class
	fn    func(ctx context.Context)
	n     int
}

func (j *job) Class() p2p.Class       { return j.class }
func (j *job) Do(ctx context.Context) { j.fn(ctx) }

// The loop goes on while jobs block, jobs of one class do not hold up the
// other, and one worker does jobs in the order in which they were given.
func TestJobs(t *testing.T) {
	pool := NewPool([p2p.NumClasses]int{1, 1})
	defer pool.Close()
	done := make(chan int, 300)
	h := start(t, Config{Pool: pool}, &hooks{done: func(j p2p.Job) { done <- j.(*job).n }})
	release := make(chan struct{})
	do(t, h, func() {
		h.Run(&job{class: p2p.Disk, n: 0, fn: func(context.Context) { <-release }})
		for n := 1; n < 200; n++ {
			h.Run(&job{class: p2p.Disk, n: n, fn: func(context.Context) {}})
		}
		h.Run(&job{class: p2p.Network, n: 1000, fn: func(context.Context) {}})
	})
	if n := get(t, done); n != 1000 {
		t.Fatalf("job %d came first", n)
	}
	do(t, h, func() {}) // the loop is not held up
	close(release)
	for want := range 200 {
		if n := get(t, done); n != want {
			t.Fatalf("job %d came as number %d", n, want)
		}
	}
}

// Jobs that were given to Run are done, with an ended context, when the host
// stops; and Stop waits for them.
func TestStopJoinsJobs(t *testing.T) {
	pool := NewPool([p2p.NumClasses]int{1, 1})
	defer pool.Close()
	h := start(t, Config{Pool: pool}, &hooks{})
	var ended atomic.Int32
	do(t, h, func() {
		for range 20 {
			h.Run(&job{class: p2p.Disk, fn: func(ctx context.Context) { <-ctx.Done(); ended.Add(1) }})
		}
	})
	stop(t, h)
	if n := ended.Load(); n != 20 {
		t.Errorf("%d of 20 jobs were done", n)
	}
}

// Results of jobs reach the loop through an inbox that readers keep full.
func TestJobsPassAFullInbox(t *testing.T) {
	done := make(chan struct{}, 1000)
	p := &hooks{done: func(p2p.Job) { done <- struct{}{} }}
	h := NewHost(Config{InboxEvents: 1, Linger: 100 * time.Millisecond})
	p.received = func(p2p.ConnID, *p2p.Message) {
		h.Run(&job{class: p2p.Disk, fn: func(context.Context) {}})
	}
	h.Start(p, testLimits())
	defer stop(t, h)
	const n = 500
	for range 2 {
		c := rawPeer(t, h)
		go func() {
			for range n {
				if _, err := c.Write(frame(typeCtl, "x")); err != nil {
					return
				}
			}
		}()
	}
	for range 2 * n {
		get(t, done)
	}
}

// Stop under load leaves no goroutine, no descriptor that anybody waits on and
// no buffer: connections in both directions with bodies and control messages,
// jobs, dials that will not come to an end, calls from outside.
func TestStopUnderLoad(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		buffers := NewBufferPool(0)
		pool := NewPool(DefaultWorkers)
		var hosts []*Host
		for range 3 {
			p := &hooks{}
			h := NewHost(Config{Buffers: buffers, Pool: pool, InboxEvents: 8})
			body := make([]byte, 100<<10)
			feed := func(c p2p.ConnID) {
				h.Send(c, p2p.Message{Type: typeBulk, Head: make([]byte, bulkHead), Body: &memBody{data: body}})
			}
			p.opened = func(c p2p.ConnInfo) { feed(c.ID) }
			p.drained = feed
			p.received = func(c p2p.ConnID, m *p2p.Message) {
				h.Send(c, p2p.Message{Type: typeCtl, Head: []byte("ok")})
				if b := m.Body; b != nil {
					h.Run(&job{class: p2p.Disk, fn: func(context.Context) { b.Release() }})
				}
			}
			h.Start(p, testLimits())
			hosts = append(hosts, h)
		}
		addr := listen(t, hosts[0])
		for _, h := range hosts[1:] {
			do(t, h, func() {
				for range 5 {
					h.Dial(addr)
				}
			})
			go func() {
				for h.Do(func() {}) == nil {
				}
			}()
		}
		for range 50 {
			do(t, hosts[0], func() {})
		}
		for _, h := range hosts {
			stop(t, h)
		}
		pool.Close()
		if s := buffers.Stats(); s.Lent != 0 {
			t.Errorf("%d bytes of buffers were not released", s.Lent)
		}
	}
	// The listeners of this test still accept.
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 })
}
