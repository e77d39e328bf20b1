package tcp

import "sync"

// bufferClasses are the capacities that are pooled, in bytes. A larger buffer is
// allocated exactly and left to the garbage collector.
var bufferClasses = [...]int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10}

// defaultRetain is how many bytes of free buffers a pool keeps.
const defaultRetain = 16 << 20

// BufferPool lends memory for received messages. Free buffers are reused last
// in, first out, so that a working set stays small and warm, and beyond a bound
// they are dropped. It may be used from any goroutine.
type BufferPool struct {
	mu     sync.Mutex
	free   [len(bufferClasses)][]*Buffer
	idle   int // bytes in free
	retain int
	lent   int // bytes lent
	peak   int // most bytes lent at once
}

// NewBufferPool returns a pool that keeps at most retain bytes of free buffers;
// 0 means 16 MiB.
func NewBufferPool(retain int) *BufferPool {
	if retain <= 0 {
		retain = defaultRetain
	}
	return &BufferPool{retain: retain}
}

// PoolStats says what a BufferPool holds, in bytes.
type PoolStats struct{ Lent, PeakLent, Idle int }

// Stats returns the pool's counters.
func (p *BufferPool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolStats{Lent: p.lent, PeakLent: p.peak, Idle: p.idle}
}

// Get lends a buffer of n bytes with undefined content. Its Release gives it
// back.
func (p *BufferPool) Get(n int) *Buffer {
	class := classOf(n)
	capacity := n
	if class >= 0 {
		capacity = bufferClasses[class]
	}
	if b := p.take(class, capacity); b != nil {
		b.n = n
		return b
	}
	return &Buffer{pool: p, class: class, data: make([]byte, capacity), n: n, lent: true}
}

// take counts a loan of capacity bytes and returns the free buffer of the class
// that was used last, or nil.
func (p *BufferPool) take(class, capacity int) *Buffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent += capacity
	p.peak = max(p.peak, p.lent)
	if class < 0 || len(p.free[class]) == 0 {
		return nil
	}
	list := p.free[class]
	b := list[len(list)-1]
	list[len(list)-1] = nil
	p.free[class] = list[:len(list)-1]
	p.idle -= capacity
	b.lent = true
	return b
}

func (p *BufferPool) put(b *Buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !b.lent {
		panic("tcp: Buffer released twice")
	}
	b.lent = false
	p.lent -= len(b.data)
	if b.class >= 0 && p.idle+len(b.data) <= p.retain {
		p.idle += len(b.data)
		p.free[b.class] = append(p.free[b.class], b)
	}
}

// classOf returns the smallest class that holds n bytes, or -1.
func classOf(n int) int {
	for i, size := range bufferClasses {
		if n <= size {
			return i
		}
	}
	return -1
}

// Buffer is a received Body: memory on loan from a BufferPool. It is a
// p2p.Payload.
type Buffer struct {
	pool  *BufferPool
	class int
	data  []byte // the whole capacity
	n     int
	lent  bool // guarded by pool.mu
}

// Size returns the number of bytes.
func (b *Buffer) Size() int { return b.n }

// Bytes returns the memory, which the caller may write to until Release.
func (b *Buffer) Bytes() []byte { return b.data[:b.n] }

// Release gives the memory back to the pool. It panics on a second call: the
// memory would already be somebody else's.
func (b *Buffer) Release() { b.pool.put(b) }
