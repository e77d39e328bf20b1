package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// HashPieces returns the SHA-1s of a tree's pieces, 20 bytes each, in order.
// pieceLength is in bytes; workers 0 means one for each core. Memory does not
// depend on the tree's size but for the result. progress may be nil. A file
// that is not, or does not stay, as Scan saw it is an ErrChanged.
func HashPieces(ctx context.Context, t *Tree, pieceLength int64, workers int, progress func(doneBytes int64)) ([]byte, error) {
	if pieceLength <= 0 || (t.Total+pieceLength-1)/pieceLength > math.MaxInt32 {
		return nil, fmt.Errorf("piece length %d for %d bytes", pieceLength, t.Total)
	}
	lay := &layout{v1: true, pieceLen: pieceLength, files: make([]fileInfo, len(t.Files))}
	for i, f := range t.Files {
		lay.files[i] = fileInfo{path: f.Path, off: lay.total, length: f.Length, inPlace: true}
		lay.total += f.Length
	}
	lay.pieces = int((lay.total + pieceLength - 1) / pieceLength)

	src, err := openSource(t)
	if err != nil {
		return nil, err
	}
	defer src.close()
	out := make([]byte, 20*lay.pieces)
	run := hashRun{
		lay: lay, handles: newHandles(openFiles(), src.open), workers: workers, progress: progress,
		result: func(r *pieceResult) error {
			copy(out[20*r.piece:], r.sums.v1[:])
			return r.err
		},
	}
	defer run.handles.drop(true)
	if err := src.hash(ctx, &run); err != nil {
		return nil, err
	}
	return out, nil
}

// source opens a tree's files for reading.
type source struct {
	tree *Tree
	root *os.Root // the tree's directory; nil for a single file
}

// hash runs r over the tree, which must be and stay as it was scanned.
func (s *source) hash(ctx context.Context, r *hashRun) error {
	if err := r.do(ctx); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", ErrChanged, err)
		}
		return err
	}
	for i := range s.tree.Files {
		if err := s.check(i); err != nil {
			return err
		}
	}
	return nil
}

func openSource(t *Tree) (*source, error) {
	top := filepath.Join(t.Dir, t.Name)
	fi, err := os.Stat(top)
	if err != nil || !fi.IsDir() {
		return &source{tree: t}, err
	}
	root, err := os.OpenRoot(top)
	return &source{tree: t, root: root}, err
}

func (s *source) close() {
	if s.root != nil {
		s.root.Close()
	}
}

// below is file i's name in root.
func (s *source) below(i int) string {
	return filepath.FromSlash(s.tree.Files[i].Path[len(s.tree.Name)+1:])
}

func (s *source) open(i int, _ bool) (*os.File, error) {
	if err := s.check(i); err != nil {
		return nil, err
	}
	if s.root == nil {
		return os.Open(filepath.Join(s.tree.Dir, s.tree.Files[i].Path))
	}
	return s.root.Open(s.below(i))
}

// check compares file i with what Scan saw.
func (s *source) check(i int) error {
	f := &s.tree.Files[i]
	var fi os.FileInfo
	var err error
	if s.root == nil {
		fi, err = os.Stat(filepath.Join(s.tree.Dir, f.Path))
	} else {
		fi, err = s.root.Stat(s.below(i))
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", f.Path, ErrChanged, err)
	}
	if !fi.Mode().IsRegular() || fi.Size() != f.Length || !fi.ModTime().Equal(f.ModTime) {
		return fmt.Errorf("%s: %w", f.Path, ErrChanged)
	}
	return nil
}
