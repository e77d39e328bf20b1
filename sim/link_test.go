package sim

import (
	"fmt"
	"math"
	"testing"
	"time"

	"starling/p2p"
)

// TestRateExact: a frame has come when its bytes have left at the uplink's rate
// and a latency has passed.
func TestRateExact(t *testing.T) {
	for _, c := range []struct{ up, down, slowest float64 }{
		{1e6, 1e6, 1e6}, {1e6, 0, 1e6}, {1e6, 4e6, 1e6}, {4e6, 1e6, 1e6}, {0, 1e6, 1e6},
	} {
		b := newBench(t, Config{Latency: 10 * ms})
		p, q := b.host(HostConfig{Up: c.up}), b.host(HostConfig{Down: c.down})
		from, to := p.connect(q)
		begun := b.Now()
		p.pump(from, 1e5)
		const frames = 100
		b.Run(begun + 10*ms + frames*time.Duration(frameSize(1e5))*time.Microsecond)
		// The uplink's quanta, if they are faster, arrive early by less than one.
		if got := q.got[to]; got < frames*1e5 || got > frames*1e5+1e5 {
			t.Errorf("up %g, down %g: %d bytes, want %d", c.up, c.down, got, int(frames*1e5))
		}
		if c.up != 1e6 {
			continue
		}
		b.Run(begun + 10*ms + (frames+1)*time.Duration(frameSize(1e5))*time.Microsecond - 1)
		if got := q.got[to]; got != frames*1e5 {
			t.Errorf("up %g, down %g: a frame came before its last byte: %d bytes", c.up, c.down, got)
		}
	}
}

// TestFairShares: the connections of an uplink get the same, to a quantum.
func TestFairShares(t *testing.T) {
	for _, k := range []int{2, 5, 30} {
		b := newBench(t, Config{Latency: ms})
		p := b.host(HostConfig{Up: 1e6})
		for range k {
			p.connect(b.host(HostConfig{}))
		}
		for c := range k {
			p.pump(p2p.ConnID(c+1), 50_000*(1+c%3))
		}
		begun := b.Now()
		least, most, sum := uint64(math.MaxUint64), uint64(0), uint64(0)
		b.Run(begun + 60*time.Second)
		for c := range k {
			n := p.Traffic(p2p.ConnID(c + 1)).Out
			least, most, sum = min(least, n), max(most, n), sum+n
		}
		// A frame's last quantum may be short, for frames of unlike lengths
		// by an unlike share.
		if diff := most - least; float64(diff) > 0.2*float64(least) {
			t.Errorf("%d connections: from %d to %d bytes", k, least, most)
		}
		if want := 60e6; math.Abs(float64(sum)-want) > 2*minQuantum {
			t.Errorf("%d connections: %d bytes left, want %g", k, sum, want)
		}
	}
}

// TestEqualFramesEqualShares: with frames of one length the shares are equal to
// a quantum.
func TestEqualFramesEqualShares(t *testing.T) {
	b := newBench(t, Config{})
	p := b.host(HostConfig{Up: 2e6})
	for c := range 7 {
		p.connect(b.host(HostConfig{}))
		p.pump(p2p.ConnID(c+1), 100_000)
	}
	at := b.Now()
	before := make([]uint64, 8)
	for c := 1; c <= 7; c++ {
		before[c] = p.Traffic(p2p.ConnID(c)).Out
	}
	b.Run(at + 30*time.Second)
	least, most := uint64(math.MaxUint64), uint64(0)
	for c := 1; c <= 7; c++ {
		n := p.Traffic(p2p.ConnID(c)).Out - before[c]
		least, most = min(least, n), max(most, n)
	}
	if most-least > 2*minQuantum { // one at each end
		t.Errorf("from %d to %d bytes", least, most)
	}
}

