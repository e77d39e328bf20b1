package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"starling/p2p"
)

// pair is two connected hosts 10 ms apart, 1 MB/s up.
func pair(t *testing.T) (b *bench, p, q *party, c, far p2p.ConnID) {
	b = newBench(t, Config{Latency: 10 * ms})
	p, q = b.host(HostConfig{Up: 1e6}), b.host(HostConfig{Up: 1e6})
	c, far = p.connect(q)
	return b, p, q, c, far
}

func (p *party) wantLine(n int, suffix string) {
	p.b.t.Helper()
	if len(p.lines) != n || n > 0 && !strings.HasSuffix(p.lines[n-1], suffix) {
		p.b.t.Errorf("%s noted %q, want %d lines, the last with %q", p.Addr(), p.lines, n, suffix)
	}
	p.lines = nil
}

// TestKill: connections are reset, what was under way is lost, dials are refused,
// and nothing of the former life reaches the next.
func TestKill(t *testing.T) {
	b, p, q, c, far := pair(t)
	p.frame(c, 1e5)
	q.frame(far, 1e5)
	p.Run(&work{h: p.Host, charge: time.Second})
	p.WakeAt(p.Now().Add(time.Second))
	b.Run(b.Now() + 50*ms)
	p.Kill()
	if p.Running() {
		t.Error("it runs")
	}
	q.Dial(p.Addr())
	b.Run(b.Now() + 500*ms)
	p.want()
	q.want("80ms closed 1 connection reset", "90ms closed 2 connection refused")
	p.Start(p, limits)
	b.Run(5 * time.Second)
	p.want()
	if got, _ := q.connect(p); got != 3 {
		t.Errorf("connection %d", got)
	}
}

// TestPowerOff: nobody hears of it. Who sends gives up after the write timeout;
// who does not learns of it when it sends to the host after its return.
func TestPowerOff(t *testing.T) {
	b, p, q, c, _ := pair(t)
	idle := b.host(HostConfig{})
	d, _ := idle.connect(q)
	held := b.host(HostConfig{})
	e, _ := held.connect(q)
	p.frame(c, 1e5)
	b.Run(b.Now() + 20*ms)
	q.PowerOff()
	off := b.Now()
	b.Run(off + 29*time.Second)
	p.want() // the window is full, and nothing more leaves
	b.Run(off + 31*time.Second)
	p.wantLine(1, "closed 1 timed out")
	held.tell(e, "sent again and again")
	b.Run(off + 40*time.Second)
	q.Start(q, limits)
	idle.tell(d, "who are you")
	b.Run(off + 41*time.Second)
	idle.wantLine(1, "closed 1 connection reset")
	b.Run(off + 50*time.Second)
	held.wantLine(1, "closed 1 connection reset")
	q.want()
}

// TestStop: connections are closed in order.
func TestStop(t *testing.T) {
	b, p, q, c, far := pair(t)
	p.frame(c, 1e5)
	p.frame(c, 1e5)
	begun := b.Now()
	b.Run(begun + ms)
	p.Stop()
	b.Run(begun + time.Second)
	q.want(fmt.Sprintf(`%v received 1 BULK "head" 100004`, begun+100_012*time.Microsecond+10*ms),
		fmt.Sprintf("%v closed 1 EOF", begun+100_012*time.Microsecond+10*ms))
	if q.got[far] != 1e5 {
		t.Errorf("%d bytes", q.got[far])
	}
	p.want()
}

// TestLeap: the clock jumps, and with it the deadline comes early.
func TestLeap(t *testing.T) {
	b, p, _, _, _ := pair(t)
	before := p.Now()
	p.WakeAt(before.Add(time.Hour))
	p.Leap(30 * time.Minute)
	p.Leap(-time.Minute)
	if got := p.Now().Sub(before); got != 30*time.Minute {
		t.Errorf("it is %v later", got)
	}
	begun := b.Now()
	b.Run(begun + 30*time.Minute - 1)
	p.want()
	b.Run(begun + 30*time.Minute)
	p.wantLine(1, "wake")
	p.WakeAt(p.Now().Add(time.Hour))
	p.Leap(2 * time.Hour)
	b.Run(b.Now() + 1)
	p.wantLine(1, "wake")
}

