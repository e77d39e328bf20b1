package store

import (
	"bytes"
	"os"
	"testing"
)

// What a client asks for behind the end of a file is zeros up to the end of the
// piece, in a torrent of v2 alone and in no other.
func TestSectionInGap(t *testing.T) {
	const size, pieceLen = 2*kib16 + 100, 4 * kib16
	files := []File{file("t/a", size, true), file("t/b", size, true)}
	x := newAligned(t, false, pieceLen, files...)
	x.cfg.ReadOnly = true
	x.write(t, "t")
	s := open(t, x.cfg)
	_, err := s.Check(ctx, nil)
	must(t, err)
	for i := range files {
		whole := append(bytes.Clone(x.file(i)), make([]byte, pieceLen-size)...)
		for _, r := range [][2]int{{0, pieceLen}, {2 * kib16, kib16}, {size, kib16}, {3 * kib16, kib16}, {0, kib16}, {size - 1, 2}} {
			begin, n := r[0], r[1]
			sec := s.Section(i, begin, n)
			if sec.Size() != n {
				t.Fatalf("piece %d, %d+%d: size %d", i, begin, n, sec.Size())
			}
			var got []byte
			must(t, sec.Spans(func(f *os.File, off, n int64) error {
				b := make([]byte, n)
				_, err := f.ReadAt(b, off)
				got = append(got, b...)
				return err
			}))
			read := bytes.Repeat([]byte{1}, n)
			must(t, s.Section(i, begin, n).ReadInto(read))
			if want := whole[begin : begin+n]; !bytes.Equal(got, want) || !bytes.Equal(read, want) {
				t.Errorf("piece %d, %d+%d: other bytes", i, begin, n)
			}
		}
		if err := s.Section(i, kib16, pieceLen).ReadInto(make([]byte, pieceLen)); err == nil {
			t.Errorf("piece %d: bytes of the next piece", i)
		}
	}
	if err := s.Section(len(files), 0, kib16).ReadInto(make([]byte, kib16)); err == nil {
		t.Error("bytes of a piece that does not exist")
	}
	must(t, s.Close())

	h := newAligned(t, true, pieceLen, files...)
	h.cfg.ReadOnly = true
	h.write(t, "t")
	s = open(t, h.cfg)
	_, err = s.Check(ctx, nil)
	must(t, err)
	if err := s.Section(1, 2*kib16, kib16).ReadInto(make([]byte, kib16)); err == nil {
		t.Error("a hybrid has bytes behind its end")
	}
	must(t, s.Close())
}
