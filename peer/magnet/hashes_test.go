package magnet

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"starling/metainfo/merkle"
	"starling/peer/wire"
)

// hashed is a table with two trees to be fetched, of 1,500 and of 700 pieces.
func hashed(t *testing.T) (tb *table, layers [][]byte, answer func(h wire.Hashes) []byte) {
	tb = newTable(t, 100)
	var full []*merkle.Tree
	for i, n := range []int{1500, 700} {
		layer := make([]byte, n*merkle.Size)
		rand.NewChaCha8([32]byte{byte(i)}).Read(layer)
		root := merkle.Root(layer, 0)
		tree := func() *merkle.Tree { return merkle.NewTree(root, int64(n)*wire.MetaPart, wire.MetaPart) }
		full = append(full, tree())
		if err := full[i].SetLayer(layer); err != nil {
			t.Fatal(err)
		}
		layers = append(layers, layer)
		tb.trees = append(tb.trees, Tree{Root: root, Tree: tree()})
	}
	return tb, layers, func(h wire.Hashes) []byte {
		for i, tree := range tb.trees {
			if tree.Root == h.Root {
				b, ok := full[i].Answer(h.Request)
				if !ok {
					t.Errorf("it asks for %+v", h.Request)
				}
				return b
			}
		}
		t.Errorf("it asks for a tree %x", h.Root)
		return nil
	}
}

// TestHashes: the piece layers that the dictionary does not hold come from those who
// give them; not from those who refuse, are silent or lie, nor from the liar again.
func TestHashes(t *testing.T) {
	tb, layers, answer := hashed(t)
	liar, refuses, mute, honest := tb.honest(), tb.honest(), tb.honest(), tb.honest()
	liar.hashes = func(h wire.Hashes) []byte {
		b := bytes.Clone(answer(h))
		b[len(b)-1] ^= 1
		return b
	}
	mute.mute, honest.hashes = true, answer
	tb.sit(liar, refuses, mute)
	tb.run(5 * time.Second)
	if len(tb.found) != 0 || liar.runs == 0 || liar.runs > ahead || len(liar.dials) != 1 {
		t.Fatalf("found %d, the liar was asked for %d runs in %d connections", len(tb.found), liar.runs, len(liar.dials))
	}
	tb.sit(honest)
	tb.run(partWait + time.Second)
	tb.done()
	for i, tree := range tb.got {
		if !tree.Complete() || !bytes.Equal(tree.Layer(), layers[i]) {
			t.Errorf("tree %d: complete %v", i, tree.Complete())
		}
	}
	if want := 3 + 2; honest.runs != want || refuses.runs > 2*ahead || len(tb.Peers()) != 3 {
		t.Errorf("%d runs were asked for, want %d; %d of the one who refuses; peers %v", honest.runs, want, refuses.runs, tb.Peers())
	}
}

// TestHashesOfNobody: who cannot give hashes is asked again, less and less often.
func TestHashesOfNobody(t *testing.T) {
	tb, _, answer := hashed(t)
	refuses := tb.honest()
	tb.sit(refuses)
	tb.run(time.Hour)
	if n := len(refuses.dials); n < 20 || n > 40 || len(tb.found) != 0 {
		t.Errorf("%d dials in an hour, found %d", n, len(tb.found))
	}
	refuses.hashes = answer
	tb.run(maxRetryWait + time.Second)
	tb.done()
}

// TestHashesNotNeeded: a dictionary that will do without its trees is had after a
// while from one who cannot give them, and with them from one who can.
func TestHashesNotNeeded(t *testing.T) {
	for _, gives := range []bool{false, true} {
		tb, layers, answer := hashed(t)
		tb.enough = true
		p := tb.honest()
		if gives {
			p.hashes = answer
		}
		tb.sit(p)
		tb.run(treeWait - time.Second)
		if got := len(tb.found) == 1; got != gives {
			t.Fatalf("after %v: found %t", treeWait-time.Second, got)
		}
		tb.run(3 * time.Second)
		tb.done()
		if want := map[bool]int{false: 0, true: len(layers)}[gives]; len(tb.got) != want {
			t.Errorf("%d trees came, want %d", len(tb.got), want)
		}
	}
}
