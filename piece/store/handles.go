package store

import (
	"container/list"
	"errors"
	"os"
	"sync"
	"syscall"
)

// handles is a bounded cache of open files by their index. A handle that is in
// use stays open; the least recently used of the others goes when there are
// too many. The lock is held for list surgery only, never for a system call.
type handles struct {
	open func(file int, create bool) (*os.File, error)
	max  int

	mu     sync.Mutex
	byFile map[int]*handle
	lru    list.List // of *handle, the most recently used first
	epoch  int       // rises with each drop: what was opened before is stale
	closed bool
}

type handle struct {
	f    *os.File
	file int
	refs int
	elem *list.Element // nil: no longer in the cache, closed with the last ref
}

var errClosed = errors.New("store is closed")

func newHandles(limit int, open func(file int, create bool) (*os.File, error)) *handles {
	return &handles{open: open, max: limit, byFile: make(map[int]*handle)}
}

// acquire returns a handle of a file. The caller releases it. Unless create is
// set, a file that is not there is an fs.ErrNotExist.
func (c *handles) acquire(file int, create bool) (*handle, error) {
	for {
		c.mu.Lock()
		if h := c.byFile[file]; h != nil {
			h.refs++
			c.lru.MoveToFront(h.elem)
			c.mu.Unlock()
			return h, nil
		}
		epoch, closed := c.epoch, c.closed
		c.mu.Unlock()
		if closed {
			return nil, errClosed
		}
		f, err := c.open(file, create)
		if errors.Is(err, syscall.EMFILE) && c.shed() {
			continue
		}
		if err != nil {
			return nil, err
		}
		if h := c.insert(file, f, epoch); h != nil {
			return h, nil
		}
		f.Close()
	}
}

// insert puts an opened file in the cache, referenced once. It returns nil if
// somebody else was faster or the cache has been dropped since epoch.
func (c *handles) insert(file int, f *os.File, epoch int) *handle {
	c.mu.Lock()
	if c.byFile[file] != nil || c.epoch != epoch {
		c.mu.Unlock()
		return nil
	}
	h := &handle{f: f, file: file, refs: 1}
	h.elem = c.lru.PushFront(h)
	c.byFile[file] = h
	out := c.evict()
	c.mu.Unlock()
	closeAll(out)
	return h
}

func (c *handles) release(h *handle) {
	c.mu.Lock()
	h.refs--
	last := h.elem == nil && h.refs == 0
	var out []*os.File
	if !last && c.lru.Len() > c.max {
		out = c.evict()
	}
	c.mu.Unlock()
	if last {
		h.f.Close()
	}
	closeAll(out)
}

// evict takes idle handles out of the cache until it is small enough.
func (c *handles) evict() []*os.File {
	var out []*os.File
	for e := c.lru.Back(); e != nil && c.lru.Len() > c.max; {
		h, prev := e.Value.(*handle), e.Prev()
		if h.refs == 0 {
			c.remove(h)
			out = append(out, h.f)
		}
		e = prev
	}
	return out
}

// shed closes the idle handle that was used least recently, for the process is out
// of descriptors; it is false if all are in use.
func (c *handles) shed() bool {
	c.mu.Lock()
	e := c.lru.Back()
	for e != nil && e.Value.(*handle).refs > 0 {
		e = e.Prev()
	}
	if e == nil {
		c.mu.Unlock()
		return false
	}
	h := e.Value.(*handle)
	c.remove(h)
	c.mu.Unlock()
	h.f.Close()
	return true
}

func (c *handles) remove(h *handle) {
	c.lru.Remove(h.elem)
	h.elem = nil
	delete(c.byFile, h.file)
}

// drop empties the cache. Handles in use stay open until they are released.
// With final set nothing can be acquired afterwards.
func (c *handles) drop(final bool) {
	c.mu.Lock()
	var out []*os.File
	for _, h := range c.byFile {
		c.remove(h)
		if h.refs == 0 {
			out = append(out, h.f)
		}
	}
	c.epoch++
	c.closed = c.closed || final
	c.mu.Unlock()
	closeAll(out)
}

// closeAll closes files whose data no longer depends on it: a write error that
// close might report is reported by the fsync that makes data durable.
func closeAll(fs []*os.File) {
	for _, f := range fs {
		f.Close()
	}
}
