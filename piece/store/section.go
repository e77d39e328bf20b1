package store

import (
	"fmt"
	"os"
)

// Section names n bytes of a verified piece, or proven blocks of one, that are to be
// sent. Making one
// touches no disk: whoever writes to the socket resolves it when its turn
// comes. It has the methods of a p2p.Payload.
type Section struct {
	s     *Store
	piece int
	begin int
	n     int
	gap   int // zeros behind them
}

// Section returns n bytes at begin of piece i. What is out of range is an error
// when it is read. Where pieces end with their files, the gap behind a piece that
// ends early reads as zeros, for clients that ask for whole blocks.
func (s *Store) Section(i, begin, n int) *Section {
	x := &Section{s: s, piece: i, begin: begin, n: n}
	if s.lay.v1 || i < 0 || i >= s.lay.pieces || begin < 0 || n < 0 || n > int(s.lay.pieceLen)-begin {
		return x
	}
	if _, size := s.lay.piece(i); begin+n > int(size) {
		x.begin = min(begin, int(size))
		x.n = max(0, int(size)-begin)
		x.gap = n - x.n
	}
	return x
}

// Size is the number of bytes.
func (x *Section) Size() int { return x.n + x.gap }

// Release is a Payload's; a Section holds nothing.
func (x *Section) Release() {}

// spans checks the section and returns its runs.
func (x *Section) spans() (cursor, error) {
	s := x.s
	if !s.lay.holds(x.piece, x.begin, x.n) {
		return cursor{}, fmt.Errorf("section %d+%d of piece %d: out of range", x.begin, x.n, x.piece)
	}
	s.mu.Lock()
	have := s.have.has(x.piece) || s.holds[x.piece].proves(x.begin, x.n)
	s.mu.Unlock()
	if !have {
		return cursor{}, fmt.Errorf("piece %d: %w", x.piece, ErrNotVerified)
	}
	off, _ := s.lay.piece(x.piece)
	return s.lay.spans(off+int64(x.begin), int64(x.n)), nil
}

// Spans calls yield for each run of bytes of the section in order: n bytes at
// off of f. f is open during the call only, is shared, and must be read at an
// offset. Padding is runs of a file of zeros. The first error ends it and is
// returned. A file may turn out to be
// shorter than it was: a copy that ends early is the caller's to see.
func (x *Section) Spans(yield func(f *os.File, off, n int64) error) error {
	c, err := x.spans()
	if err != nil {
		return err
	}
	for sp, ok := c.next(); ok; sp, ok = c.next() {
		h, err := x.s.handles.acquire(sp.file, false)
		if err != nil {
			return err
		}
		if sp.file == x.s.lay.zeros() {
			err = yieldZeros(yield, h.f, sp.n)
		} else {
			err = yield(h.f, sp.off, sp.n)
		}
		x.s.handles.release(h)
		if err != nil {
			return err
		}
	}
	if x.gap == 0 {
		return nil
	}
	h, err := x.s.handles.acquire(x.s.lay.zeros(), false)
	if err != nil {
		return err
	}
	defer x.s.handles.release(h)
	return yieldZeros(yield, h.f, int64(x.gap))
}

// yieldZeros yields n bytes of padding.
func yieldZeros(yield func(f *os.File, off, n int64) error, zeros *os.File, n int64) error {
	for ; n > 0; n -= min(n, zeroFileLen) {
		if err := yield(zeros, 0, min(n, zeroFileLen)); err != nil {
			return err
		}
	}
	return nil
}

// ReadInto fills p, which has Size bytes, with the section.
func (x *Section) ReadInto(p []byte) error {
	if len(p) != x.Size() {
		return fmt.Errorf("%d bytes for a section of %d", len(p), x.Size())
	}
	clear(p[x.n:])
	p = p[:x.n]
	if _, err := x.spans(); err != nil {
		return err
	}
	off, _ := x.s.lay.piece(x.piece)
	return x.s.readAt(p, off+int64(x.begin))
}
