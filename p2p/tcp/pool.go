package tcp

import (
	"context"
	"sync"

	"starling/p2p"
)

// Pool runs jobs: a fixed number of workers for each class, so that a slow
// tracker cannot hold up the disk. Hosts share it.
type Pool struct {
	classes [p2p.NumClasses]jobQueue
	workers sync.WaitGroup
}

// task is a job on its way, with where its result goes.
type task struct {
	ctx  context.Context
	job  p2p.Job
	done func(p2p.Job)
}

// jobQueue holds the jobs that wait for a worker. It has no bound of its own:
// what waits here was asked for by a protocol, which bounds what it asks for,
// and a refusal would be one more state for every protocol to handle.
type jobQueue struct {
	mu     sync.Mutex
	ready  sync.Cond
	tasks  []task // those from head on wait
	head   int
	closed bool
}

// NewPool starts a pool with so many workers a class; a class with less than
// one gets one.
func NewPool(workers [p2p.NumClasses]int) *Pool {
	p := &Pool{}
	for class := range p.classes {
		q := &p.classes[class]
		q.ready.L = &q.mu
		for range max(1, workers[class]) {
			p.workers.Go(q.work)
		}
	}
	return p
}

// Close ends the workers when no job is left, and waits for them. No host that
// uses the pool may still be running.
func (p *Pool) Close() {
	for class := range p.classes {
		q := &p.classes[class]
		q.mu.Lock()
		q.closed = true
		q.mu.Unlock()
		q.ready.Broadcast()
	}
	p.workers.Wait()
}

// run queues a task, first come, first served within a class. It never waits.
func (p *Pool) run(t task) {
	class := t.job.Class()
	if int(class) >= len(p.classes) {
		panic("tcp: job of an unknown class")
	}
	q := &p.classes[class]
	q.mu.Lock()
	q.tasks = append(q.tasks, t)
	q.mu.Unlock()
	q.ready.Signal()
}

func (q *jobQueue) work() {
	for {
		t, ok := q.next()
		if !ok {
			return
		}
		t.job.Do(t.ctx)
		t.done(t.job)
	}
}

// next waits for a task; false means that the pool is closed and none is left.
func (q *jobQueue) next() (task, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.head == len(q.tasks) {
		if q.closed {
			return task{}, false
		}
		q.tasks, q.head = q.tasks[:0], 0
		q.ready.Wait()
	}
	t := q.tasks[q.head]
	q.tasks[q.head] = task{}
	q.head++
	if q.head > 64 && q.head*2 > len(q.tasks) {
		n := copy(q.tasks, q.tasks[q.head:])
		clear(q.tasks[n:])
		q.tasks, q.head = q.tasks[:n], 0
	}
	return t, true
}
