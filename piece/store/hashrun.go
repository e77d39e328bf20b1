package store

import (
	"context"
	"crypto/sha1"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"starling/metainfo/merkle"
)

// hashRun hashes many pieces of a layout on several cores. Each worker reads
// runs of neighbouring pieces, so that the disk sees long sequential reads, in
// steps of ioBuffer: memory does not depend on the piece length.
type hashRun struct {
	lay     *layout
	handles *handles
	workers int                        // 0: GOMAXPROCS
	want    func(i int) bool           // nil: all
	result  func(r *pieceResult) error // concurrent, valid during the call; an error ends the run
	// progress, if set, hears the bytes that are done with, padding not
	// counted, rising, never two calls at a time.
	progress func(done int64)

	mu   sync.Mutex // of progress
	done int64
	// What a piece of zeros hashes to: a whole piece, the last one, and the
	// tree of a whole one. Other trees are cheap.
	zero     [2]atomic.Pointer[[sha1.Size]byte]
	zeroTree atomic.Pointer[merkle.Hash]
}

// pieceResult is one piece's hashes, or why there are none.
type pieceResult struct {
	piece int
	plan  plan
	sums  *sums
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
			w := &hashWorker{hashRun: r, buf: make([]byte, ioBuffer)}
			for ctx.Err() == nil {
				first := next.Add(step) - step
				if first >= int64(r.lay.pieces) {
					return
				}
				end := min(first+step, int64(r.lay.pieces))
				if err := w.some(ctx, int(first), int(end)); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// hashWorker is one worker's memory.
type hashWorker struct {
	*hashRun
	d   digest
	buf []byte
	res pieceResult
}

// some hashes the pieces [first, end).
func (r *hashWorker) some(ctx context.Context, first, end int) error {
	for i := first; i < end; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.want == nil || r.want(i) {
			r.res.err = r.piece(ctx, i)
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.result(&r.res); err != nil {
				return err
			}
		}
		r.report(r.lay.onDisk(i))
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
func (r *hashWorker) piece(ctx context.Context, i int) error {
	off, n := r.lay.piece(i)
	p := r.lay.plan(i)
	r.res.piece, r.res.plan, r.res.sums = i, p, &r.d.sums
	hole, err := r.hole(off, n)
	if err != nil {
		return err
	}
	if hole {
		r.zeros(&p, n)
		return nil
	}
	r.d.begin(p)
	c := r.lay.spans(off, n)
	for sp, ok := c.next(); ok; sp, ok = c.next() {
		if sp.file == r.lay.zeros() {
			r.padding(sp.n)
		} else if err := r.span(ctx, sp); err != nil {
			return err
		}
	}
	r.d.sum()
	return nil
}

// padding hashes n bytes of it.
func (r *hashWorker) padding(n int64) {
	for ; n > 0; n -= min(n, int64(len(zeroBytes))) {
		r.d.write(zeroBytes[:min(n, int64(len(zeroBytes)))])
	}
}

// span hashes one file's part of a piece.
func (r *hashWorker) span(ctx context.Context, sp span) error {
	f, err := r.handles.acquire(sp.file, false)
	if err != nil {
		return err
	}
	defer r.handles.release(f)
	for sp.n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.chunk(f.f, sp)
		if err != nil {
			return err
		}
		sp.off += n
		sp.n -= n
	}
	return nil
}

// chunk hashes the first bytes of a span and returns how many.
func (r *hashWorker) chunk(f *os.File, sp span) (int64, error) {
	b := r.buf[:min(sp.n, int64(len(r.buf)))]
	n, err := f.ReadAt(b, sp.off)
	if n < len(b) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	r.d.write(b)
	return int64(n), nil
}

// hole reports whether every byte of the run lies in a hole of a file that is
// long enough, or in padding.
func (r *hashRun) hole(off, n int64) (bool, error) {
	c := r.lay.spans(off, n)
	for sp, ok := c.nextOnDisk(); ok; sp, ok = c.nextOnDisk() {
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

// zeros sets the hashes of a piece of n zero bytes.
func (r *hashWorker) zeros(p *plan, n int64) {
	if p.v1 {
		known := &r.zero[0]
		if n != r.lay.pieceLen {
			known = &r.zero[1]
		}
		if known.Load() == nil {
			sum := sha1Zeros(n)
			known.Store(&sum)
		}
		r.d.sums.v1 = *known.Load()
	}
	switch {
	case !p.v2:
	case p.data != r.lay.pieceLen:
		r.d.sums.v2 = p.zeroTree()
	default:
		if r.zeroTree.Load() == nil {
			root := p.zeroTree()
			r.zeroTree.Store(&root)
		}
		r.d.sums.v2 = *r.zeroTree.Load()
	}
}
