package merkle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) Hash {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != Size {
		t.Fatalf("%s: %v", s, err)
	}
	return Hash(b)
}

// model is a file's tree the naive way: every layer in full, padding and all.
func model(data []byte) [][]Hash {
	var leaves []Hash
	for b := range slices.Chunk(data, BlockSize) {
		leaves = append(leaves, sha256.Sum256(b))
	}
	for len(leaves)&(len(leaves)-1) != 0 {
		leaves = append(leaves, Hash{})
	}
	layers := [][]Hash{leaves}
	for below := leaves; len(below) > 1; below = layers[len(layers)-1] {
		var above []Hash
		for i := 0; i < len(below); i += 2 {
			above = append(above, sha256.Sum256(append(below[i][:], below[i+1][:]...)))
		}
		layers = append(layers, above)
	}
	return layers
}

func rootOf(data []byte) Hash {
	layers := model(data)
	return layers[len(layers)-1][0]
}

// content is bytes that are the same each time.
func content(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	rng.Read(b)
	return b
}

// layerOf is the layer of the pieces as a .torrent file has it, and the leaves
// of each piece.
func layerOf(data []byte, pieceLength int) (layer []byte, leaves [][]byte) {
	height := Height(Blocks(int64(pieceLength)))
	for piece := range slices.Chunk(data, pieceLength) {
		var list []byte
		h := Hasher{Leaf: func(sum Hash) { list = append(list, sum[:]...) }}
		h.Write(piece)
		sum := h.Root(min(height, Height(Blocks(int64(len(data))))))
		layer, leaves = append(layer, sum[:]...), append(leaves, list)
	}
	return layer, leaves
}

const (
	leafA  = "f3336bea752b5a28743033dd2c844a4a63fba08871aaee2586a2bf2d69be83a2"
	rootA  = "3dc5915002950e02c39f3a7457f151fa8eb4e4c214b43d9be6eaef5f863e7210"
	layerA = "363dae905aefc97b7f8550cb59b232bb1f7685ed85c629b1e6f8553b90ce9b38" +
		"363dae905aefc97b7f8550cb59b232bb1f7685ed85c629b1e6f8553b90ce9b38" +
		"e286774eab425c83520f581e6051abefe371dff955f6b382a5b6157fee056396"
)

// The tree of 81,920 times "a" in pieces of 32 KiB, and some of other lengths.
func TestVectors(t *testing.T) {
	if got := Leaf([]byte(strings.Repeat("a", BlockSize))); got != unhex(t, leafA) {
		t.Errorf("leaf %x", got)
	}
	for layer, want := range []string{
		strings.Repeat("0", 64),
		"f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b",
		"db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71",
		"c78009fdf07fc56a11f122370658a353aaa542ed63e44c4bc15ff4cd105ab33c",
	} {
		if got := Pad(layer); got != unhex(t, want) {
			t.Errorf("pad of layer %d: %x", layer, got)
		}
	}
	for n, want := range map[int]string{
		1:             "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
		16385:         "dcdfa5bb8d91b7eb7a69fb556bba6770d3456cbd61ab52f172cb9421a442be79",
		3 * BlockSize: "b1d9c2de00721cf9e22bb41845283913df76c9e34b0f63a7c2ed961c59178331",
		81920:         rootA,
	} {
		var h Hasher
		h.Write([]byte(strings.Repeat("a", n)))
		if got := h.Root(-1); got != unhex(t, want) {
			t.Errorf("%d bytes: %x", n, got)
		}
	}
	layer, _ := layerOf([]byte(strings.Repeat("a", 81920)), 32768)
	if got := hex.EncodeToString(layer); got != layerA {
		t.Errorf("layer %s", got)
	}
	if got := Root(layer, 1); got != unhex(t, rootA) {
		t.Errorf("root of the layer: %x", got)
	}
}

