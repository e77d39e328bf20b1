package metainfo

import (
	"bytes"
	"math/bits"
	"slices"

	"starling/internal/benc"
	"starling/metainfo/merkle"
)

const layersKey = "piece layers"

// takeLayers moves the piece layers from Extra to where they belong. Those of
// files that need none are left out.
func (t *Torrent) takeLayers() error {
	if !t.Info.HasV2() {
		return nil
	}
	var raw []byte
	if i := slices.IndexFunc(t.Extra, func(f Field) bool { return f.Key == layersKey }); i >= 0 {
		raw = t.Extra[i].Value
		if t.Extra = slices.Delete(t.Extra, i, i+1); len(t.Extra) == 0 {
			t.Extra = nil
		}
		if !benc.IsDict(raw) {
			return bad(layersKey, "it is not a dictionary")
		}
	}
	needed := make(map[[32]byte]int) // by root, one of the files
	for i := range t.Info.Files {
		if f := &t.Info.Files[i]; f.Length > t.Info.PieceLength {
			needed[f.PiecesRoot] = i
		}
	}
	for key, v := range benc.Dict(raw) {
		layer, ok := benc.Bytes(v)
		if len(key) != merkle.Size || !ok {
			return bad(layersKey, "a key is not of 32 bytes or its value is not a string")
		}
		if i, ok := needed[[32]byte(key)]; ok {
			if err := t.SetPieceLayer(i, layer); err != nil {
				return err
			}
		}
	}
	if missing := t.MissingLayers(); len(missing) > 0 {
		return bad(layersKey, "that of %s is missing", quote(t.Info.FilePath(missing[0])))
	}
	// Files of one root must be files of one length.
	for i := range t.Info.Files {
		if f := &t.Info.Files[i]; f.Length > t.Info.PieceLength && len(t.PieceLayers[f.PiecesRoot]) != t.Info.layerLen(i) {
			return bad(layersKey, "that of %s is for another number of pieces", quote(t.Info.FilePath(i)))
		}
	}
	return nil
}

// MissingLayers returns the files whose piece layers are still to be given to
// SetPieceLayer; of several with the same content one. It is nil without a v2
// side, and for what Parse returned.
func (t *Torrent) MissingLayers() []int {
	if !t.Info.HasV2() {
		return nil
	}
	var list []int
	listed := make(map[[32]byte]bool)
	for i := range t.Info.Files {
		f := &t.Info.Files[i]
		if f.Length <= t.Info.PieceLength || listed[f.PiecesRoot] || t.PieceLayers[f.PiecesRoot] != nil {
			continue
		}
		listed[f.PiecesRoot] = true
		list = append(list, i)
	}
	return list
}

// SetPieceLayer gives the piece layer of file i, which is longer than a piece:
// 32 bytes for each of its pieces. It is kept if it leads to the file's root,
// else the error is an *Error.
func (t *Torrent) SetPieceLayer(i int, layer []byte) error {
	in := &t.Info
	f := &in.Files[i]
	if len(layer) != in.layerLen(i) {
		return bad(layersKey, "that of %s has %d bytes, want %d", quote(in.FilePath(i)), len(layer), in.layerLen(i))
	}
	if merkle.Root(layer, in.pieceLayer()) != f.PiecesRoot {
		return bad(layersKey, "that of %s does not lead to its pieces root", quote(in.FilePath(i)))
	}
	if t.PieceLayers == nil {
		t.PieceLayers = make(map[[32]byte][]byte)
	}
	t.PieceLayers[f.PiecesRoot] = layer
	return nil
}

// layerLen is how many bytes the piece layer of file i has.
func (in *Info) layerLen(i int) int {
	return int((in.Files[i].Length-1)/in.PieceLength+1) * merkle.Size
}

// pieceLayer is the layer of a merkle tree in which a hash covers a piece.
func (in *Info) pieceLayer() int {
	return bits.TrailingZeros64(uint64(in.PieceLength / merkle.BlockSize))
}

// PieceHeight returns the height of the merkle tree of piece i, to which its
// blocks are padded: less than that of a whole piece where a file is shorter.
// There must be a v2 side.
func (in *Info) PieceHeight(i int) int {
	f := &in.Files[in.PieceFile(i)]
	return min(in.pieceLayer(), merkle.Height(merkle.Blocks(f.Length)))
}

// PieceRoot returns the root that the blocks of piece i must have in a tree of
// PieceHeight, and false if the piece layer of its file is missing. There must be
// a v2 side.
func (t *Torrent) PieceRoot(i int) (root [32]byte, ok bool) {
	in := &t.Info
	f := &in.Files[in.PieceFile(i)]
	if f.Length <= in.PieceLength {
		return f.PiecesRoot, true
	}
	layer := t.PieceLayers[f.PiecesRoot]
	if layer == nil {
		return root, false
	}
	first := int(f.Offset / in.PieceLength)
	return [32]byte(layer[(i-first)*merkle.Size:]), true
}

// appendLayers appends the dictionary of the piece layers.
func (t *Torrent) appendLayers(dst []byte) []byte {
	roots := make([][32]byte, 0, len(t.PieceLayers))
	for root := range t.PieceLayers {
		roots = append(roots, root)
	}
	slices.SortFunc(roots, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	dst = append(dst, 'd')
	for _, root := range roots {
		dst = benc.AppendBytes(dst, root[:])
		dst = benc.AppendBytes(dst, t.PieceLayers[root])
	}
	return append(dst, 'e')
}
