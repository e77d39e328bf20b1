package store

import (
	"context"
	"crypto/sha1"
	"hash"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// hashRun hashes many pieces of a layout on several cores. Each worker reads
// runs of neighbouring pieces, so that the disk sees long sequential reads, in
// steps of ioBuffer: memory does not depend on the piece length.
type hashRun struct {
	lay     *layout
	handles *handles
	workers int                       // 0: GOMAXPROCS
	want    func(i int) bool          // nil: all
	result  func(r pieceResult) error // concurrent; an error ends the run
	// progress, if set, hears the bytes that are done with, rising, never
	// two calls at a time.
	progress func(done int64)

	mu   sync.Mutex // of progress
	done int64
	zero [2]atomic.Pointer[[sha1.Size]byte] // hash of a whole piece, and of the last one, as zeros
}

// pieceResult is one piece's hash, or why there is none.
type pieceResult struct {
	piece int
	sum   [sha1.Size]byte
	err   error
}

// runBytes is about how much one worker takes at a time.
const runBytes = 8 << 20

func (r *hashRun) do(ctx context.Context) error {
	workers := r.workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	step := int64(max(1, runBytes/r.lay.pieceLen))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			h, buf := sha1.New(), make([]byte, ioBuffer)
			for ctx.Err() == nil {
				first := next.Add(step) - step
				if first >= int64(r.lay.pieces) {
					return
				}
				end := min(first+step, int64(r.lay.pieces))
				if err := r.some(ctx, int(first), int(end), h, buf); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// some hashes the pieces [first, end).
func (r *hashRun) some(ctx context.Context, first, end int, h hash.Hash, buf []byte) error {
	for i := first; i < end; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, n := r.lay.piece(i)
		if r.want == nil || r.want(i) {
			res := pieceResult{piece: i}
			res.err = r.piece(ctx, i, h, buf, &res.sum)
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.result(res); err != nil {
				return err
			}
		}
		r.report(n)
	}
	return nil
}

func (r *hashRun) report(n int64) {
	if r.progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += n
	r.progress(r.done)
}

// piece hashes one piece. A piece that is all hole costs no reading.
func (r *hashRun) piece(ctx context.Context, i int, h hash.Hash, buf []byte, sum *[sha1.Size]byte) error {
	off, n := r.lay.piece(i)
	hole, err := r.hole(off, n)
	if err != nil {
		return err
	}
	if hole {
		*sum = *r.zeros(n, buf)
		return nil
	}
	h.Reset()
	c := r.lay.spans(off, n)
	for sp, ok := c.next(); ok; sp, ok = c.next() {
		if err := r.span(ctx, sp, h, buf); err != nil {
			return err
		}
	}
	h.Sum(sum[:0])
	return nil
}

// span hashes one file's part of a piece.
func (r *hashRun) span(ctx context.Context, sp span, h hash.Hash, buf []byte) error {
	f, err := r.handles.acquire(sp.file, false)
	if err != nil {
		return err
	}
	defer r.handles.release(f)
	for sp.n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(sp.n, int64(len(buf)))]
		n, err := f.f.ReadAt(b, sp.off)
		if n < len(b) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		h.Write(b)
		sp.off += int64(n)
		sp.n -= int64(n)
	}
	return nil
}

// hole reports whether every byte of the run lies in a hole of a file that is
// long enough.
func (r *hashRun) hole(off, n int64) (bool, error) {
	c := r.lay.spans(off, n)
	for sp, ok := c.next(); ok; sp, ok = c.next() {
		f, err := r.handles.acquire(sp.file, false)
		if err != nil {
			return false, err
		}
		data := dataFrom(f.f, sp.off)
		short := false
		if data < 0 || data >= sp.off+sp.n {
			fi, err := f.f.Stat()
			short = err != nil || fi.Size() < sp.off+sp.n
		}
		r.handles.release(f)
		if short {
			return false, io.ErrUnexpectedEOF
		}
		if data >= 0 && data < sp.off+sp.n {
			return false, nil
		}
	}
	return true, nil
}

// zeros returns the hash of n zero bytes, where n is the piece length or the
// last piece's.
func (r *hashRun) zeros(n int64, buf []byte) *[sha1.Size]byte {
	known := &r.zero[0]
	if n != r.lay.pieceLen {
		known = &r.zero[1]
	}
	if sum := known.Load(); sum != nil {
		return sum
	}
	clear(buf)
	h := sha1.New()
	for left := n; left > 0; left -= min(left, int64(len(buf))) {
		h.Write(buf[:min(left, int64(len(buf)))])
	}
	sum := [sha1.Size]byte(h.Sum(nil))
	known.Store(&sum)
	return &sum
}
