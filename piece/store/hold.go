package store

import (
	"math"
	"time"
)

// hold is a piece that is being put. Either some goroutines write blocks of it
// or one writes or verifies all of it: what is verified is what stays.
type hold struct {
	all     bool // one goroutine has the whole piece
	writers int  // goroutines that write blocks
	waiting int  // goroutines that want the whole piece

	sum      *digest // of the bytes before next; nil: none yet
	next     int
	hashing  bool // somebody is in sum, without the lock, up to ahead
	ahead    int
	low      int    // where the lowest block begins that was put out of order
	torn     bool   // sum is not of what the file holds
	proven   bitset // blocks that agree with their leaves, nil: none
	blind    uint   // counts the beginnings and ends of writes without leaves
	blinds   int    // how many of them are under way
	unpadded bool   // padding came that was not zero
}

// share begins the write of a block; nil if the piece is verified.
func (s *Store) share(i int) *hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.have.has(i) {
			return nil
		}
		h := s.holdOf(i)
		if !h.all && h.waiting == 0 {
			h.writers++
			return h
		}
		s.free.Wait()
	}
}

// hold takes a whole piece; had is true if it is verified already.
func (s *Store) hold(i int) (h *hold, had bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.have.has(i) {
			s.retire(i)
			return nil, true
		}
		h = s.holdOf(i)
		if !h.all && h.writers == 0 {
			h.all = true
			return h, false
		}
		h.waiting++
		s.free.Wait()
		h.waiting--
	}
}

// holdOf returns the hold of a piece, made if need be. mu is held.
func (s *Store) holdOf(i int) *hold {
	h := s.holds[i]
	if h == nil {
		if n := len(s.idle); n > 0 {
			h, s.idle = s.idle[n-1], s.idle[:n-1]
		} else {
			h = &hold{low: math.MaxInt}
		}
		s.holds[i] = h
	}
	return h
}

// settle gives a whole piece up, as verified or not. The files are marked here,
// after the writes and together with the bit: a sync that clears a mark has
// then begun after the bytes it is for.
func (s *Store) settle(i int, h *hold, verified bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if verified {
		off, n := s.lay.piece(i)
		s.have.set(i)
		delete(s.weak, i)
		delete(s.rotten, i)
		if s.unsynced == 0 {
			s.since = time.Now()
		}
		s.unsynced += n
		c := s.lay.spans(off, n)
		for sp, ok := c.nextOnDisk(); ok; sp, ok = c.nextOnDisk() {
			s.dirty[sp.file] = struct{}{}
		}
	}
	if h.sum != nil {
		digests.Put(h.sum)
	}
	*h = hold{waiting: h.waiting, low: math.MaxInt}
	s.retire(i)
	s.free.Broadcast()
}

// retire puts a hold that nobody uses away for the next piece. mu is held.
func (s *Store) retire(i int) {
	if h := s.holds[i]; h != nil && !h.all && h.writers == 0 && h.waiting == 0 && h.sum == nil {
		delete(s.holds, i)
		s.idle = append(s.idle, h)
	}
}
