package merkle

import (
	"bytes"
	"errors"
	"testing"
)

func TestRequestCheck(t *testing.T) {
	for _, c := range []struct {
		r    Request
		want error
	}{
		{Request{0, 0, 2, 4}, nil},
		{Request{0, 30, 2, 0}, nil},
		{Request{4, 0, 2, 0}, nil},
		{Request{0, 0, 32, 4}, nil},
		{Request{-1, 0, 2, 0}, errBase},
		{Request{5, 0, 2, 0}, errBase},
		{Request{1 << 40, 0, 2, 0}, errBase},
		{Request{0, 0, 0, 0}, errLength},
		{Request{0, 0, 1, 0}, errLength},
		{Request{0, 0, 3, 0}, errLength},
		{Request{0, 0, 2 * MaxLength, 0}, errLength},
		{Request{0, 0, -2, 0}, errLength},
		{Request{0, 1, 2, 0}, errIndex},
		{Request{0, 32, 2, 0}, errIndex},
		{Request{0, -2, 2, 0}, errIndex},
		{Request{0, 1 << 32, 2, 0}, errIndex},
		{Request{4, 2, 2, 0}, errIndex},
		{Request{0, 0, 64, 0}, errIndex},
		{Request{0, 0, 2, 5}, errProof},
		{Request{0, 0, 2, -1}, errProof},
		{Request{4, 0, 2, 1}, errProof},
	} {
		if err := c.r.Check(5); err != c.want {
			t.Errorf("%+v: %v, want %v", c.r, err, c.want)
		}
	}
	if err := (Request{0, 0, 2, 0}).Check(0); err != errBase {
		t.Errorf("a tree of one block: %v", err)
	}
}

// The uncles that an answer has: those layers of the proof which the run itself
// does not make.
func TestUncles(t *testing.T) {
	for _, c := range []struct {
		length        int64
		proof, uncles int
	}{{2, 0, 0}, {2, 2, 2}, {4, 1, 0}, {4, 2, 1}, {512, 8, 0}, {512, 9, 1}, {512, 20, 12}} {
		r := Request{Length: c.length, ProofLayers: c.proof}
		if r.Uncles() != c.uncles || r.Hashes() != int(c.length)+c.uncles {
			t.Errorf("%+v: %d uncles, %d hashes", r, r.Uncles(), r.Hashes())
		}
	}
}

// A tree that knows only the root gets all hashes of its pieces, and then the
// leaves, from one that has them.
func TestFetch(t *testing.T) {
	const pieceLength = 4 * BlockSize
	layer := content(1500*Size + 5)[:1500*Size]
	root := fold(layer, 2, Height(1500)+2)
	length := int64(1500*pieceLength - 3)
	full, tree := NewTree(root, length, pieceLength), NewTree(root, length, pieceLength)
	if err := full.SetLayer(layer); err != nil {
		t.Fatal(err)
	}
	var asked []Request
	for r := range tree.Wants() {
		asked = append(asked, r)
	}
	want := []Request{{2, 0, 512, 10}, {2, 512, 512, 10}, {2, 1024, 512, 10}}
	if len(asked) != len(want) || asked[0] != want[0] || asked[1] != want[1] || asked[2] != want[2] {
		t.Fatalf("%+v", asked)
	}
	for i, r := range asked {
		answer, ok := full.Answer(r)
		if !ok || len(answer) != (512+2)*Size {
			t.Fatalf("%+v: %v, %d bytes", r, ok, len(answer))
		}
		if tree.Complete() {
			t.Error("complete too early")
		}
		if err := tree.Accept(r, answer); err != nil {
			t.Fatal(err)
		}
		left := 0
		for range tree.Wants() {
			left++
		}
		if left != len(asked)-1-i {
			t.Errorf("%d requests left", left)
		}
	}
	if !tree.Complete() || !bytes.Equal(tree.Layer(), layer) || len(tree.layers) != len(full.layers) {
		t.Error("not the layer")
	}
}

