package metainfo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"starling/metainfo/merkle"
)

const rootHex = "3dc5915002950e02c39f3a7457f151fa8eb4e4c214b43d9be6eaef5f863e7210"

// build makes a torrent of files whose contents follow from their paths.
func build(t testing.TB, format Format, name string, files []File, pieceLength int64) *Torrent {
	t.Helper()
	b, err := NewBuilderOf(format, name, files, pieceLength)
	if err != nil {
		t.Fatal(err)
	}
	var readers []io.Reader
	for i := range b.Info().Files {
		if f := &b.Info().Files[i]; !f.Pad {
			readers = append(readers, bytes.NewReader(contentOf(f)))
		}
	}
	if err := b.HashReader(io.MultiReader(readers...)); err != nil {
		t.Fatal(err)
	}
	tor, err := b.Torrent()
	if err != nil {
		t.Fatal(err)
	}
	return tor
}

func contentOf(f *File) []byte {
	return bytes.Repeat([]byte(strings.Join(f.Path, "/")+"\n"), int(f.Length))[:f.Length]
}

// The info dictionaries of 81,920 times "a" in the formats.
func TestFormatVectors(t *testing.T) {
	for _, c := range []struct {
		format Format
		v1, v2 string
		size   int
	}{
		{V1, v1Hex, strings.Repeat("0", 64), 123},
		{V2, strings.Repeat("0", 40), v2Hex, 145},
		{Hybrid, "bb1556ecdbf7455df36c76950d838d0ebf54934d", "81336ca7d812d1d23e6d3269d255b262dbf1899170d83e596a0a4f0da7765a8b", 231},
	} {
		b, err := NewBuilderOf(c.format, "a.bin", []File{{Length: 81920}}, 32768)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.HashReader(strings.NewReader(strings.Repeat("a", 81920))); err != nil {
			t.Fatal(err)
		}
		tor, err := b.Torrent()
		if err != nil {
			t.Fatal(err)
		}
		if tor.InfoHash.String() != c.v1 || tor.InfoHashV2.String() != c.v2 || len(tor.InfoBytes) != c.size {
			t.Errorf("%s: %s, %s, %d bytes", c.format, tor.InfoHash, tor.InfoHashV2, len(tor.InfoBytes))
		}
		if tor.Info.Format() != c.format || tor.Info.HasV1() != (c.format != V2) || tor.Info.HasV2() != (c.format != V1) {
			t.Errorf("%s reads as %s", c.format, tor.Info.Format())
		}
		if c.format == V2 {
			if want := Hash([]byte(unhexString(t, v2Hex[:40]))); tor.WireHash() != want || tor.Magnet().WireHash() != want {
				t.Errorf("on the wire %s", tor.WireHash())
			}
		} else if tor.WireHash() != tor.InfoHash {
			t.Errorf("%s: on the wire %s", c.format, tor.WireHash())
		}
		if c.format != V1 {
			if got := fmt.Sprintf("%x", tor.Info.Files[0].PiecesRoot); got != rootHex {
				t.Errorf("%s: root %s", c.format, got)
			}
			if layer := tor.PieceLayers[tor.Info.Files[0].PiecesRoot]; len(layer) != 96 {
				t.Errorf("%s: a layer of %d bytes", c.format, len(layer))
			}
		}
		if got := tor.Magnet().String(); strings.Contains(got, "btih") != (c.format != V2) || strings.Contains(got, "btmh") != (c.format != V1) {
			t.Errorf("%s: %s", c.format, got)
		}
		if f, err := ParseFormat(c.format.String()); err != nil || f != c.format {
			t.Errorf("%v, %v", f, err)
		}
	}
	if _, err := ParseFormat("v3"); err == nil {
		t.Error("v3 is a format")
	}
}

var manyFiles = []File{
	{Path: []string{"b"}, Length: 16384}, {Path: []string{"a", "z"}, Length: 100_000, Exec: true},
	{Path: []string{"a", "a"}}, {Path: []string{"a-"}, Length: 1}, {Path: []string{"a", "c", "d"}, Length: 32768},
	{Path: []string{"a", "c", "e"}, Length: 65536, Hidden: true, Exec: true}, {Path: []string{"zero"}},
	{Path: []string{"link"}, Symlink: []string{"a", "z"}}, {Path: []string{"ü"}, Length: 16385},
}

