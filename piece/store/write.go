package store

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

var bufPool = sync.Pool{New: func() any { return new([ioBuffer]byte) }}

// PutPiece hashes a whole piece and, only if the hash is right, writes it from
// the same memory. ok says whether it was right, its padding too; err is about
// the disk, and then the piece is not kept, or an ErrInconsistent. data is not
// used after the return.
func (s *Store) PutPiece(i int, data []byte) (ok bool, err error) {
	if !s.lay.holds(i, 0, len(data)) {
		return false, fmt.Errorf("piece %d of %d bytes: out of range", i, len(data))
	}
	if _, n := s.lay.piece(i); int64(len(data)) != n {
		return false, fmt.Errorf("piece %d has %d bytes, not %d", i, n, len(data))
	}
	if !s.padded(i, 0, data) {
		return false, nil
	}
	d := digests.Get().(*digest)
	p := s.lay.plan(i)
	d.begin(p)
	d.write(data)
	ok, err = s.agrees(i, p, d.sum())
	digests.Put(d)
	if !ok {
		return false, err
	}
	if err := s.unseal(i); err != nil {
		return true, err
	}
	h, had := s.hold(i)
	if had {
		return true, nil
	}
	err = s.write(i, 0, data)
	s.settle(i, h, err == nil)
	return true, err
}

// PutBlock writes a part of a piece, which nothing vouches for yet. Bytes that
// arrive in order are hashed on the way, so that a piece needs no buffer of its
// size. A block of a verified piece is dropped.
func (s *Store) PutBlock(i, begin int, data []byte) error {
	if !s.lay.holds(i, begin, len(data)) {
		return fmt.Errorf("block %d+%d of piece %d: out of range", begin, len(data), i)
	}
	if err := s.unseal(i); err != nil {
		return err
	}
	h := s.share(i)
	if h == nil {
		return nil
	}
	err := s.putBlind(h, i, begin, data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unshare(h)
	return err
}

// putBlind writes what of a block is not proven. From its beginning to its end nothing
// else that is put in the piece counts as proven, and what does is left alone: it may
// be being sent.
func (s *Store) putBlind(h *hold, i, begin int, data []byte) error {
	var room [4]gap
	s.mu.Lock()
	gaps := h.gaps(room[:0], begin, len(data))
	h.blind++
	h.blinds++
	s.mu.Unlock()
	plan, padded := s.lay.plan(i), true
	var err error
	for _, g := range gaps {
		part := data[g.from-begin : g.to-begin]
		padded = padded && s.padded(i, g.from, part)
		werr := s.write(i, g.from, part)
		s.stream(h, plan, true, g.from, part, werr)
		err = errors.Join(err, werr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h.unpadded = h.unpadded || !padded
	h.blind++
	h.blinds--
	return err
}

// stream hashes what was just put at begin of h's piece, if it comes in order
// and inOrder wants that. err is that of the write.
func (s *Store) stream(h *hold, p plan, inOrder bool, begin int, data []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := begin + len(data)
	switch {
	case err != nil || begin < h.next || h.hashing && begin < h.ahead || begin == h.next && end > h.low:
		// What is or would be hashed may not be what the file holds now.
		h.torn = true
	case begin > h.next || h.hashing || !inOrder:
		h.low = min(h.low, begin)
	case !h.torn:
		if h.sum == nil {
			h.sum = digests.Get().(*digest)
			h.sum.begin(p)
		}
		h.hashing, h.ahead = true, end
		s.mu.Unlock()
		h.sum.write(data)
		s.mu.Lock()
		h.hashing, h.next = false, end
	}
}

// VerifyPiece hashes a piece that PutBlock has put, reading again only what did
// not come in order. ok says whether it is right; if not, it begins anew, and so
// it does with an ErrInconsistent. A piece of which some block had padding that
// was not zero is wrong, though no such byte was kept. A piece that a failed sync
// took away is written again while it is read, so that the next sync is about
// these bytes.
func (s *Store) VerifyPiece(i int) (ok bool, err error) {
	if i < 0 || i >= s.lay.pieces {
		return false, fmt.Errorf("piece %d: out of range", i)
	}
	if err := s.unseal(i); err != nil {
		return false, err
	}
	h, had := s.hold(i)
	if had {
		return true, nil
	}
	defer func() { s.settle(i, h, ok && err == nil) }()
	if h.unpadded {
		return false, nil
	}
	p := s.lay.plan(i)
	_, size := s.lay.piece(i)
	s.mu.Lock()
	_, weak := s.weak[i]
	known := h.proves(0, int(size))
	s.mu.Unlock()
	if known && !p.v1 && !weak {
		return true, nil // block by block
	}
	if h.sum == nil {
		h.sum = digests.Get().(*digest)
		h.sum.begin(p)
	}
	if h.torn || weak {
		h.sum.begin(p)
		h.next = 0
	}
	if err := s.rehash(i, h, weak); err != nil {
		return false, err
	}
	return s.agrees(i, p, h.sum.sum())
}

// rehash reads piece i from h.next to its end into h.sum.
func (s *Store) rehash(i int, h *hold, rewrite bool) error {
	off, n := s.lay.piece(i)
	buf := bufPool.Get().(*[ioBuffer]byte)
	defer bufPool.Put(buf)
	for at := int64(h.next); at < n; {
		b := buf[:min(n-at, ioBuffer)]
		if err := s.readAt(b, off+at); err != nil {
			return err
		}
		if rewrite {
			if err := s.write(i, int(at), b); err != nil {
				return err
			}
		}
		h.sum.write(b)
		at += int64(len(b))
	}
	return nil
}

// write puts data at begin of piece i: one pwrite for each file it touches, and
// nothing for padding.
func (s *Store) write(i, begin int, data []byte) error {
	off, _ := s.lay.piece(i)
	c := s.lay.spans(off+int64(begin), int64(len(data)))
	for sp, ok := c.next(); ok; sp, ok = c.next() {
		if sp.file == s.lay.zeros() {
			data = data[sp.n:]
			continue
		}
		f, err := s.handles.acquire(sp.file, true)
		if err != nil {
			return err
		}
		err = s.disk.writeAt(f.f, data[:sp.n], sp.off)
		s.handles.release(f)
		if err != nil {
			return s.fail("write", f.f.Name(), err)
		}
		data = data[sp.n:]
	}
	return nil
}

// readAt fills b from off of the torrent.
func (s *Store) readAt(b []byte, off int64) error {
	c := s.lay.spans(off, int64(len(b)))
	for sp, ok := c.next(); ok; sp, ok = c.next() {
		if sp.file == s.lay.zeros() {
			clear(b[:sp.n])
			b = b[sp.n:]
			continue
		}
		f, err := s.handles.acquire(sp.file, false)
		if err != nil {
			return err
		}
		n, err := f.f.ReadAt(b[:sp.n], sp.off)
		s.handles.release(f)
		if int64(n) < sp.n {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return s.fail("read", f.f.Name(), err)
		}
		b = b[sp.n:]
	}
	return nil
}
