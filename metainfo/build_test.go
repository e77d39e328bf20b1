package metainfo

import (
	"crypto/sha1"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// A torrent of the same files is the same bytes, in whatever order they are
// given and their pieces hashed.
func TestBuilder(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 5000) // 80,000 bytes
	files := []File{
		{Path: []string{"b"}, Length: 30_000}, {Path: []string{"a", "z"}, Length: 50_000},
		{Path: []string{"a", "a"}}, {Path: []string{"a-"}},
	}
	build := func(files []File, hash func(*Builder)) *Torrent {
		t.Helper()
		b, err := NewBuilder("dir", files, 16<<10)
		if err != nil {
			t.Fatal(err)
		}
		b.Private = true
		hash(b)
		tor, err := b.Torrent()
		if err != nil {
			t.Fatal(err)
		}
		tor.Announce, tor.CreationDate = "http://t/announce", 1
		return tor
	}
	one := build(files, func(b *Builder) {
		if err := b.HashReader(iotest.HalfReader(strings.NewReader(content + "more"))); err != nil {
			t.Fatal(err)
		}
	})
	files[0], files[3] = files[3], files[0]
	two := build(files, func(b *Builder) {
		var wg sync.WaitGroup
		for i := b.Info().NumPieces() - 1; i >= 0; i-- {
			wg.Go(func() { b.SetPiece(i, sha1.Sum([]byte(content[i*16384:min((i+1)*16384, len(content))]))) })
		}
		wg.Wait()
	})
	if string(one.Marshal()) != string(two.Marshal()) {
		t.Errorf("%q\n%q", one.Marshal(), two.Marshal())
	}
	parsed, err := Parse(one.Marshal())
	if err != nil || !reflect.DeepEqual(parsed, one) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, parsed, one)
	}
	var order []string
	for i := range one.Info.Files {
		order = append(order, one.Info.FilePath(i))
	}
	if got := strings.Join(order, " "); got != "dir/a/a dir/a/z dir/a- dir/b" || one.Info.Files[3].Offset != 50_000 {
		t.Errorf("order %s: %+v", got, one.Info.Files)
	}
}

func TestBuilderForms(t *testing.T) {
	for _, c := range []struct {
		files []File
		multi bool
	}{
		{[]File{{Length: 1}}, false},
		{[]File{{Path: []string{"a"}, Length: 1}}, true},
	} {
		b, err := NewBuilder("n", c.files, 0)
		if err != nil {
			t.Fatal(err)
		}
		b.SetPiece(0, Hash{1})
		tor, err := b.Torrent()
		if err != nil || tor.Info.Multi != c.multi || tor.Info.PieceLength != 256<<10 || tor.Info.PieceHash(0) != (Hash{1}) {
			t.Errorf("%v: %v, %+v", c.files, err, tor)
		}
		if tor.CreationDate != 0 || strings.Contains(string(tor.Marshal()), "date") {
			t.Error("a date that was not given")
		}
	}
}

func TestBuilderRefuses(t *testing.T) {
	a := []string{"a"}
	for _, c := range []struct {
		name   string
		files  []File
		length int64
		why    string
	}{
		{"n", nil, 0, "0 files"},
		{"n", make([]File, MaxFiles+1), 0, "200001 files"},
		{"..", []File{{Length: 1}}, 0, "stands for a directory"},
		{"n", []File{{Path: []string{".."}, Length: 1}}, 0, "stands for a directory"},
		{"n", []File{{Path: a, Length: 1}, {Path: a}}, 0, "another file"},
		{"n", []File{{Path: a, Length: -1}}, 0, "makes no sum"},
		{"n", []File{{Path: a, Length: math.MaxInt64}, {Path: []string{"b"}, Length: 1}}, 0, "makes no sum"},
		{"n", []File{{}}, 0, "no content"},
		{"n", []File{{Length: 1}}, 1000, "not in"},
		{"n", []File{{Length: 1}}, 20000, "power of two"},
		{"n", []File{{Length: 1 << 40}}, 16 << 10, "more than 2097152"},
		{"n", []File{{Length: math.MaxInt64}}, 0, "more than 2097152"},
	} {
		_, err := NewBuilder(c.name, c.files, c.length)
		var typed *Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v, want %q", err, c.why)
		}
	}
}

func TestBuilderIncomplete(t *testing.T) {
	b, err := NewBuilder("n", []File{{Length: 40_000}}, 16<<10)
	if err != nil {
		t.Fatal(err)
	}
	b.SetPiece(0, Hash{})
	if _, err := b.Torrent(); err == nil || !strings.Contains(err.Error(), "piece 1 has no hash") {
		t.Errorf("got %v", err)
	}
	for _, n := range []int{0, 16 << 10, 39_999} {
		if err := b.HashReader(strings.NewReader(strings.Repeat("x", n))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	broken := errors.New("broken")
	if err := b.HashReader(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestAutoPieceLength(t *testing.T) {
	const (
		k = int64(1) << 10
		m = k << 10
		g = m << 10
	)
	for _, c := range []struct{ total, want int64 }{
		{0, 256 * k}, {1, 256 * k}, {2 * g, 256 * k}, {4 * g, 256 * k}, {4*g + 1, 512 * k}, {8 * g, 512 * k},
		{100 * g, 8 * m}, {256 * g, 16 * m}, {1024 * g, 16 * m}, {8192 * g, 16 * m}, {8192*g + 1, 32 * m},
		{32768 * g, 64 * m}, {math.MaxInt64, 64 * m},
	} {
		if got := AutoPieceLength(c.total); got != c.want || checkPieceLength(got) != nil {
			t.Errorf("%d: %d, want %d", c.total, got, c.want)
		}
	}
	// It never chooses what is refused where another choice would not be.
	if total := int64(MaxPieces) * MaxPieceLength; (total-1)/AutoPieceLength(total)+1 > MaxPieces {
		t.Error("too many pieces for the greatest torrent")
	}
}
