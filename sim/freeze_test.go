package sim

import (
	"strings"
	"testing"
	"time"
)

// TestFreeze: a frozen host does and hears nothing; what it missed comes when it
// goes on, in order.
func TestFreeze(t *testing.T) {
	b, p, q, c, far := pair(t)
	p.WakeAt(p.Now().Add(100 * ms))
	p.Run(&work{h: p.Host, charge: 100 * ms})
	p.frame(c, 1e6)
	b.Run(b.Now() + 50*ms)
	frozen := b.Now()
	p.Freeze()
	q.tell(far, "one")
	q.tell(far, "two")
	q.Dial(p.Addr())
	b.Run(frozen + 5*time.Second)
	p.want()
	q.want()
	p.Thaw()
	p.Thaw()
	b.Run(frozen + 8*time.Second)
	var what []string
	for _, l := range p.lines {
		_, s, _ := strings.Cut(l, " ")
		what = append(what, s)
	}
	// TCP's attempts come at 0.2, 0.6, 1.4, 3 and 6.2 s.
	got, want := strings.Join(what, "; "), `wake; done; drained 1 0; received 1 NOTE "one" 3; received 1 NOTE "two" 3`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if at := p.lines[len(p.lines)-1]; !strings.HasPrefix(at, (frozen + 6210*ms + 19).String()[:4]) {
		t.Errorf("the messages came with %s", at)
	}
	q.wantLine(1, `received 1 BULK "head" 1000004`)
	b.Run(frozen + 11*time.Second)
	q.wantLine(1, "closed 2 timed out") // the dial found nobody
}

// TestFreezeDialing: what became of its dials a frozen host hears when it goes
// on.
func TestFreezeDialing(t *testing.T) {
	b, p, q, c, _ := pair(t)
	p.Dial(q.Addr())
	p.Dial("10.0.0.2:9")
	p.frame(c, 1)
	p.Freeze()
	frozen := b.Now()
	b.Run(frozen + time.Second)
	p.want()
	p.Thaw()
	b.Run(frozen + 2*time.Second)
	p.want("1.02s drained 1 0", "1.02s opened 2 true 10.0.0.2:1", "1.02s closed 3 connection refused")
}

// TestFreezeLong: who sends to a host that is frozen for longer than the write
// timeout gives up.
func TestFreezeLong(t *testing.T) {
	b, p, q, _, far := pair(t)
	p.Freeze()
	q.tell(far, "hello")
	b.Run(time.Minute)
	q.wantLine(1, "closed 1 timed out")
	p.Thaw()
	p.tell(1, "are you there")
	b.Run(2 * time.Minute)
	p.wantLine(1, "closed 1 connection reset")
}

// TestKillFrozen: a frozen host that is killed does not go on where it stood.
func TestKillFrozen(t *testing.T) {
	b, p, q, _, _ := pair(t)
	p.WakeAt(p.Now().Add(10 * ms))
	p.Freeze()
	b.Run(b.Now() + time.Second)
	p.Kill()
	p.Start(p, limits)
	p.Thaw()
	b.Run(b.Now() + time.Second)
	p.want()
	q.wantLine(1, "closed 1 connection reset")
}
