package monitor

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"starling/p2p"
)

const (
	// maxQueued bounds the records that wait for a batch; one more drops the
	// oldest.
	maxQueued = 16384
	// maxFlight bounds the batches that wait for their acknowledgement.
	maxFlight = 4
	// gather is how long a record waits for others to fill a batch with.
	gather = 100 * time.Millisecond
	// minRetry and maxRetry are the first and the longest wait before the
	// monitor is dialed again; each is twice the one before.
	minRetry = time.Second
	maxRetry = 30 * time.Second
)

var (
	errNoMonitor = p2p.Violation(p2p.ReasonRefused, "the other end takes no COPY")
	errRenewed   = &p2p.ProtocolError{Reason: p2p.ReasonIO, Detail: "a batch was not acknowledged"}
)

// ForwarderConfig makes a Forwarder.
type ForwarderConfig struct {
	// To is the monitor's address, "host:port". Required.
	To string
	// Trouble, if set, hears why records cannot be delivered: once when it
	// begins. Nil says that they are again.
	Trouble func(err error)
}

// Forwarder copies records to a monitor, see the package. It belongs to its node's
// goroutine.
type Forwarder struct {
	n       *p2p.Node
	to      string
	name    string // the monitor's, in the node's own tap
	source  string
	trouble func(error)

	queue  []p2p.TapRecord
	first  int    // the oldest of queue; those before it are gone
	lost   uint64 // dropped since the last batch
	total  Totals
	flight []*batch // made and not acknowledged, oldest first
	number uint64   // of the next batch

	conn    p2p.ConnID // zero while there is none
	open    bool
	flush   *p2p.Timer
	pending bool // flush is set
	retry   *p2p.Timer
	backoff time.Duration // zero while all is well
	waiters []func()
}

// Totals is what became of the records so far.
type Totals struct {
	Delivered uint64 // acknowledged by the monitor
	Lost      uint64 // dropped
	Waiting   uint64 // neither yet
}

// batch is one COPY.
type batch struct {
	data    []byte
	records int
	sent    bool // on the connection that is open
}

// NewForwarder returns a Forwarder on n, which it tells the monitor as its source.
// A node that is for nothing else gets f.Hooks() with SetHooks; one with hooks of
// its own calls f's from them.
func NewForwarder(n *p2p.Node, cfg ForwarderConfig) *Forwarder {
	f := &Forwarder{
		n: n, to: cfg.To, name: "monitor " + cfg.To, trouble: cfg.Trouble,
		source: sourceName(n.ID(), n.Host().Rand().Uint32()),
	}
	f.flush = n.NewTimer(func() {
		f.pending = false
		f.push()
	})
	f.retry = n.NewTimer(f.dial)
	return f
}

// sourceName tells a source from all others, one that ran before under the same
// id included.
func sourceName(id string, chance uint32) string {
	plain := []byte(id)
	for i, c := range plain {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			plain[i] = '.'
		}
	}
	return fmt.Sprintf("%s-%08x", plain[:min(len(plain), 255)], chance)
}

// Hooks are what the Forwarder must hear of its node: Opened and Closed. They pass
// over connections that are not its own.
func (f *Forwarder) Hooks() p2p.Hooks { return p2p.Hooks{Opened: f.opened, Closed: f.closed} }

// Totals tells what became of the records.
func (f *Forwarder) Totals() Totals {
	t := f.total
	t.Waiting = uint64(f.queued())
	for _, b := range f.flight {
		t.Waiting += uint64(b.records)
	}
	return t
}

// Tap takes one record. It is a p2p.Tap, also for the Forwarder's own node: the
// messages between it and the monitor are not copied.
func (f *Forwarder) Tap(r p2p.TapRecord) {
	if r.From == f.name || r.To == f.name {
		return
	}
	if f.queued() == maxQueued {
		f.drop(1)
		f.lost++
		f.total.Lost++
	}
	f.queue = append(f.queue, r)
	f.wake(gather)
}