func TestLeaves(t *testing.T) {
	const n, pieceLength = 7*BlockSize + 1, 4 * BlockSize
	data := content(n)
	layer, leaves := layerOf(data, pieceLength)
	full, tree := NewTree(rootOf(data), n, pieceLength), NewTree(rootOf(data), n, pieceLength)
	r, ok := WantLeaves(n, pieceLength, 1)
	if !ok || r != (Request{Index: 4, Length: 4}) {
		t.Fatalf("%v %+v", ok, r)
	}
	if full.SetLeaves(1, leaves[1]) {
		t.Error("leaves of a piece without a hash")
	}
	if err := full.SetLayer(layer[Size:]); err != ErrMismatch {
		t.Errorf("a layer too short: %v", err)
	}
	if err := full.SetLayer(append(layer[Size:], layer[:Size]...)); err != ErrMismatch {
		t.Errorf("a layer out of order: %v", err)
	}
	if err := full.SetLayer(layer); err != nil {
		t.Fatal(err)
	}
	if full.SetLeaves(0, leaves[1]) || full.SetLeaves(1, leaves[1][Size:]) || !full.SetLeaves(1, leaves[1]) || full.SetLeaves(2, nil) {
		t.Error("wrong leaves are taken, or right ones are not")
	}
	answer, ok := full.Answer(r)
	if !ok {
		t.Fatal("no answer")
	}
	if err := tree.Accept(r, answer); err != ErrUnproven {
		t.Errorf("without the hash of the piece: %v", err)
	}
	if err := tree.SetLayer(layer); err != nil {
		t.Fatal(err)
	}
	if err := tree.Accept(r, answer[Size:]); !errors.Is(err, ErrUnasked) {
		t.Errorf("cut: %v", err)
	}
	if err := tree.Accept(Request{Index: 4, Length: 2, ProofLayers: 0}, answer[:2*Size]); !errors.Is(err, ErrUnasked) {
		t.Errorf("half a piece: %v", err)
	}
	if err := tree.Accept(Request{Base: 1, Index: 0, Length: 2}, answer[:2*Size]); !errors.Is(err, ErrUnasked) {
		t.Errorf("a layer nobody asks for: %v", err)
	}
	if err := tree.Accept(r, answer); err != nil || !bytes.Equal(tree.Leaves(1), leaves[1]) {
		t.Errorf("%v", err)
	}
	tree.DropLeaves(1)
	if tree.Leaves(1) != nil {
		t.Error("not dropped")
	}
	if _, ok := tree.Answer(r); ok {
		t.Error("answered from what was dropped")
	}
}

// A file of one piece has its root for the hash of its piece, and of one block
// nothing that could be asked.
func TestSmallFiles(t *testing.T) {
	for _, n := range []int{1, BlockSize, BlockSize + 1, 3 * BlockSize, 4 * BlockSize} {
		data := content(n)
		tree := NewTree(rootOf(data), int64(n), 4*BlockSize)
		if h, ok := tree.Piece(0); !ok || h != rootOf(data) || !tree.Complete() {
			t.Errorf("%d bytes: %v %x", n, ok, h)
		}
		for r := range tree.Wants() {
			t.Errorf("%d bytes: wants %+v", n, r)
		}
		r, ok := WantLeaves(int64(n), 4*BlockSize, 0)
		if ok != (n > BlockSize) || ok && r.Check(tree.Height()) != nil {
			t.Errorf("%d bytes: %v %+v", n, ok, r)
		}
	}
}

// No answer, and no request, of a stranger does harm.
func FuzzAccept(f *testing.F) {
	const n, pieceLength = 11*BlockSize + 5, 2 * BlockSize
	data := content(n)
	root := rootOf(data)
	layer, leaves := layerOf(data, pieceLength)
	full := NewTree(root, n, pieceLength)
	if err := full.SetLayer(layer); err != nil {
		f.Fatal(err)
	}
	for i, l := range leaves {
		full.SetLeaves(int64(i), l)
	}
	for _, r := range []Request{{0, 4, 2, 3}, {1, 0, 8, 2}, {0, 0, 16, 3}, {1, 6, 2, 0}} {
		answer, _ := full.Answer(r)
		f.Add(r.Base, r.Index, r.Length, r.ProofLayers, answer, r.Base == 0)
	}
	f.Add(-1, int64(1)<<40, int64(-2), 1<<30, []byte{}, true)
	f.Fuzz(func(t *testing.T, base int, index, length int64, proof int, answer []byte, known bool) {
		r := Request{base, index, length, proof}
		tree := NewTree(root, n, pieceLength)
		if known {
			if err := tree.SetLayer(layer); err != nil {
				t.Fatal(err)
			}
		}
		if tree.Accept(r, answer) == nil {
			// What is proven is what there is.
			if want, ok := full.Answer(r); !ok || !bytes.Equal(want[:length*Size], answer[:length*Size]) {
				t.Errorf("%+v: accepted %x", r, answer)
			}
		}
		if out, ok := full.Answer(r); ok && len(out) != r.Hashes()*Size {
			t.Errorf("%+v: %d bytes", r, len(out))
		}
	})
}

func BenchmarkHasher(b *testing.B) {
	data := content(4 << 20)
	var h Hasher
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		h.Reset()
		h.Write(data)
		h.Root(-1)
	}
}
