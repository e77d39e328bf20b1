package tcp

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"starling/p2p"
)

// ErrStopped says that the host has stopped, or is about to.
var ErrStopped = errors.New("host stopped")

// ErrBusy says that the host's inbox is full.
var ErrBusy = errors.New("host busy")

// Host drives one Protocol with sockets. Make it with NewHost, give it to the
// protocol's constructor, then Start it with that protocol. Until Start, the
// methods of p2p.Host are for the goroutine that calls Start.
type Host struct {
	cfg    Config
	inbox  *inbox
	pool   *Pool
	ctx    context.Context // ends when the host stops
	cancel context.CancelFunc

	// The loop's own.
	proto   p2p.Protocol
	limits  *p2p.Limits // fixed at Start, then read by readers too
	rng     *rand.Rand
	now     time.Time
	wakeAt  time.Time
	lastID  p2p.ConnID
	conns   map[p2p.ConnID]*conn
	dials   map[p2p.ConnID]*dial
	queued  []*dial     // dials over MaxDials, oldest first
	dialers int         // goroutines that dial
	msg     p2p.Message // the one being delivered
	sending p2p.Message // the one being encoded

	live     atomic.Int32   // connections that hold a descriptor
	tasks    sync.WaitGroup // readers, writers, dials, jobs; grown by the loop only
	startEnd sync.Mutex     // guards started; makes Start and Stop exclude each other
	started  bool
	stopping atomic.Bool
	quit     chan struct{} // closed by the first Stop
	ended    chan struct{} // closed when nothing of the host runs any more
}

var _ p2p.Host = (*Host)(nil)

// NewHost returns a host that is not running yet.
func NewHost(cfg Config) *Host {
	h := &Host{
		cfg:   cfg.withDefaults(),
		pool:  cfg.Pool,
		now:   time.Now(),
		conns: make(map[p2p.ConnID]*conn),
		dials: make(map[p2p.ConnID]*dial),
		quit:  make(chan struct{}),
		ended: make(chan struct{}),
	}
	if h.pool == nil {
		h.pool = NewPool(DefaultWorkers)
	}
	h.inbox = newInbox(h.cfg.InboxEvents, h.cfg.InboxBytes)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	seed := cfg.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	h.rng = rand.New(rand.NewPCG(seed, 0))
	return h
}

// Start runs the loop with p, whose messages are bounded by limits. It is called
// once; after Stop it does nothing.
func (h *Host) Start(p p2p.Protocol, limits *p2p.Limits) {
	h.startEnd.Lock()
	defer h.startEnd.Unlock()
	if h.started {
		panic("tcp: Host started twice")
	}
	if h.stopping.Load() {
		return
	}
	h.proto, h.limits, h.started = p, limits, true
	go h.loop()
}

// Do runs fn on the loop and waits until it has run. It waits for room in the
// inbox. The error is ErrStopped if fn did not run. The protocol must not call
// it: the loop would wait for itself.
func (h *Host) Do(fn func()) error {
	c := &call{fn: fn, done: make(chan bool, 1)}
	if !h.inbox.put(&event{kind: evCall, call: c}) || !<-c.done {
		return ErrStopped
	}
	return nil
}

// Post has fn run on the loop, soon, and does not wait. The error is ErrBusy if
// the inbox is full and ErrStopped if the host has stopped; fn may also be
// dropped if the host stops before its turn.
func (h *Host) Post(fn func()) error {
	switch {
	case h.inbox.offer(&event{kind: evCall, call: &call{fn: fn}}):
		return nil
	case h.stopping.Load():
		return ErrStopped
	}
	return ErrBusy
}

// Done returns a channel that is closed when the host has stopped and nothing
// of it runs any more.
func (h *Host) Done() <-chan struct{} { return h.ended }

// Stop ends the host: connections get a moment for the control messages in
// their outboxes and are closed, the context of jobs ends, and every goroutine
// is waited for. The protocol hears of nothing. A job that was given to Run
// has been done, with an ended context, but Done does not follow. Stop may be
// called often and from anywhere but the protocol; its error is ctx's, if that
// ends first, and the host then goes on to stop.
func (h *Host) Stop(ctx context.Context) error {
	h.startEnd.Lock()
	first := !h.stopping.Swap(true)
	started := h.started
	h.startEnd.Unlock()
	if first {
		close(h.quit)
		if !started {
			go h.end(nil)
		}
	}
	select {
	case <-h.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end gives up everything that the host holds. rest is what the loop has taken
// from the inbox and not handled.
func (h *Host) end(rest []event) {
	for _, c := range h.conns {
		c.open = false
		c.shut(h.cfg.Linger / 4)
	}
	h.cancel()
	for i := range rest {
		h.refuse(&rest[i])
	}
	for _, ev := range h.inbox.close() {
		h.refuse(&ev)
	}
	h.tasks.Wait()
	if h.cfg.Pool == nil {
		h.pool.Close()
	}
	close(h.ended)
}

// refuse drops an event that comes too late.
func (h *Host) refuse(ev *event) {
	ev.free()
	if ev.conn != nil {
		ev.conn.Close()
	}
	if ev.first != nil {
		ev.first.drop()
	}
	if ev.call != nil && ev.call.done != nil {
		ev.call.done <- false
	}
}
