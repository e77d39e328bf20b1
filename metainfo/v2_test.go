package metainfo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"starling/internal/benc"
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

// tree2 is a good info dictionary of v2 with another file tree.
func tree2(tree dict) dict {
	return single(dict{"file tree": tree, "meta version": 2, "pieces": nil, "length": nil})
}

// leaf2 is a good file of 20,000 bytes with changes applied to it.
func leaf2(changes dict) dict {
	d := dict{"length": 20_000, "pieces root": strings.Repeat("r", 32)}
	maps.Copy(d, changes)
	maps.DeleteFunc(d, func(_ string, v any) bool { return v == nil })
	return dict{"": d}
}

// hybrid2 is single with the tree of its file, and both changed.
func hybrid2(v1, tree dict) dict {
	return single(v1Of(v1, dict{"file tree": tree, "meta version": 2}))
}

func v1Of(a, b dict) dict {
	d := maps.Clone(b)
	maps.Copy(d, a)
	return d
}

// big is the leaf of 81,920 bytes that hybrid2 has in v1.
func big(changes dict) dict {
	d := dict{"length": 81_920}
	maps.Copy(d, changes)
	return leaf2(d)
}

func TestRefusedV2(t *testing.T) {
	deep := dict{"f": leaf2(nil)}
	for range MaxPathDepth - 1 {
		deep = dict{"d": deep}
	}
	aligned := []any{file(20_000, "a"), dict{"length": 12_768, "attr": "p"}, file(40_000, "b")}
	tree := func() dict { return dict{"a": leaf2(nil), "b": leaf2(dict{"length": 40_000})} }
	many := func(files []any, tree dict) dict {
		return hybrid2(dict{"length": nil, "files": files}, tree)
	}
	for _, c := range []struct {
		info any
		why  string
	}{
		{single(dict{"meta version": 3, "piece length": 1}), "no more than 2 is supported"},
		{single(dict{"meta version": int64(1) << 40}), "no more than 2 is supported"},
		{single(dict{"meta version": 1}), "there is no 1"},
		{single(dict{"meta version": -1}), "there is no -1"},
		{single(dict{"meta version": "2"}), "meta version: it is not an integer"},
		{single(dict{"meta version": 2}), "file tree: missing"},
		{tree2(nil), "no files"},
		{tree2(dict{"d": dict{}}), "no files"},
		{single(dict{"meta version": 2, "file tree": "x"}), "file tree: missing or not a dictionary"},
		{single(dict{"meta version": 2, "pieces": nil, "file tree": dict{"a.bin": big(nil)}}), "missing, though there are files"},
		{tree2(leaf2(nil)), "both a file and a directory"},
		{tree2(dict{"a": "x"}), `"a" is not a dictionary`},
		{tree2(dict{"a": dict{"": "x"}}), "not a dictionary"},
		{tree2(dict{"a": dict{"": dict{}}}), "its length is missing"},
		{tree2(dict{"a": dict{"": dict{"length": 1, "pieces root": strings.Repeat("r", 32)}, "b": leaf2(nil)}}), "both a file and a directory"},
		{tree2(dict{"a": leaf2(dict{"length": -1})}), "its length is missing or not in"},
		{tree2(dict{"a": leaf2(dict{"length": "1"})}), "its length is missing"},
		{tree2(dict{"a": leaf2(dict{"length": 0})}), "but is empty"},
		{tree2(dict{"a": leaf2(dict{"length": 0, "pieces root": nil})}), "no content"},
		{tree2(dict{"a": leaf2(dict{"pieces root": nil})}), "pieces root is missing"},
		{tree2(dict{"a": leaf2(dict{"pieces root": strings.Repeat("r", 31)})}), "not of 32 bytes"},
		{tree2(dict{"a": leaf2(dict{"pieces root": strings.Repeat("r", 33)})}), "not of 32 bytes"},
		{tree2(dict{"a": leaf2(dict{"pieces root": 7})}), "not of 32 bytes"},
		{tree2(dict{"a": leaf2(dict{"pieces root": strings.Repeat("\x00", 32)})}), "root is zero"},
		{tree2(dict{"a": leaf2(dict{"attr": "p"})}), "padding"},
		{tree2(dict{"a": leaf2(dict{"attr": "l"})}), "symlink path is missing"},
		{tree2(dict{"a": leaf2(dict{"attr": "l", "symlink path": []string{"b"}})}), "has no content"},
		{tree2(dict{"a": leaf2(dict{"attr": "l", "length": nil, "symlink path": []string{"b"}})}), "has a pieces root"},
		{tree2(dict{"a": leaf2(nil), "l": dict{"": dict{"attr": "l", "symlink path": []string{"..", "b"}}}}), "stands for a directory"},
		{tree2(dict{"a": leaf2(nil), "l": dict{"": dict{"attr": "l", "symlink path": []any{1}}}}), "not a string"},
		{tree2(dict{"a": leaf2(nil), "A": leaf2(nil)}), "another file"},
		{tree2(dict{"..": leaf2(nil)}), "stands for a directory"},
		{tree2(dict{"a": dict{"../b": leaf2(nil)}}), "separator"},
		{tree2(deep), "deep"},
		{tree2(dict{"a": leaf2(dict{"length": int64(math.MaxInt64)})}), "more than 2097152 pieces"},
		{tree2(dict{"a": leaf2(dict{"length": int64(MaxPieces) * 32768}), "b": leaf2(nil)}), "more than 2097152 pieces"},

		{hybrid2(nil, dict{"a.bin": leaf2(nil)}), "not the same length"},
		{hybrid2(nil, dict{"b.bin": big(nil)}), "not the same path"},
		{hybrid2(nil, dict{"a.bin": dict{"a.bin": big(nil)}}), "not the same path"},
		{hybrid2(nil, dict{"a.bin": big(dict{"attr": "x"})}), "not the same attributes"},
		{hybrid2(nil, dict{"a.bin": big(nil), "b": leaf2(nil)}), "not the same path"},
		{many(aligned, dict{"a": leaf2(nil)}), `"a.bin/b" is a file of v1 alone`},
		{many(aligned, v1Of(dict{"c": leaf2(nil)}, tree())), `"a.bin/c" is a file of v2 alone`},
		{many([]any{file(20_000, "a"), file(61_920, "b")}, dict{"a": leaf2(nil), "b": leaf2(dict{"length": 61_920})}), "does not begin where its piece does, at 32768"},
		{many([]any{file(20_000, "a"), dict{"length": 45_536, "attr": "p"}, file(10_000, "b")}, dict{"a": leaf2(nil), "b": leaf2(dict{"length": 10_000})}), "does not begin"},
		{many([]any{file(20_000, "a"), dict{"length": 61_920, "attr": "p"}}, dict{"a": leaf2(nil)}), "there are 3 in v1, but 1 in v2"},
		{many([]any{file(40_000, "b"), dict{"length": 25_536, "attr": "p"}, file(10_000, "a")}, dict{"a": leaf2(dict{"length": 10_000}), "b": leaf2(dict{"length": 40_000})}), "not the same path"},
		{many([]any{file(81_920, "a"), dict{"length": 0, "path": []string{"l"}, "attr": "l", "symlink path": []string{"a"}}},
			dict{"a": big(nil), "l": leaf2(dict{"length": 0, "pieces root": nil, "attr": "l", "symlink path": []string{"b"}})}), "not the same link"},
	} {
		raw := encode(t, c.info)
		tor, err := ParseInfo(raw)
		var typed *Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.why) || tor != nil {
			t.Errorf("%.200q: %v, want %q", raw, err, c.why)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "bad metainfo: ") || strings.ContainsAny(err.Error(), "\n\r\x1b")) {
			t.Errorf("%q is no message", err)
		}
	}
	// What the table changes was good before.
	for _, info := range []dict{
		tree2(dict{"a": leaf2(nil)}), hybrid2(nil, dict{"a.bin": big(nil)}),
		many([]any{file(20_000, "a"), dict{"length": 12_768, "attr": "p"}, file(49_152, "b")}, dict{"a": leaf2(nil), "b": leaf2(dict{"length": 49_152})}),
		tree2(dict{"a": leaf2(nil), "e": dict{}, "l": dict{"": dict{"attr": "lq", "symlink path": []string{"a"}}}}),
	} {
		if _, err := ParseInfo(encode(t, info)); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedLayers(t *testing.T) {
	tor := build(t, V2, "a.bin", []File{{Length: 81920}}, 32768)
	root := string(tor.Info.Files[0].PiecesRoot[:])
	layer := string(tor.PieceLayers[tor.Info.Files[0].PiecesRoot])
	info := benc.Value(tor.InfoBytes)
	wrong := []byte(layer)
	wrong[50] ^= 1
	for _, c := range []struct {
		layers any
		why    string
	}{
		{nil, `that of "a.bin" is missing`},
		{dict{}, "is missing"},
		{"x", "not a dictionary"},
		{dict{root: 7}, "not a string"},
		{dict{root[1:]: layer}, "not of 32 bytes"},
		{dict{root: layer[1:]}, "95 bytes, want 96"},
		{dict{root: layer[:64]}, "64 bytes, want 96"},
		{dict{root: layer + layer}, "192 bytes, want 96"},
		{dict{root: string(wrong)}, "does not lead to its pieces root"},
		{dict{strings.Repeat("r", 32): layer}, "is missing"},
	} {
		d := dict{"info": info}
		if c.layers != nil {
			d["piece layers"] = c.layers
		}
		_, err := Parse(encode(t, d))
		var typed *Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%.200q: %v, want %q", c.layers, err, c.why)
		}
	}
	// One more than needed is left out; a torrent of v1 keeps what it has.
	got, err := Parse(encode(t, dict{"info": info, "piece layers": dict{root: layer, strings.Repeat("r", 32): "x"}}))
	if err != nil || !bytes.Equal(got.Marshal(), tor.Marshal()) {
		t.Errorf("%v: %+v", err, got)
	}
	in := encode(t, dict{"info": single(nil), "piece layers": dict{"x": "y"}})
	if got, err := Parse(in); err != nil || got.PieceLayers != nil || !bytes.Equal(got.Marshal(), in) {
		t.Errorf("%v: %+v", err, got)
	}
	// Two files with one root but not of one length: only one can be right.
	two := tree2(dict{"a": leaf2(dict{"length": 81920, "pieces root": root}), "b": leaf2(dict{"length": 40_000, "pieces root": root})})
	if _, err := Parse(encode(t, dict{"info": two, "piece layers": dict{root: layer}})); err == nil {
		t.Error("two lengths under one root")
	}
}

// A small tree that stands for very long paths is refused before it takes room.
func TestTreeBoundsMemory(t *testing.T) {
	in := []byte("d9:file tree")
	name := strings.Repeat("n", 40)
	for range 90 {
		in = append(in, 'd')
		in = benc.AppendString(in, name)
	}
	in = append(in, 'd')
	for i := range 150_000 {
		in = benc.AppendString(in, fmt.Sprintf("%06d", i))
		in = append(in, "d0:d6:lengthi0eee"...)
	}
	in = append(in, strings.Repeat("e", 91)...)
	in = append(in, "12:meta versioni2e4:name1:n12:piece lengthi16384ee"...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ParseInfo(in)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err == nil || !strings.Contains(err.Error(), "together are too long") || grown > 30*uint64(len(in)) {
		t.Errorf("%v, %d bytes allocated for %d", err, grown, len(in))
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
