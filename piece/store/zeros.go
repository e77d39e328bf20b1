package store

import (
	"crypto/sha1"
	"os"
)

// zeroFileLen is the length of the file of zeros that stands for all padding.
const zeroFileLen = 64 << 10

// openZeros opens it, for the cache.
func openZeros() (*os.File, error) {
	f, err := nameless("zeros")
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(zeroFileLen); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// padded reports whether every byte of data, which lies at begin of piece i, is
// zero where the piece has padding. Padding is not written, so that only here
// other bytes can be seen.
func (s *Store) padded(i, begin int, data []byte) bool {
	if !s.lay.pads {
		return true
	}
	off := int64(i)*s.lay.pieceLen + int64(begin)
	c := s.lay.spans(off, int64(len(data)))
	for sp, ok := c.next(); ok; sp, ok = c.next() {
		if sp.file == s.lay.zeros() && !isZero(data[:sp.n]) {
			return false
		}
		data = data[sp.n:]
	}
	return true
}

// paddingOnly are the pieces without a byte on the disk, as far as zeros are what
// they must be. They are had from the start: nobody has to fetch or check them,
// and a seed serves them.
func (s *Store) paddingOnly() bitset {
	b := newBits(s.lay.pieces)
	if !s.lay.pads {
		return b
	}
	for i := range s.lay.pieces {
		b.set(i)
	}
	for i := range s.lay.files {
		if s.lay.files[i].pad {
			continue
		}
		for p, end := s.lay.filePieces(i); p < end; p++ {
			b.clear(p)
		}
	}
	var zero [2]*[sha1.Size]byte // of a whole piece and of the last one
	wrong := newBits(s.lay.pieces)
	b.each(func(i int) {
		_, n := s.lay.piece(i)
		kind := 0
		if n != s.lay.pieceLen {
			kind = 1
		}
		if zero[kind] == nil {
			sum := sha1Zeros(n)
			zero[kind] = &sum
		}
		if ok, err := s.agrees(i, plan{v1: true}, &sums{v1: *zero[kind]}); !ok || err != nil {
			wrong.set(i)
		}
	})
	return b.minus(wrong)
}

// sha1Zeros is the SHA-1 of n zero bytes.
func sha1Zeros(n int64) (sum [sha1.Size]byte) {
	h := sha1.New()
	for ; n > 0; n -= min(n, int64(len(zeroBytes))) {
		h.Write(zeroBytes[:min(n, int64(len(zeroBytes)))])
	}
	h.Sum(sum[:0])
	return sum
}
