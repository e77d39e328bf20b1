package sim

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

const ms = time.Millisecond

var (
	bulk = p2p.T("BULK") // 4 bytes of head, then a body
	note = p2p.T("NOTE") // control
)

var limits = &p2p.Limits{
	Specs:   map[p2p.Type]p2p.Spec{bulk: {Max: 4 << 20, Head: 4}, note: {Max: 256 << 10}},
	Unknown: 16,
}

// bench is a world whose payloads are all accounted for: when its test ends,
// each must have been released once.
type bench struct {
	*World
	t      *testing.T
	bodies []*p2ptest.Body // a second release panics
}

func newBench(t *testing.T, cfg Config) *bench {
	b := &bench{World: New(cfg), t: t}
	t.Cleanup(func() {
		for _, h := range b.hosts {
			h.Kill()
		}
		b.Run(b.Now() + 2*time.Minute)
		for i, body := range b.bodies {
			if body.Released != 1 {
				t.Errorf("payload %d of %d bytes was released %d times", i, body.N, body.Released)
			}
		}
	})
	return b
}

// body is a payload of n bytes that are not there.
func (b *bench) body(n int) p2p.Payload {
	body := p2ptest.Blank(n)
	b.bodies = append(b.bodies, body)
	return body
}

// party is a host and the protocol on it, which notes what happens.
type party struct {
	*Host
	b        *bench
	lines    []string
	got      map[p2p.ConnID]int // bytes of bodies
	opened   p2p.ConnID         // the last connection
	feed     map[p2p.ConnID]int // the size of the frames that it sends without end
	quiet    bool               // frames and what has left are not noted
	lastDone p2p.Job
}

// host adds a started host at 10.0.0.N:1.
func (b *bench) host(cfg HostConfig) *party {
	cfg.Addr = fmt.Sprintf("10.0.0.%d:1", len(b.hosts)+1)
	p := &party{Host: b.Host(cfg), b: b, got: map[p2p.ConnID]int{}, feed: map[p2p.ConnID]int{}}
	p.Start(p, limits)
	return p
}

func (p *party) notef(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf("%v ", p.b.Now())+fmt.Sprintf(format, args...))
}

func (p *party) Opened(c p2p.ConnInfo) {
	p.opened = c.ID
	p.notef("opened %d %v %s", c.ID, c.Dialed, c.Addr)
}

func (p *party) Received(c p2p.ConnID, m *p2p.Message) {
	if m.Body != nil {
		p.got[c] += m.Body.Size()
		m.Body.Release()
	}
	if !p.quiet {
		p.notef("received %d %v %q %d", c, m.Type, m.Head[:min(4, len(m.Head))], m.Len())
	}
}

func (p *party) Drained(c p2p.ConnID, left int) {
	if !p.quiet {
		p.notef("drained %d %d", c, left)
	}
	p.fill(c)
}

func (p *party) Closed(c p2p.ConnID, err error) { p.notef("closed %d %v", c, err) }
func (p *party) Wake()                          { p.notef("wake") }
func (p *party) Done(j p2p.Job)                 { p.notef("done"); p.lastDone = j }

// want compares what was noted since the last call.
func (p *party) want(lines ...string) {
	p.b.t.Helper()
	if got, want := strings.Join(p.lines, "\n"), strings.Join(lines, "\n"); got != want {
		p.b.t.Errorf("%s noted:\n%s\nwant:\n%s", p.Addr(), got, want)
	}
	p.lines = nil
}

// connect dials q and lets the connection open. It returns both ends' ids.
func (p *party) connect(q *party) (here, there p2p.ConnID) {
	p.b.t.Helper()
	here = p.Dial(q.Addr())
	p.b.Run(p.b.Now() + 2*p.b.latency(p.Host, q.Host))
	if p.opened != here {
		p.b.t.Fatalf("%s is not connected to %s: %q", p.Addr(), q.Addr(), p.lines)
	}
	p.lines, q.lines = nil, nil
	return here, q.opened
}

// frame sends a message with a body of n bytes.
func (p *party) frame(c p2p.ConnID, n int) error {
	return p.Send(c, p2p.Message{Type: bulk, Head: []byte("head"), Body: p.b.body(n)})
}

// tell sends a control message.
func (p *party) tell(c p2p.ConnID, text string) error {
	return p.Send(c, p2p.Message{Type: note, Head: []byte(text)})
}

// pump sends frames of n bytes without end.
func (p *party) pump(c p2p.ConnID, n int) {
	p.quiet, p.feed[c] = true, n
	p.fill(c)
}

func (p *party) fill(c p2p.ConnID) {
	for n := p.feed[c]; n > 0 && p.frame(c, n) == nil; {
	}
}

// frameSize is what a frame of n bytes takes on the wire.
func frameSize(n int) int { return p2p.HeaderSize + 4 + n }

// work is a job that charges a host.
type work struct {
	h      *Host
	charge time.Duration
	commit func()
	class  p2p.Class
}

func (j *work) Class() p2p.Class { return j.class }
func (j *work) Do(context.Context) {
	j.h.Charge(j.charge)
	if j.commit != nil {
		j.h.Commit(j.commit)
	}
}
