package store

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"math/bits"
	"runtime"
	"sync"

	"starling/metainfo/merkle"
)

// AlignedPiece is what HashAligned says of a piece.
type AlignedPiece struct {
	Root merkle.Hash     // of its blocks
	SHA1 [sha1.Size]byte // with the zeros after the end of a file; zero if not asked for
}

// HashAligned hashes a tree each of whose files, unless empty, begins at a piece,
// as BitTorrent v2 wants it: each byte is read once, also where withSHA1 asks for
// the hashes of a hybrid too. The root of a piece is that of a tree of
// pieceLength, of a file shorter than that of the file's own. pieceLength is in
// bytes, a power of two; workers 0 means one for each core. Memory does not
// depend on the tree's size but for the result. progress may be nil. A file that
// is not, or does not stay, as Scan saw it is an ErrChanged.
func HashAligned(ctx context.Context, t *Tree, pieceLength int64, withSHA1 bool, workers int, progress func(doneBytes int64)) ([]AlignedPiece, error) {
	if pieceLength < merkle.BlockSize || pieceLength&(pieceLength-1) != 0 {
		return nil, fmt.Errorf("piece length %d", pieceLength)
	}
	r := alignedRun{tree: t, pieceLen: pieceLength, withSHA1: withSHA1, progress: progress}
	if err := r.plan(); err != nil {
		return nil, err
	}
	src, err := openSource(t)
	if err != nil {
		return nil, err
	}
	defer src.close()
	r.handles = newHandles(defaultOpenFiles, src.open)
	defer r.handles.drop(true)
	if err := r.do(ctx, workers); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %w", ErrChanged, err)
		}
		return nil, err
	}
	for i := range t.Files {
		if err := src.check(i); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

type alignedRun struct {
	tree     *Tree
	pieceLen int64
	withSHA1 bool
	handles  *handles
	first    []int64 // by file, its first piece
	out      []AlignedPiece
	progress func(int64)

	mu   sync.Mutex // of done and progress
	done int64
}

// plan lays the files into the pieces.
func (r *alignedRun) plan() error {
	pieces := int64(0)
	for i := range r.tree.Files {
		r.first = append(r.first, pieces)
		if n := r.tree.Files[i].Length; n > 0 {
			pieces += (n-1)/r.pieceLen + 1
		}
		if pieces > math.MaxInt32 {
			return fmt.Errorf("piece length %d for %d bytes", r.pieceLen, r.tree.Total)
		}
	}
	r.out = make([]AlignedPiece, pieces)
	return nil
}

// alignedPart is a run of neighbouring pieces of one file.
type alignedPart struct {
	file     int
	from, to int64 // pieces of the file
}

// parts yields the work in order.
func (r *alignedRun) parts(yield func(alignedPart) bool) {
	step := max(1, runBytes/r.pieceLen)
	for i := range r.tree.Files {
		n := r.tree.Files[i].Length
		pieces := (n + r.pieceLen - 1) / r.pieceLen
		for from := int64(0); from < pieces; from += step {
			if !yield(alignedPart{i, from, min(from+step, pieces)}) {
				return
			}
		}
	}
}

func (r *alignedRun) do(ctx context.Context, workers int) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan alignedPart)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			w := alignedWorker{alignedRun: r, buf: make([]byte, ioBuffer)}
			if r.withSHA1 {
				w.sha1 = sha1.New()
			}
			for part := range work {
				if err := w.part(ctx, part); err != nil {
					cancel(err)
				}
			}
		})
	}
	for part := range r.parts {
		select {
		case work <- part:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

// alignedWorker is one worker's memory.
type alignedWorker struct {
	*alignedRun
	root merkle.Hasher
	sha1 hash.Hash // nil: not asked for
	buf  []byte
}

func (w *alignedWorker) part(ctx context.Context, p alignedPart) error {
	h, err := w.handles.acquire(p.file, false)
	if err != nil {
		return err
	}
	defer w.handles.release(h)
	for i := p.from; i < p.to; i++ {
		if err := w.piece(ctx, h.f, p.file, i); err != nil {
			return err
		}
	}
	return nil
}

// piece hashes piece i of a file.
func (w *alignedWorker) piece(ctx context.Context, f io.ReaderAt, file int, i int64) error {
	length := w.tree.Files[file].Length
	off := i * w.pieceLen
	left := min(w.pieceLen, length-off)
	size := left
	w.root.Reset()
	if w.sha1 != nil {
		w.sha1.Reset()
	}
	for left > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := w.buf[:min(left, int64(len(w.buf)))]
		if n, err := f.ReadAt(b, off); n < len(b) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		w.root.Write(b)
		if w.sha1 != nil {
			w.sha1.Write(b)
		}
		off += int64(len(b))
		left -= int64(len(b))
	}
	height := min(merkle.Height(merkle.Blocks(length)), bits.TrailingZeros64(uint64(w.pieceLen/merkle.BlockSize)))
	at := w.first[file] + i
	w.out[at].Root = w.root.Root(height)
	if w.sha1 != nil {
		w.pad(at, size)
		w.sha1.Sum(w.out[at].SHA1[:0])
	}
	w.report(size)
	return nil
}

// pad adds the zeros between the end of a file and the next one. None follow the
// last file that has any content.
func (w *alignedWorker) pad(at, size int64) {
	if at == int64(len(w.out))-1 || size == w.pieceLen {
		return
	}
	clear(w.buf)
	for left := w.pieceLen - size; left > 0; left -= min(left, int64(len(w.buf))) {
		w.sha1.Write(w.buf[:min(left, int64(len(w.buf)))])
	}
}

func (r *alignedRun) report(n int64) {
	if r.progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += n
	r.progress(r.done)
}
