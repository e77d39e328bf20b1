package tcp

import (
	"net"
	"sync"

	"starling/p2p"
)

type eventKind uint8

const (
	evReceived eventKind = iota // c, frame, body
	evDrained                   // c
	evClosed                    // c, err
	evDialed                    // id, conn or err
	evRefused                   // id, err: of a dial that was not begun
	evAdopted                   // conn, first
	evDone                      // job
	evCall                      // call
)

// event is what the loop is told. It is passed by value: no message costs an
// allocation to deliver.
type event struct {
	kind  eventKind
	c     *conn
	frame Frame
	body  *Buffer
	id    p2p.ConnID
	conn  net.Conn
	first *FirstMessage
	err   error
	job   p2p.Job
	call  *call
}

// call is a function that somebody outside has the loop run.
type call struct {
	fn   func()
	done chan bool // capacity 1: whether fn ran; nil if nobody waits
}

// weight is the pooled memory that an event holds.
func (e *event) weight() int {
	n := 0
	if e.frame.big != nil {
		n += len(e.frame.big.data)
	}
	if e.body != nil {
		n += len(e.body.data)
	}
	return n
}

// inbox is the loop's queue. The loop takes all of it at once.
type inbox struct {
	mu        sync.Mutex
	space     sync.Cond
	queue     []event
	bytes     int // weight of queue
	maxEvents int
	maxBytes  int
	waiting   int // producers in space.Wait
	closed    bool
	// wake holds a token when the queue may have become non-empty.
	wake chan struct{}
}

func newInbox(events, bytes int) *inbox {
	q := &inbox{maxEvents: events, maxBytes: bytes, wake: make(chan struct{}, 1)}
	q.space.L = &q.mu
	return q
}

// put appends e, waiting for room. False means that the inbox is closed and e
// still the caller's.
func (q *inbox) put(e *event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.full() && !q.closed {
		q.waiting++
		q.space.Wait()
		q.waiting--
	}
	return q.add(e)
}

// force appends e even to a full inbox: for what the loop itself asked for, of
// which there is no more than it asked for.
func (q *inbox) force(e *event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(e)
}

// offer appends e if there is room.
func (q *inbox) offer(e *event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.full() && q.add(e)
}

func (q *inbox) full() bool {
	return len(q.queue) >= q.maxEvents || q.bytes >= q.maxBytes
}

func (q *inbox) add(e *event) bool {
	if q.closed {
		return false
	}
	q.queue = append(q.queue, *e)
	q.bytes += e.weight()
	if len(q.queue) == 1 {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// take returns all that waits and keeps spare, which must be empty, to fill.
func (q *inbox) take(spare []event) []event {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := q.queue
	q.queue, q.bytes = spare, 0
	if q.waiting > 0 {
		q.space.Broadcast()
	}
	return batch
}

// close refuses all further events and returns those that wait.
func (q *inbox) close() []event {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.space.Broadcast()
	batch := q.queue
	q.queue = nil
	return batch
}
