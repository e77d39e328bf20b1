package p2ptest_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// notes is a protocol that writes down its events.
type notes struct {
	h     p2p.Host
	lines []string
	body  p2p.Payload
}

func (p *notes) note(format string, args ...any) {
	at := p.h.Now().Sub(p2ptest.Epoch)
	p.lines = append(p.lines, fmt.Sprintf("%v ", at)+fmt.Sprintf(format, args...))
}
func (p *notes) Opened(c p2p.ConnInfo) { p.note("opened %d %v %s", c.ID, c.Dialed, c.Addr) }
func (p *notes) Received(c p2p.ConnID, m *p2p.Message) {
	p.note("received %d %v %q %d", c, m.Type, m.Head, m.Len())
	p.body = m.Body
}
func (p *notes) Drained(c p2p.ConnID, _ int)    { p.note("drained %d", c) }
func (p *notes) Closed(c p2p.ConnID, err error) { p.note("closed %d %v", c, err) }
func (p *notes) Wake()                          { p.note("wake") }
func (p *notes) Done(j p2p.Job)                 { p.note("done %v", j) }

func (p *notes) want(t *testing.T, lines ...string) {
	t.Helper()
	if got, w := strings.Join(p.lines, "\n"), strings.Join(lines, "\n"); got != w {
		t.Errorf("noted:\n%s\nwant:\n%s", got, w)
	}
	p.lines = nil
}

type job struct {
	name string
	done bool
}

func (j *job) Class() p2p.Class   { return p2p.Disk }
func (j *job) Do(context.Context) { j.done = true }
func (j *job) String() string     { return j.name }

func TestHost(t *testing.T) {
	h := p2ptest.NewHost(1)
	p := &notes{h: h}
	h.Start(p)
	c := h.Dial("b:1")
	body := p2ptest.Blank(5)
	if err := h.Send(c, p2p.Message{Type: p2p.NAME, Body: body}); err != p2p.ErrClosed || body.Released != 1 {
		t.Errorf("send before open: %v, released %d", err, body.Released)
	}
	h.Open(c)
	h.Deliver(c, p2p.NAME, "x")
	h.Send(c, p2p.Message{Type: p2p.REPL, Head: []byte("y"), Body: p2ptest.Blank(4)})
	h.Drain(c)
	if tr := h.Traffic(c); tr != (p2p.Traffic{In: 9, Out: 13}) {
		t.Errorf("traffic %+v", tr)
	}
	h.Fill(c, true)
	h.Send(c, p2p.Message{Type: p2p.PING})
	h.WakeAt(h.Now().Add(time.Second))
	h.Advance(2 * time.Second)
	h.Run(&job{name: "one"})
	h.Run(&job{name: "two"})
	h.FinishJob(1)
	h.Return(h.PopJob(0))
	h.Close(c, io.EOF)
	h.Close(c, io.EOF)
	late := p2ptest.Blank(1)
	h.DeliverBody(c, p2p.NAME, "", late)
	if late.Released != 1 || h.Alive(c) || h.Jobs() != 0 || h.Traffic(c) != (p2p.Traffic{}) {
		t.Error("a closed connection lives on")
	}
	h.Fail(h.Dial("c:1"))
	p.want(t, "0s opened 1 true b:1", `0s received 1 NAME "x" 1`, "0s drained 1", "1s wake", "2s done two", "2s done one",
		"2s closed 2 connection refused")
	w := `dial 1 b:1
refused 1 NAME: connection closed
send 1 REPL "y" +4
refused 1 PING: outbox full
wake 1s
run one
run two
close 1 EOF
dial 2 c:1
`
	if got := h.Take(); got != w {
		t.Errorf("log:\n%swant:\n%s", got, w)
	}
}

func TestNet(t *testing.T) {
	w := p2ptest.NewNet(1)
	limits := &p2p.Limits{Specs: map[p2p.Type]p2p.Spec{p2p.T("BULK"): {Max: 10, Head: 2}}, Unknown: 4}
	ah, bh := w.Host("a:1"), w.Host("b:1")
	a, b := &notes{h: ah}, &notes{h: bh}
	ah.Start(a, limits)
	ah.Dial("b:1")
	w.Run(5 * time.Millisecond)
	a.want(t, "2ms closed 1 connection refused") // b has not started
	bh.Start(b, limits)

	c := ah.Dial("b:1")
	if err := ah.Send(c, p2p.Message{Type: p2p.NAME}); err != p2p.ErrClosed {
		t.Errorf("send before open: %v", err)
	}
	w.Run(2 * time.Millisecond)
	a.want(t, "7ms opened 2 true b:1")
	b.want(t, "6ms opened 1 false a:32770")

	// However the sender cuts a message, the receiver's Spec says where.
	for _, m := range []p2p.Message{
		{Head: []byte("hebody")},
		{Head: []byte("he"), Body: p2ptest.NewBody([]byte("body"))},
		{Head: []byte("h"), Body: p2ptest.NewBody([]byte("ebody"))},
		{Head: []byte("hebo"), Body: p2ptest.NewBody([]byte("dy"))},
	} {
		m.Type = p2p.T("BULK")
		if err := ah.Send(c, m); err != nil {
			t.Fatal(err)
		}
		w.Run(time.Millisecond)
		if data := b.body.(*p2ptest.Body); string(data.Bytes()) != "body" || data.Released != 0 {
			t.Errorf("body %q", data.Bytes())
		}
		b.body.Release()
	}
	b.want(t, `8ms received 1 BULK "he" 6`, `9ms received 1 BULK "he" 6`, `10ms received 1 BULK "he" 6`, `11ms received 1 BULK "he" 6`)
	a.want(t, "9ms drained 2", "10ms drained 2", "11ms drained 2")
	bh.Send(1, p2p.Message{Type: p2p.NAME, Body: p2ptest.Blank(3)}) // whole message is control
	w.Run(time.Millisecond)
	a.want(t, `12ms received 2 NAME "\x00\x00\x00" 3`)
	b.want(t, "12ms drained 1")
	if tr := ah.Traffic(2); tr != (p2p.Traffic{In: 11, Out: 56}) {
		t.Errorf("traffic %+v", tr)
	}

	// Too long a frame closes, after what was sent before it.
	ah.Send(c, p2p.Message{Type: p2p.NAME, Head: []byte("12345")})
	w.Run(2 * time.Millisecond)
	a.want(t, "14ms closed 2 EOF")
	b.want(t, "13ms closed 1 too_large: NAME of 5 bytes")

	ah.Dial("b:1")
	w.Run(2 * time.Millisecond)
	j := &job{name: "job"}
	ah.Run(j)
	ah.WakeAt(w.Now().Add(time.Millisecond))
	ah.WakeAt(w.Now().Add(2 * time.Millisecond))
	w.Run(3 * time.Millisecond)
	a.want(t, "16ms opened 3 true b:1", "17ms done job", "18ms wake")
	w.Kill("b:1")
	w.Run(time.Millisecond)
	ah.Dial("b:1")
	w.Run(2 * time.Millisecond)
	a.want(t, "20ms closed 3 connection reset", "22ms closed 4 connection refused")
	if !j.done {
		t.Error("job not done")
	}

	// A dial that is given up before it arrives is an accepted connection
	// that ends at once.
	bh2 := w.Host("b:1")
	b2 := &notes{h: bh2}
	bh2.Start(b2, limits)
	ah.Close(ah.Dial("b:1"), nil)
	w.Run(5 * time.Millisecond)
	a.want(t)
	b2.want(t, "23ms opened 1 false a:32773", "24ms closed 1 EOF")
}