// TestSlowReceiver: one whose downlink is slow does not hold up the uplink: what
// it cannot take goes to the others.
func TestSlowReceiver(t *testing.T) {
	b := newBench(t, Config{Latency: 5 * ms})
	p := b.host(HostConfig{Up: 1e6})
	slow := b.host(HostConfig{Down: 1e5})
	fast := []*party{b.host(HostConfig{}), b.host(HostConfig{})}
	p.connect(slow)
	p.connect(fast[0])
	p.connect(fast[1])
	for c := p2p.ConnID(1); c <= 3; c++ {
		p.pump(c, 60_000)
	}
	begun := b.Now()
	b.Run(begun + 100*time.Second)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.02*want {
			t.Errorf("%s: %.0f bytes, want %.0f", what, got, want)
		}
	}
	near("slow", float64(slow.got[1]), 10e6)
	near("first fast", float64(fast[0].got[1]), 45e6)
	near("second fast", float64(fast[1].got[1]), 45e6)
}

// TestDownlinkShared: senders that are faster together than a downlink get equal
// shares of it, and its rate is exact.
func TestDownlinkShared(t *testing.T) {
	b := newBench(t, Config{Latency: 5 * ms})
	q := b.host(HostConfig{Down: 1e6})
	q.quiet = true
	for range 4 {
		p := b.host(HostConfig{Up: 1e6})
		c, _ := p.connect(q)
		p.pump(c, 50_000)
	}
	begun := b.Now()
	sum := func() (n int) {
		for _, x := range q.got {
			n += x
		}
		return n
	}
	before := sum()
	b.Run(begun + 100*time.Second)
	if got := float64(sum() - before); math.Abs(got-100e6) > 0.005*100e6 {
		t.Errorf("%.0f bytes in 100 s, want 100e6", got)
	}
	for c, n := range q.got {
		if math.Abs(float64(n)-25e6) > 0.05*25e6 {
			t.Errorf("connection %d brought %d bytes, want about a quarter", c, n)
		}
	}
}

// TestRack: what leaves a rack, or enters it, shares its link; what stays inside
// does not use it.
func TestRack(t *testing.T) {
	b := newBench(t, Config{Latency: ms})
	b.Rack("a", 2e6, 1e6)
	b.Rack("b", 0, 0)
	sum := map[string]*int{}
	flow := func(what string, p, q *party) {
		c, far := p.connect(q)
		p.quiet, q.quiet = true, true
		p.pump(c, 50_000)
		b.At(b.Now()+time.Minute, func() {
			if sum[what] == nil {
				sum[what] = new(int)
			}
			*sum[what] += q.got[far]
		})
	}
	in := func(rack string) *party { return b.host(HostConfig{Up: 1e6, Down: 1e6, Rack: rack}) }
	for range 4 {
		flow("out", in("a"), in(""))
		flow("into", in("b"), in("a"))
		flow("inside", in("a"), in("a"))
	}
	b.Run(b.Now() + time.Minute)
	for what, want := range map[string]float64{"out": 2e6, "into": 1e6, "inside": 4e6} {
		if got := float64(*sum[what]) / 60; math.Abs(got-want) > 0.03*want {
			t.Errorf("%s: %.0f bytes a second, want %.0f", what, got, want)
		}
	}
}

// TestLatency: the latencies of both hosts and the world's add up.
func TestLatency(t *testing.T) {
	b := newBench(t, Config{Latency: 10 * ms})
	p, q := b.host(HostConfig{Up: 1e6, Latency: 3 * ms}), b.host(HostConfig{Latency: 200 * ms})
	c := p.Dial(q.Addr())
	b.Run(time.Second)
	p.want("426ms opened 1 true 10.0.0.2:1")
	q.want("213ms opened 1 false 10.0.0.1:32769")
	p.tell(c, "hi")
	b.Run(2 * time.Second)
	// Its 10 bytes take the uplink's time, and less than a microsecond of the
	// downlink's.
	q.want(`1.213010008s received 1 NOTE "hi" 2`)
}