// The request for leaves 4 and 5 with their proof, and its answer.
func TestRequestVector(t *testing.T) {
	data := []byte(strings.Repeat("a", 81920))
	layer, leaves := layerOf(data, 32768)
	tree := NewTree(unhex(t, rootA), 81920, 32768)
	r := Request{Base: 0, Index: 4, Length: 2, ProofLayers: 2}
	if _, ok := tree.Answer(r); ok {
		t.Error("answered before anything is known")
	}
	if err := tree.SetLayer(layer); err != nil || !tree.Complete() {
		t.Fatal(err)
	}
	for i, l := range leaves {
		if !tree.SetLeaves(int64(i), l) {
			t.Errorf("leaves of piece %d", i)
		}
	}
	want := leafA + strings.Repeat("0", 64) +
		"f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b" +
		"92157cae1e6def216a25d2d97d6078a494e3479f36da0887a7c37c164925cc61"
	got, ok := tree.Answer(r)
	if !ok || hex.EncodeToString(got) != want {
		t.Errorf("%v %x", ok, got)
	}
	// It proves the leaves to one who knows nothing but the root.
	other := NewTree(unhex(t, rootA), 81920, 32768)
	if err := other.Accept(r, got); err != nil {
		t.Fatal(err)
	}
	if h, ok := other.Piece(2); !ok || h != Hash(layer[2*Size:]) || !bytes.Equal(other.Leaves(2), leaves[2]) || other.Complete() {
		t.Errorf("%v %x, leaves %x", ok, h, other.Leaves(2))
	}
}

// Every hash of trees of many shapes is what the model says, however the bytes
// were written.
func TestAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 100, BlockSize - 1, BlockSize, BlockSize + 1, 2 * BlockSize, 5*BlockSize + 7, 8 * BlockSize, 13 * BlockSize, 16*BlockSize + 1} {
		data := content(n)
		layers := model(data)
		root := rootOf(data)
		var h Hasher
		for range 2 { // the second time after Reset
			for rest := data; len(rest) > 0; {
				k := min(len(rest), 1+rng.IntN(3*BlockSize))
				h.Write(rest[:k])
				rest = rest[k:]
			}
			if got := h.Root(-1); got != root {
				t.Errorf("%d bytes: root %x", n, got)
			}
			h.Reset()
		}
		for pieceLength := BlockSize; pieceLength <= 8*BlockSize; pieceLength *= 2 {
			tree := NewTree(root, int64(n), int64(pieceLength))
			layer, leaves := layerOf(data, pieceLength)
			if err := tree.SetLayer(layer); err != nil {
				t.Fatalf("%d bytes in pieces of %d: %v", n, pieceLength, err)
			}
			for i, l := range leaves {
				if !tree.SetLeaves(int64(i), l) {
					t.Errorf("%d bytes in pieces of %d: leaves of %d", n, pieceLength, i)
				}
			}
			if tree.Height() != len(layers)-1 {
				t.Fatalf("height %d, want %d", tree.Height(), len(layers)-1)
			}
			for k, l := range layers {
				for i, want := range l {
					if got, ok := tree.node(k, int64(i)); !ok || got != want {
						t.Errorf("%d bytes in pieces of %d: node %d of layer %d: %v", n, pieceLength, i, k, ok)
					}
				}
			}
		}
	}
}

// Every request that makes sense is answered, its answer is accepted by a tree
// that knows the root alone, and no answer with a flipped bit is.
func TestProofs(t *testing.T) {
	const n, pieceLength = 11*BlockSize + 5, 2 * BlockSize
	data := content(n)
	root := rootOf(data)
	layer, leaves := layerOf(data, pieceLength)
	full := NewTree(root, n, pieceLength)
	if err := full.SetLayer(layer); err != nil {
		t.Fatal(err)
	}
	for i, l := range leaves {
		full.SetLeaves(int64(i), l)
	}
	asked := 0
	for _, base := range []int{0, 1} {
		for length := int64(2); length <= 16; length *= 2 {
			for index := int64(0); index < 16; index += length {
				r := Request{Base: base, Index: index, Length: length, ProofLayers: full.Height() - 1 - base}
				answer, ok := full.Answer(r)
				if sense := index+length <= 16>>base; ok != sense {
					t.Errorf("%+v: answered %v", r, ok)
				}
				if !ok {
					continue
				}
				asked++
				if err := NewTree(root, n, pieceLength).Accept(r, answer); err != nil {
					t.Errorf("%+v: %v", r, err)
				}
				for bit := range len(answer) * 8 {
					if bit%97 != 0 {
						continue
					}
					bad := bytes.Clone(answer)
					bad[bit/8] ^= 1 << (bit % 8)
					other := NewTree(root, n, pieceLength)
					if err := other.Accept(r, bad); err != ErrMismatch || other.missing != other.pieces || len(other.leaves) > 0 {
						t.Fatalf("%+v with bit %d flipped: %v", r, bit, err)
					}
				}
			}
		}
	}
	if asked != 15+7 {
		t.Errorf("%d requests", asked)
	}
}