// TestBlock: packets of one way or of both do not pass, dials fail, and after
// the end of it TCP's next attempt does.
func TestBlock(t *testing.T) {
	for _, both := range []bool{false, true} {
		b, p, q, c, far := pair(t)
		begun := b.Now()
		end := b.Block([]*Host{p.Host}, []*Host{q.Host}, both)
		p.tell(c, "out")
		q.tell(far, "back")
		p.Dial(q.Addr())
		b.Run(begun + ms + time.Second)
		q.want()
		if both {
			p.want()
		} else {
			p.wantLine(1, `received 1 NOTE "back" 4`)
		}
		end()
		b.Run(begun + 5*time.Second)
		// Sent at 0, again at 0.2 s, 0.6 s and, the first that passes, 1.4 s;
		// the packet is held where it arrives.
		at := begun + 10*ms + 11*time.Microsecond + 1400*ms + 8
		q.want(fmt.Sprintf(`%v received 1 NOTE "out" 3`, at))
		if both {
			p.wantLine(1, `received 1 NOTE "back" 4`)
		}
		b.Run(begun + 11*time.Second)
		p.wantLine(1, "closed 2 timed out")
	}
}

// TestBlockOthers: no second group is all others; those of the first still reach
// one another.
func TestBlockOthers(t *testing.T) {
	b := newBench(t, Config{})
	p, q, r := b.host(HostConfig{}), b.host(HostConfig{}), b.host(HostConfig{})
	inside, _ := p.connect(q)
	outside, _ := p.connect(r)
	b.Block([]*Host{p.Host, q.Host}, nil, true)
	p.tell(inside, "hello")
	p.tell(outside, "hello")
	b.Run(time.Second)
	q.wantLine(1, `received 1 NOTE "hell" 5`)
	r.want()
	b.Run(time.Minute)
	p.wantLine(1, "closed 2 timed out")
	r.want() // it has sent nothing, and has not noticed
}

// TestBlockedFrames: the frames that a broken path holds, and those behind them,
// are released when the connection is given up.
func TestBlockedFrames(t *testing.T) {
	b, p, q, c, _ := pair(t)
	b.Block([]*Host{p.Host}, nil, false)
	for range 5 {
		p.frame(c, 30_000)
	}
	b.Run(b.Now() + time.Minute)
	p.wantLine(len(p.lines), "closed 1 timed out")
	released := 0
	for _, body := range b.bodies {
		released += body.Released
	}
	if released != 5 || q.got[1] != 0 {
		t.Errorf("%d of 5 payloads released, %d bytes came", released, q.got[1])
	}
}

// TestLoss: a lossy path delays, in order, and loses nothing.
func TestLoss(t *testing.T) {
	arrivals := func(loss float64) (lines []string) {
		b := newBench(t, Config{Seed: 3, Latency: 10 * ms})
		p, q := b.host(HostConfig{Loss: loss}), b.host(HostConfig{})
		c, _ := p.connect(q)
		for i := range 200 {
			b.At(time.Second+time.Duration(i)*10*ms, func() { p.tell(c, fmt.Sprintf("%04d", i)) })
		}
		b.Run(time.Minute)
		return q.lines
	}
	clean, lossy := arrivals(0), arrivals(0.2)
	if len(clean) != 200 || len(lossy) != 200 {
		t.Fatalf("%d and %d messages came", len(clean), len(lossy))
	}
	late := 0
	for i := range clean {
		before, _, _ := strings.Cut(clean[i], " ")
		after, what, _ := strings.Cut(lossy[i], " ")
		if what != fmt.Sprintf("received 1 NOTE \"%04d\" 4", i) {
			t.Fatalf("message %d is %s", i, what)
		}
		was, _ := time.ParseDuration(before)
		is, _ := time.ParseDuration(after)
		switch {
		case is < was:
			t.Errorf("message %d came %v early", i, was-is)
		case is > was:
			late++
		}
	}
	// A loss holds up what is sent in the 200 ms after it: nearly all wait.
	if late < 100 {
		t.Errorf("%d of 200 messages were late", late)
	}
}

// TestBusy says whether the uplink sends, and what waits at the downlink.
func TestBusy(t *testing.T) {
	b := newBench(t, Config{Latency: 10 * ms})
	p, q := b.host(HostConfig{Up: 1e6}), b.host(HostConfig{Down: 1e5})
	c, _ := p.connect(q)
	if up, down := p.Busy(); up || down != 0 {
		t.Error("an idle host is busy")
	}
	p.pump(c, 100_000)
	b.Run(time.Second)
	if _, down := q.Busy(); down < 50*ms {
		t.Errorf("%v of a slow downlink's queue", down)
	}
	b.Run(time.Second + 999*ms)
	busy := false
	for range 100 { // it waits for the window most of the time
		b.Run(b.Now() + 10*ms)
		up, _ := p.Busy()
		busy = busy || up
	}
	if !busy {
		t.Error("the uplink never sends")
	}
}
