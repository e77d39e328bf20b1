package peer

import (
	"bytes"
	"sync"

	"starling/metainfo"
	"starling/metainfo/merkle"
	"starling/peer/wire"
	"starling/piece/store"
)

const (
	// maxLeafBytes bounds what is read from the disk to answer for the leaves of
	// one request.
	maxLeafBytes = 64 << 20
	// maxLeaves bounds the leaves that are kept, in bytes: those of 4 GiB.
	maxLeaves = 8 << 20
)

// hashTrees are the trees of a torrent's files.
type hashTrees struct {
	meta  *metainfo.Torrent
	store *store.Store

	mu    sync.Mutex
	files map[merkle.Hash]int // by root, one of the files
	trees map[merkle.Hash]*merkle.Tree

	// The leaves of pieces that were asked for last, by us or of us.
	leafMu sync.Mutex
	leaves map[int][]byte
	order  []int // of leaves, the oldest first
	bytes  int   // in leaves
}

// newHashTrees returns nil for a torrent without a v2 side.
func newHashTrees(t *metainfo.Torrent, s *store.Store) *hashTrees {
	if !t.Info.HasV2() {
		return nil
	}
	h := &hashTrees{
		meta: t, store: s, files: map[merkle.Hash]int{}, trees: map[merkle.Hash]*merkle.Tree{}, leaves: map[int][]byte{},
	}
	for i := range t.Info.Files {
		if f := &t.Info.Files[i]; f.Length > 0 && !f.Pad {
			h.files[f.PiecesRoot] = i
		}
	}
	return h
}

// Answer implements Hashes. The layer of the pieces is in memory; leaves are read
// from the disk and held against their piece's hash.
func (h *hashTrees) Answer(root merkle.Hash, r merkle.Request) ([]byte, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	file, ok := h.files[root]
	if !ok {
		return nil, false
	}
	in := &h.meta.Info
	f := &in.Files[file]
	tree := h.trees[root]
	if tree == nil {
		tree = merkle.NewTree(root, f.Length, in.PieceLength)
		if layer := h.meta.PieceLayers[root]; layer != nil && tree.SetLayer(layer) != nil {
			return nil, false
		}
		h.trees[root] = tree
	}
	if r.Check(tree.Height()) != nil {
		return nil, false
	}
	if r.Base >= tree.PieceLayer() {
		return tree.Answer(r)
	}
	if r.Length*merkle.BlockSize > maxLeafBytes {
		return nil, false
	}
	blocks := in.PieceLength / merkle.BlockSize
	for i := r.Index / blocks; i <= (r.Index+r.Length-1)/blocks && i*in.PieceLength < f.Length; i++ {
		leaves, ok := h.read(file, i)
		if !ok || !tree.SetLeaves(i, leaves) {
			return nil, false
		}
		defer tree.DropLeaves(i)
		h.keep(int(f.Offset/in.PieceLength+i), leaves)
	}
	return tree.Answer(r)
}

// read returns the leaves of a file's piece i: those that are kept, or the hashes of
// the blocks as they are on the disk.
func (h *hashTrees) read(file int, i int64) ([]byte, bool) {
	in := &h.meta.Info
	f := &in.Files[file]
	index := int(f.Offset/in.PieceLength + i)
	if leaves := h.kept(index); leaves != nil {
		return leaves, true
	}
	size := int(min(in.PieceLength, f.Length-i*in.PieceLength))
	block := make([]byte, merkle.BlockSize)
	leaves := make([]byte, 0, merkle.Blocks(int64(size))*merkle.Size)
	for begin := 0; begin < size; begin += len(block) {
		b := block[:min(len(block), size-begin)]
		if h.store.Section(index, begin, len(b)).ReadInto(b) != nil {
			return nil, false
		}
		leaf := merkle.Leaf(b)
		leaves = append(leaves, leaf[:]...)
	}
	return leaves, true
}

// Want implements Hashes.
func (h *hashTrees) Want(i int) (wire.Hashes, bool) {
	in := &h.meta.Info
	if in.PieceDataSize(i) != in.PieceSize(i) {
		return wire.Hashes{}, false // padding has no hash
	}
	f := &in.Files[in.PieceFile(i)]
	r, ok := merkle.WantLeaves(f.Length, in.PieceLength, int64(i)-f.Offset/in.PieceLength)
	return wire.Hashes{Root: f.PiecesRoot, Request: r}, ok
}

// Accept implements Hashes.
func (h *hashTrees) Accept(i int, answer []byte) bool {
	asked, ok := h.Want(i)
	if !ok {
		return false
	}
	want, ok := h.meta.PieceRoot(i)
	if got, folds := asked.Request.Fold(answer); !ok || !folds || got != want {
		return false
	}
	h.keep(i, bytes.Clone(answer[:merkle.Blocks(h.meta.Info.PieceSize(i))*merkle.Size]))
	return true
}

// kept returns the leaves of a piece, nil if they are not kept.
func (h *hashTrees) kept(i int) []byte {
	if h == nil {
		return nil
	}
	h.leafMu.Lock()
	defer h.leafMu.Unlock()
	return h.leaves[i]
}

// keep keeps leaves, at the cost of the oldest.
func (h *hashTrees) keep(i int, leaves []byte) {
	h.leafMu.Lock()
	defer h.leafMu.Unlock()
	if h.leaves[i] != nil {
		return
	}
	h.leaves[i] = leaves
	h.order = append(h.order, i)
	for h.bytes += len(leaves); h.bytes > maxLeaves && len(h.order) > 1; h.order = h.order[1:] {
		h.bytes -= len(h.leaves[h.order[0]])
		delete(h.leaves, h.order[0])
	}
}