// What the builder makes is read again as it was, and in the order of the tree.
func TestFormatsAgain(t *testing.T) {
	for _, format := range []Format{V1, V2, Hybrid} {
		for _, c := range []struct {
			name  string
			files []File
		}{
			{"dir", manyFiles},
			{"one", []File{{Length: 40_000, Exec: true}}},
			{"tiny", []File{{Length: 1}}},
			{"lone", []File{{Path: []string{"f"}, Length: 32768}}},
			{"deep", []File{{Path: slices.Repeat([]string{"d"}, 90), Length: 32769}}},
		} {
			if format == V2 && c.name == "lone" {
				continue // TestLoneFile
			}
			tor := build(t, format, c.name, c.files, 32768)
			again, err := Parse(tor.Marshal())
			if err != nil || !reflect.DeepEqual(again, tor) {
				t.Errorf("%s %s: %v\ngot  %+v\nwant %+v", format, c.name, err, again, tor)
				continue
			}
			if missing := again.MissingLayers(); missing != nil {
				t.Errorf("%s %s: layers of %v are missing", format, c.name, missing)
			}
			checkPieces(t, again)
		}
	}
}

// checkPieces holds what Info says of each piece against the files.
func checkPieces(t *testing.T, tor *Torrent) {
	t.Helper()
	in := &tor.Info
	owner := map[int]int{}
	var sum int64
	for i := range in.Files {
		f := &in.Files[i]
		for p := f.Offset / in.PieceLength; f.Length > 0 && p*in.PieceLength < f.Offset+f.Length; p++ {
			if _, ok := owner[int(p)]; !ok {
				owner[int(p)] = i
			}
		}
		if !f.Pad {
			sum += f.Length
		}
	}
	if len(owner) != in.NumPieces() || sum != in.ContentLength() {
		t.Errorf("%d pieces, %d bytes, want %d and %d", in.NumPieces(), in.ContentLength(), len(owner), sum)
	}
	var data int64
	for i := range in.NumPieces() {
		if in.PieceFile(i) != owner[i] {
			t.Errorf("piece %d is of file %d, want %d", i, in.PieceFile(i), owner[i])
		}
		data += in.PieceDataSize(i)
		if !in.HasV2() {
			continue
		}
		f := in.Files[owner[i]]
		begin := int64(i)*in.PieceLength - f.Offset
		piece := contentOf(&f)[begin:min(begin+in.PieceLength, f.Length)]
		if int64(len(piece)) != in.PieceDataSize(i) {
			t.Errorf("piece %d has %d bytes, want %d", i, in.PieceDataSize(i), len(piece))
		}
		if !in.HasV1() && in.PieceSize(i) != in.PieceDataSize(i) {
			t.Errorf("piece %d has %d bytes, and %d of content", i, in.PieceSize(i), in.PieceDataSize(i))
		}
		var h merkle.Hasher
		h.Write(piece)
		if root, ok := tor.PieceRoot(i); !ok || root != h.Root(in.PieceHeight(i)) {
			t.Errorf("piece %d: root %x, %v", i, root, ok)
		}
	}
	if data != sum {
		t.Errorf("the pieces have %d bytes, the files %d", data, sum)
	}
}

// The layout of a hybrid: padding before what would not begin at a piece.
func TestHybridLayout(t *testing.T) {
	tor := build(t, Hybrid, "dir", manyFiles, 32768)
	var got []string
	for _, f := range tor.Info.Files {
		got = append(got, fmt.Sprint(strings.Join(f.Path, "/"), "@", f.Offset, "+", f.Length, f.Attr()))
	}
	want := "a/a@0+0 a/c/d@0+32768 a/c/e@32768+65536hx a/z@98304+100000x .pad/31072@198304+31072p a-@229376+1" +
		" .pad/32767@229377+32767p b@262144+16384 link@278528+0l zero@278528+0 .pad/16384@278528+16384p ü@294912+16385"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	v2 := build(t, V2, "dir", manyFiles, 32768)
	for i, f := range slices.DeleteFunc(slices.Clone(tor.Info.Files), func(f File) bool { return f.Pad }) {
		if !reflect.DeepEqual(f, v2.Info.Files[i]) {
			t.Errorf("v2 has %+v, the hybrid %+v", v2.Info.Files[i], f)
		}
	}
}

// A bare info dictionary lacks its piece layers until they come from elsewhere.
func TestSetPieceLayer(t *testing.T) {
	files := append(slices.Clone(manyFiles), File{Path: []string{"a", "z2"}, Length: 50_000})
	tor := build(t, V2, "dir", files, 32768)
	bare, err := ParseInfo(tor.InfoBytes)
	if err != nil {
		t.Fatal(err)
	}
	missing := bare.MissingLayers()
	if len(missing) != 3 || bare.InfoHashV2 != tor.InfoHashV2 {
		t.Fatalf("layers of %v are missing", missing)
	}
	if _, ok := bare.PieceRoot(1); ok {
		t.Error("the root of a piece is known without its layer")
	}
	for _, i := range missing {
		layer := tor.PieceLayers[tor.Info.Files[i].PiecesRoot]
		bad := bytes.Clone(layer)
		bad[len(bad)-1] ^= 1
		for _, l := range [][]byte{nil, bad, layer[32:], append(bad, layer...)} {
			var typed *Error
			if err := bare.SetPieceLayer(i, l); !errors.As(err, &typed) {
				t.Errorf("file %d: a layer of %d bytes: %v", i, len(l), err)
			}
		}
		if err := bare.SetPieceLayer(i, layer); err != nil {
			t.Error(err)
		}
	}
	if !bytes.Equal(bare.Marshal(), tor.Marshal()) || bare.MissingLayers() != nil {
		t.Error("not the same torrent")
	}
}

