package peer

import (
	"sync"

	"starling/metainfo"
	"starling/metainfo/merkle"
	"starling/piece/store"
)

// maxLeafBytes bounds what is read from the disk to answer for the leaves of one
// request.
const maxLeafBytes = 16 << 20

// hashTrees answers for the trees of a torrent's files.
type hashTrees struct {
	meta  *metainfo.Torrent
	store *store.Store

	mu    sync.Mutex
	files map[merkle.Hash]int // by root, one of the files
	trees map[merkle.Hash]*merkle.Tree
}

// newHashTrees returns nil for a torrent without a v2 side.
func newHashTrees(t *metainfo.Torrent, s *store.Store) *hashTrees {
	if !t.Info.HasV2() {
		return nil
	}
	h := &hashTrees{meta: t, store: s, files: map[merkle.Hash]int{}, trees: map[merkle.Hash]*merkle.Tree{}}
	for i := range t.Info.Files {
		if f := &t.Info.Files[i]; f.Length > 0 && !f.Pad {
			h.files[f.PiecesRoot] = i
		}
	}
	return h
}

// Answer implements Hashes. The layer of the pieces is in memory; leaves are read
// from the disk, held against their piece's hash, and not kept.
func (h *hashTrees) Answer(root merkle.Hash, r merkle.Request) ([]byte, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	file, ok := h.files[root]
	if !ok {
		return nil, false
	}
	f := &h.meta.Info.Files[file]
	tree := h.trees[root]
	if tree == nil {
		tree = merkle.NewTree(root, f.Length, h.meta.Info.PieceLength)
		if layer := h.meta.PieceLayers[root]; layer != nil && tree.SetLayer(layer) != nil {
			return nil, false
		}
		h.trees[root] = tree
	}
	if r.Check(tree.Height()) != nil {
		return nil, false
	}
	if r.Base > 0 {
		return tree.Answer(r)
	}
	if r.Length*merkle.BlockSize > maxLeafBytes {
		return nil, false
	}
	blocks := h.meta.Info.PieceLength / merkle.BlockSize
	for i := r.Index / blocks; i <= (r.Index+r.Length-1)/blocks && i*h.meta.Info.PieceLength < f.Length; i++ {
		leaves, ok := h.leaves(file, i)
		if !ok || !tree.SetLeaves(i, leaves) {
			return nil, false
		}
		defer tree.DropLeaves(i)
	}
	return tree.Answer(r)
}

// leaves hashes the blocks of a file's piece i as they are on the disk.
func (h *hashTrees) leaves(file int, i int64) ([]byte, bool) {
	in := &h.meta.Info
	f := &in.Files[file]
	index := int(f.Offset/in.PieceLength + i)
	size := int(min(in.PieceLength, f.Length-i*in.PieceLength))
	block := make([]byte, merkle.BlockSize)
	var leaves []byte
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