// Lose counts records that were lost on the way to Tap.
func (f *Forwarder) Lose(n uint64) {
	f.lost += n
	f.total.Lost += n
	f.wake(gather)
}

// Flush sends what waits without gathering more, and has done called, in a later
// event, when nothing waits any more; that may be never, where there is no
// monitor.
func (f *Forwarder) Flush(done func()) {
	f.waiters = append(f.waiters, done)
	f.pending = false
	f.wake(0)
}

// Stop ends the connection and the timers. What waits is given up.
func (f *Forwarder) Stop() {
	f.flush.Stop()
	f.retry.Stop()
	f.hangup(nil)
}

// wake has push called after d, if that is not on its way already.
func (f *Forwarder) wake(d time.Duration) {
	if !f.pending {
		f.pending = true
		f.flush.Set(f.n.Now().Add(d))
	}
}

// push sends what may be sent now.
func (f *Forwarder) push() {
	if f.idle() {
		waiters := f.waiters
		f.waiters = nil
		for _, done := range waiters {
			done()
		}
		return
	}
	switch {
	case f.open:
		f.send()
	case f.conn == 0 && f.backoff == 0:
		f.dial()
	}
}

// idle reports whether there is nothing left to tell the monitor.
func (f *Forwarder) idle() bool { return f.queued() == 0 && len(f.flight) == 0 && f.lost == 0 }

func (f *Forwarder) queued() int { return len(f.queue) - f.first }

// send fills the flight and sends those of it that this connection has not seen.
func (f *Forwarder) send() {
	for len(f.flight) < maxFlight && (f.queued() > 0 || f.lost > 0) {
		f.flight = append(f.flight, f.take())
	}
	c := f.conn
	for _, b := range f.flight {
		if !b.sent {
			b.sent = true
			f.n.Request(c, p2p.Message{Type: COPY, Head: b.data}, func(replies []p2p.Message, err error) {
				f.answered(c, b, replies, err)
			})
		}
	}
}

// take makes a batch of the oldest records.
func (f *Forwarder) take() *batch {
	b := &batch{data: appendHeader(make([]byte, 0, 4096), f.source, f.number, f.lost)}
	f.number++
	f.lost = 0
	for _, r := range f.queue[f.first:][:min(f.queued(), maxRecords)] {
		size := len(b.data)
		b.data = r.AppendJSON(b.data)
		if len(b.data) > maxBatch {
			b.data = b.data[:size]
			break
		}
		b.records++
	}
	f.drop(b.records)
	return b
}

// drop removes the n oldest records. Now and then it moves the others to the
// front, so that the queue takes twice its bound at most.
func (f *Forwarder) drop(n int) {
	clear(f.queue[f.first:][:n])
	f.first += n
	if f.first == len(f.queue) || f.first == maxQueued {
		left := copy(f.queue, f.queue[f.first:])
		clear(f.queue[left:])
		f.queue, f.first = f.queue[:left], 0
	}
}

// answered takes the outcome of a batch that was sent on c.
func (f *Forwarder) answered(c p2p.ConnID, b *batch, replies []p2p.Message, err error) {
	switch {
	case c != f.conn:
		return // given up; the batch is sent again
	case err == nil && !taken(replies, b.records):
		err = errNoMonitor
	}
	if err != nil {
		f.fail(err)
		return
	}
	i := slices.Index(f.flight, b)
	f.flight = slices.Delete(f.flight, i, i+1)
	f.total.Delivered += uint64(b.records)
	if f.backoff > 0 {
		f.backoff = 0
		f.tell(nil)
	}
	if f.queued() >= maxRecords || len(f.waiters) > 0 {
		f.push()
	} else if !f.idle() {
		f.wake(gather)
	}
}

// taken reports whether the answer to a batch says that a monitor has it. A node
// that knows no COPY answers, too: with nothing.
func taken(replies []p2p.Message, records int) bool {
	return len(replies) == 1 && replies[0].Type == p2p.REPL && string(replies[0].Head) == strconv.Itoa(records)
}
