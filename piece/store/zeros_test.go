package store

import (
	"bytes"
	"crypto/sha1"
	"os"
	"slices"
	"testing"
)

// padded has padding at the end, the begin and in the middle of pieces, over a
// border, and pieces of nothing else.
func padded(t testing.TB) *torrent {
	t.Helper()
	pad := func(n int64) File { return File{Path: "t/.pad/1", Length: n, Pad: true, Wanted: true} }
	return newTorrent(t, 64,
		file("t/a", 70, true), pad(58), file("t/b", 10, true), pad(5), file("t/c", 20, true), pad(0),
		file("t/empty", 0, true), pad(100), pad(93), file("t/d", 64, false), pad(64), file("t/e", 1, true), pad(130))
}

// Padding is served, and is nowhere on the disk.
func TestPadding(t *testing.T) {
	x := padded(t)
	void := []int{3, 4, 8, 9}
	s := open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || !slices.Equal(have, void) {
		t.Fatal("fresh:", have, trusted)
	}
	if _, err := os.Lstat(x.path("t.part")); err == nil {
		t.Fatal("the part directory is made for nothing")
	}
	x.putAll(t, s)
	if n, _ := s.Dirty(); n != 64*6 {
		t.Error("dirty:", n)
	}
	if _, there := s.dirty[s.lay.zeros()]; there {
		t.Error("padding is to be synced")
	}
	x.checkSections(t, s)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	x.checkSections(t, s)
	must(t, s.Close())
	side, err := os.ReadFile(x.path(stateName, hexOf(x), sideName))
	must(t, err)
	if want := bytes.Clone(x.data[:len(side)]); true {
		clear(want[:x.at[9]])
		if clear(want[x.at[10]:]); !bytes.Equal(side, want) {
			t.Error("padding in the side file")
		}
	}

	// A seed of the files alone has every piece.
	x.cfg.ReadOnly, x.cfg.NoState = true, true
	must(t, os.WriteFile(x.path("t", "d"), x.file(9), 0o644))
	s = open(t, x.cfg)
	var last int64
	got, err := s.Check(ctx, func(n int64) { last = n })
	if err != nil || count(got) != x.pieces() || last != 70+10+20+64+1 {
		t.Fatal(count(got), last, err)
	}
	x.checkSections(t, s)
}

// What was written down before a piece was known to be void.
func TestPaddingAfterClear(t *testing.T) {
	x := padded(t)
	s := open(t, x.cfg)
	must(t, s.Clear(3))
	if ok, err := s.VerifyPiece(3); !ok || err != nil {
		t.Error("a void piece is verified by itself:", ok, err)
	}
	must(t, s.Clear(4))
	must(t, s.Close())
	s = open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || !slices.Equal(have, []int{3, 4, 8, 9}) {
		t.Error(have, trusted)
	}
}

// A torrent whose padding does not hash as zeros cannot be had, and does not
// pretend.
func TestPaddingOfOtherHash(t *testing.T) {
	x := padded(t)
	wrong := bytes.Repeat([]byte{7}, 64)
	sum := sha1.Sum(wrong)
	copy(x.cfg.Hashes[20*3:], sum[:])
	s := open(t, x.cfg)
	if have, _ := resumed(t, s); !slices.Equal(have, []int{4, 8, 9}) {
		t.Error("fresh:", have)
	}
	if ok, err := s.PutPiece(3, wrong); ok || err != nil {
		t.Error("padding that is not zero is taken:", ok, err)
	}
	must(t, s.PutBlock(3, 0, wrong))
	if ok, err := s.VerifyPiece(3); ok || err != nil {
		t.Error("by blocks:", ok, err)
	}
	got, err := s.Check(ctx, nil)
	if err != nil || bitset(got).has(3) {
		t.Error("by a check:", err)
	}
}

// Bytes that are not zero in padding make a piece wrong, whatever the rest is and
// in whatever order it comes, and never the torrent inconsistent.
func TestPaddingThatIsNotZero(t *testing.T) {
	for name, x := range map[string]*torrent{
		"v1":     newTorrent(t, 2*kib16, file("t/a", kib16+9, true), File{Path: "t/.pad/1", Length: kib16 - 9, Pad: true}, file("t/b", 5, true)),
		"hybrid": newAligned(t, true, 2*kib16, file("t/a", kib16+9, true), file("t/b", 5, true)),
	} {
		right := x.piece(0)
		bad := bytes.Clone(right)
		bad[len(bad)-1] = 1
		s := open(t, x.cfg)
		if ok, err := s.PutPiece(0, bad); ok || err != nil {
			t.Error(name, "PutPiece:", ok, err)
		}
		for order, blocks := range map[string][][2]int{"in order": {{0, kib16}, {kib16, 2 * kib16}}, "backwards": {{kib16, 2 * kib16}, {0, kib16}}} {
			for _, b := range blocks {
				must(t, s.PutBlock(0, b[0], bad[b[0]:b[1]]))
			}
			if ok, err := s.VerifyPiece(0); ok || err != nil {
				t.Error(name, order, ok, err)
			}
		}
		must(t, s.PutBlock(0, 0, right))
		if ok, err := s.VerifyPiece(0); !ok || err != nil {
			t.Error(name, "then right:", ok, err)
		}
		x.put(t, s, 1)
		must(t, s.Finish(ctx))
		x.checkFinal(t)
		x.checkSections(t, s)
	}
}

// Padding of any length is served out of a small file.
func TestSectionOfMuchPadding(t *testing.T) {
	x := newTorrent(t, 1<<20, file("t/a", 5, true), File{Path: "t/.pad/1", Length: 3<<20 - 5, Pad: true}, file("t/b", 1, true))
	x.cfg.ReadOnly, x.cfg.NoState = true, true
	x.write(t, "t")
	s := open(t, x.cfg)
	_, err := s.Check(ctx, nil)
	must(t, err)
	x.checkSections(t, s)
	must(t, s.Section(1, 0, 1<<20).Spans(func(f *os.File, off, n int64) error {
		fi, err := f.Stat()
		if err != nil || fi.Size() > zeroFileLen || off+n > fi.Size() {
			t.Errorf("%d at %d of a file of %d: %v", n, off, fi.Size(), err)
		}
		return nil
	}))
}

// Padding takes no room.
func TestPaddingNeedsNoSpace(t *testing.T) {
	x := oneFile(t, 100, 64)
	x.cfg.Files = []File{file("t/a", 100, true), {Path: "t/.pad/1", Length: 1 << 40, Pad: true}}
	x.cfg.PieceLength = 1 << 20
	x.cfg.Hashes = make([]byte, 20*(1<<20+1))
	s := open(t, x.cfg)
	if have, _ := resumed(t, s); len(have) != 0 || s.missingBytes() != 100 {
		t.Error(len(have), s.missingBytes())
	}
}