// A tree of one file at its top is a torrent of that file alone, as other programs
// read it; in a hybrid the v1 side says what it is.
func TestLoneFile(t *testing.T) {
	tor, err := ParseInfo(encode(t, tree2(dict{"f": leaf2(nil)})))
	if err != nil || tor.Info.Multi || tor.Info.Name != "f" || tor.Info.FilePath(0) != "f" {
		t.Errorf("%v: %+v", err, tor)
	}
	if tor, err = ParseInfo(encode(t, tree2(dict{"d": dict{"f": leaf2(nil)}}))); err != nil || tor.Info.FilePath(0) != "a.bin/d/f" {
		t.Errorf("%v: %+v", err, tor)
	}
	if hybrid := build(t, Hybrid, "lone", []File{{Path: []string{"f"}, Length: 1}}, 0); hybrid.Info.FilePath(0) != "lone/f" {
		t.Errorf("%+v", hybrid.Info)
	}
}

// Files of the same content share a layer.
func TestSameContent(t *testing.T) {
	b, err := NewBuilderOf(V2, "dir", []File{{Path: []string{"a"}, Length: 40_000}, {Path: []string{"b"}, Length: 40_000}}, 16384)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.HashReader(strings.NewReader(strings.Repeat("x", 80_000))); err != nil {
		t.Fatal(err)
	}
	tor, err := b.Torrent()
	if err != nil || len(tor.PieceLayers) != 1 {
		t.Fatalf("%v, %d layers", err, len(tor.PieceLayers))
	}
	if again, err := Parse(tor.Marshal()); err != nil || !reflect.DeepEqual(again, tor) {
		t.Errorf("%v", err)
	}
}

func TestBuilderOfRefuses(t *testing.T) {
	for _, c := range []struct {
		format Format
		name   string
		files  []File
		why    string
	}{
		{V2, "n", []File{{Path: []string{"f"}, Length: 1}}, "cannot tell a directory of one file"},
		{V2, "n", []File{{}}, "no content"},
		{V2, "n", []File{{Length: 1 << 40}}, "more than 2097152"},
		{Hybrid, "n", []File{{Path: []string{"a"}, Length: 1}, {Path: []string{"b"}, Length: math.MaxInt64 - 1}}, "over 63 bits"},
		{V2, "n", []File{{Path: []string{"a"}, Length: 1}, {Path: []string{"b"}, Length: math.MaxInt64 - 1}}, "over 63 bits"},
		{Hybrid, "n", []File{{Path: []string{"a"}, Length: 1}, {Path: []string{".pad"}}, {Path: []string{"b"}, Length: 1}}, "file and of a directory"},
		{V1, "n", []File{{Path: []string{"a"}, Length: 1}, {Path: []string{"l"}, Symlink: []string{".."}}}, "stands for a directory"},
		{V1, "n", []File{{Path: []string{"a"}, Length: 1}, {Path: []string{"l"}, Symlink: []string{}}}, "points nowhere"},
		{V1, "n", []File{{Path: []string{"a"}, Length: 1}, {Path: []string{"l"}, Length: 1, Symlink: []string{"a"}}}, "has no content"},
		{V1, "n", []File{{Path: []string{"l", "a"}, Length: 1}, {Path: []string{"l"}, Symlink: []string{"b"}}}, "file and of a directory"},
	} {
		_, err := NewBuilderOf(c.format, c.name, c.files, 16<<10)
		var typed *Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s %+v: %v, want %q", c.format, c.files, err, c.why)
		}
	}
}

func FuzzParseV2(f *testing.F) {
	for _, format := range []Format{V2, Hybrid} {
		f.Add(build(f, format, "dir", manyFiles, 16384).Marshal())
		f.Add(build(f, format, "one", []File{{Length: 40_000}}, 16384).Marshal())
	}
	f.Add(encode(f, dict{"info": tree2(dict{"a": leaf2(nil), "b": dict{"c": leaf2(nil)}})}))
	f.Fuzz(func(t *testing.T, in []byte) { fuzzParse(t, in) })
}
