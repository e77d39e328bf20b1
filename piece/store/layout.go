package store

import (
	"sort"

	"starling/metainfo/merkle"
)

// layout is the map between a torrent's run of bytes, its pieces and its
// files. It never changes.
type layout struct {
	files    []fileInfo
	total    int64
	pieceLen int64
	pieces   int
	// single is true where the torrent is one file and no directory.
	single bool
	// v1 and v2 say which hashes the pieces have. With v2 alone a piece ends
	// with its file.
	v1, v2 bool
	pads   bool // there are padding files
	links  bool // there are symbolic links
}

// fileInfo is one file's place in the torrent.
type fileInfo struct {
	path    string // relative to the torrent's directory, or its name if single
	off     int64  // where it begins in the torrent
	length  int64
	inPlace bool // its bytes live in the file itself and not in the side file
	pad     bool // zeros that live nowhere; never inPlace
	exec    bool
	link    string      // where it leads from its own directory, with slashes; "" if it is no link
	root    merkle.Hash // of its merkle tree, or of the only piece
	layer   []byte      // the roots of its pieces, if it has several
}

// side is the index of the side file, one beyond the real ones. A byte has the
// same offset there as in the torrent: the file is sparse, so that this costs
// nothing and no table has to survive a crash.
func (l *layout) side() int { return len(l.files) }

// zeros is the index of a file of zeros, which stands for all padding.
func (l *layout) zeros() int { return len(l.files) + 1 }

// fileAt returns the file that byte off of the torrent, which is in no gap, is
// in. Empty files end where they begin and are never found.
func (l *layout) fileAt(off int64) int {
	return sort.Search(len(l.files), func(i int) bool {
		return l.files[i].off+l.files[i].length > off
	})
}

// piece returns where piece i begins in the torrent, and its length.
func (l *layout) piece(i int) (off, n int64) {
	off = int64(i) * l.pieceLen
	end := l.total
	if !l.v1 && l.pieces > 0 {
		f := &l.files[l.fileAt(off)]
		end = f.off + f.length
	}
	return off, min(l.pieceLen, end-off)
}

// onDisk is how many bytes of piece i are no padding.
func (l *layout) onDisk(i int) int64 {
	_, n := l.piece(i)
	if !l.pads {
		return n
	}
	n = 0
	c := l.spans(l.piece(i))
	for sp, ok := c.nextOnDisk(); ok; sp, ok = c.nextOnDisk() {
		n += sp.n
	}
	return n
}

// holds reports whether [begin, begin+n) lies in piece i.
func (l *layout) holds(i, begin, n int) bool {
	if i < 0 || i >= l.pieces || begin < 0 || n < 0 {
		return false
	}
	_, size := l.piece(i)
	return int64(begin) <= size && int64(n) <= size-int64(begin)
}

// filePieces returns the pieces [first, end) that have bytes in file i.
func (l *layout) filePieces(i int) (first, end int) {
	f := &l.files[i]
	if f.length == 0 {
		return 0, 0
	}
	return int(f.off / l.pieceLen), int((f.off+f.length-1)/l.pieceLen) + 1
}

// span is a run of bytes in one file.
type span struct {
	file int   // index, or layout.side() or layout.zeros()
	off  int64 // in that file
	n    int64
}

// cursor walks the spans of a run of the torrent in order. It is a struct and
// no iterator function so that a walk allocates nothing.
type cursor struct {
	l    *layout
	off  int64 // in the torrent
	left int64
	file int
}

// spans returns a cursor over n bytes at off of the torrent.
func (l *layout) spans(off, n int64) cursor {
	return cursor{l: l, off: off, left: n, file: l.fileAt(off)}
}

// nextOnDisk is next without the padding.
func (c *cursor) nextOnDisk() (sp span, ok bool) {
	for {
		if sp, ok = c.next(); !ok || sp.file != c.l.zeros() {
			return sp, ok
		}
	}
}

// next returns the next span; ok is false at the end.
func (c *cursor) next() (sp span, ok bool) {
	for c.left > 0 && c.file < len(c.l.files) {
		f := &c.l.files[c.file]
		n := min(c.left, f.off+f.length-c.off)
		if n == 0 {
			c.file++
			continue
		}
		sp = span{file: c.file, off: c.off - f.off, n: n}
		switch {
		case f.pad:
			sp.file, sp.off = c.l.zeros(), 0
		case !f.inPlace:
			sp.file, sp.off = c.l.side(), c.off
		}
		c.off += n
		c.left -= n
		return sp, true
	}
	return span{}, false
}

// wantedPieces are the pieces that have a byte in a file that is in place.
func (l *layout) wantedPieces() bitset {
	b := newBits(l.pieces)
	for i := range l.files {
		if l.files[i].inPlace {
			first, end := l.filePieces(i)
			for p := first; p < end; p++ {
				b.set(p)
			}
		}
	}
	return b
}

// usesSide reports whether some wanted piece has bytes in the side file, given
// the pieces in question.
func (l *layout) usesSide(pieces bitset) bool {
	for i := range l.files {
		if l.files[i].inPlace || l.files[i].pad {
			continue
		}
		first, end := l.filePieces(i)
		for p := first; p < end; p++ {
			if pieces.has(p) {
				return true
			}
		}
	}
	return false
}