// TestWindow: a long path is filled, and no more than its window is on its way.
func TestWindow(t *testing.T) {
	b := newBench(t, Config{Latency: 100 * ms})
	p, q := b.host(HostConfig{Up: 1e6}), b.host(HostConfig{Down: 1e6})
	c, far := p.connect(q)
	e := p.conns[c]
	if want := int(1e6 * 0.25); e.out.window != want {
		t.Errorf("a window of %d, want %d: a round trip and 50 ms", e.out.window, want)
	}
	begun := b.Now()
	p.pump(c, 30_000)
	most := 0
	for b.Step(begun + 20*time.Second) {
		most = max(most, e.out.inflight)
	}
	if most > e.out.window+e.h.up.quantum {
		t.Errorf("%d bytes on their way, the window is %d", most, e.out.window)
	}
	if got := float64(q.got[far]); got < 0.99*19.9e6*30_000/float64(frameSize(30_000)) {
		t.Errorf("%.0f bytes in 20 s of a path of 1 MB/s", got)
	}
}

// TestQueueing: what is sent while the uplink has been busy waits in the buffers
// before it, messages of other connections too.
func TestQueueing(t *testing.T) {
	for _, queue := range []time.Duration{0, 100 * ms} {
		b := newBench(t, Config{Latency: 10 * ms, Queue: queue})
		p := b.host(HostConfig{Up: 1e6})
		far, q := b.host(HostConfig{}), b.host(HostConfig{})
		p.connect(far)
		c, _ := p.connect(q)
		send := func(want time.Duration) {
			at := b.Now()
			p.tell(c, "hi")
			b.Run(at + time.Second)
			q.want(fmt.Sprintf(`%v received 1 NOTE "hi" 2`, at+want))
		}
		const alone = 10*ms + 10*time.Microsecond + 8 // 10 bytes of 1 MB/s, and of 1.25 GB/s
		send(alone)
		p.pump(1, 100_000)
		b.Run(b.Now() + time.Second)
		send(alone + queue)
		p.feed[1] = 0
		b.Run(b.Now() + 10*time.Second)
		send(alone)
	}
}

// TestSetRates: a link that changes takes effect at the next quantum.
func TestSetRates(t *testing.T) {
	b := newBench(t, Config{})
	p, q := b.host(HostConfig{Up: 1e6}), b.host(HostConfig{})
	c, far := p.connect(q)
	p.pump(c, 10_000)
	b.Run(10 * time.Second)
	p.SetRates(1e5, 0)
	first := q.got[far]
	b.Run(20 * time.Second)
	if got := float64(q.got[far] - first); math.Abs(got-1e6) > 40_000 {
		t.Errorf("%.0f bytes in 10 s at 100 kB/s", got)
	}
	p.SetRates(0, 0)
	first = q.got[far]
	b.Run(20*time.Second + 100*ms)
	if got := float64(q.got[far] - first); got < 50e6 {
		t.Errorf("%.0f bytes in 100 ms of the default rate", got)
	}
}

// TestControlTakesTime: control messages alone share an uplink's rate, too.
func TestControlTakesTime(t *testing.T) {
	b := newBench(t, Config{})
	p, q := b.host(HostConfig{Up: 1e6}), b.host(HostConfig{})
	c, _ := p.connect(q)
	text := string(make([]byte, 99_992))
	for range 3 {
		if err := p.tell(c, text); err != nil {
			t.Fatal(err)
		}
	}
	b.Run(time.Second)
	const last = "received 1 NOTE \"\\x00\\x00\\x00\\x00\" 99992"
	// Messages of 5 ms together would leave side by side.
	q.want("100.08ms "+last, "195.08ms "+last, "295.08ms "+last)
	// A frame that follows waits for what went ahead of it.
	at := b.Now()
	p.tell(c, text)
	p.frame(c, 49_988)
	b.Run(2 * time.Second)
	q.want(fmt.Sprintf("%v %s", at+100_080*time.Microsecond, last),
		fmt.Sprintf(`%v received 1 BULK "head" 49992`, at+150*ms))
}
