package metainfo

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"starling/internal/benc"
)

func FuzzParse(f *testing.F) {
	for _, d := range []dict{
		{"info": single(nil)},
		{"info": multi(file(40000, "a", "b"), file(41920, "c")), "announce-list": [][]string{{"http://a"}}, "nodes": [][]any{{"h", 1}}},
		{"info": multi(dict{"length": 81920, "attr": "p"}), "url-list": "http://w", "creation date": 5, "x": "y"},
		{"info": multi(file(1, "a"), file(81919, "A"))},
		{"info": single(dict{"piece length": 3})},
	} {
		f.Add(encode(f, d))
	}
	f.Fuzz(func(t *testing.T, in []byte) { fuzzParse(t, in) })
}

func fuzzParse(t *testing.T, in []byte) {
	tor, err := Parse(in)
	if err != nil {
		return
	}
	if raw, ok := benc.Raw(in, "info"); !ok || !bytes.Equal(raw, tor.InfoBytes) {
		t.Error("InfoBytes are not those of the file")
	}
	checkInfo(t, &tor.Info)
	out := tor.Marshal()
	again, err := Parse(out)
	if err != nil {
		t.Fatalf("%q: written as %q: %v", in, out, err)
	}
	// An empty but present value is read as nothing and not written.
	if again.InfoHash != tor.InfoHash || again.InfoHashV2 != tor.InfoHashV2 || !reflect.DeepEqual(again.PieceLayers, tor.PieceLayers) || !reflect.DeepEqual(again.Info, tor.Info) || !reflect.DeepEqual(again.Trackers(), tor.Trackers()) {
		t.Errorf("%q: got %+v, again %+v", in, tor, again)
	}
	if twice := again.Marshal(); !bytes.Equal(twice, out) {
		t.Errorf("%q: written as %q, then as %q", in, out, twice)
	}
	if bare, err := ParseInfo(tor.InfoBytes); err != nil || bare.InfoHash != tor.InfoHash || bare.InfoHashV2 != tor.InfoHashV2 {
		t.Errorf("the bare info: %+v, %v", bare, err)
	}
}

// checkInfo checks what the rest of the program relies on.
func checkInfo(t *testing.T, in *Info) {
	t.Helper()
	total := in.TotalLength()
	last := total - int64(in.NumPieces()-1)*in.PieceLength
	if total < 1 || last < 1 || last > in.PieceLength || in.NumPieces() > MaxPieces || !in.HasV1() && !in.HasV2() {
		t.Errorf("%d bytes in %d pieces of %d", total, in.NumPieces(), in.PieceLength)
	}
	if in.HasV1() && len(in.Pieces) != in.NumPieces()*len(Hash{}) {
		t.Errorf("%d bytes of hashes for %d pieces", len(in.Pieces), in.NumPieces())
	}
	for i := range min(in.NumPieces(), 1000) {
		f := in.Files[in.PieceFile(i)]
		begin := int64(i) * in.PieceLength
		if f.Offset > begin || f.Offset+f.Length <= begin || in.HasV2() && (f.Pad || f.Offset%in.PieceLength != 0) {
			t.Errorf("piece %d is of %+v", i, f)
		}
		if n, data := in.PieceSize(i), in.PieceDataSize(i); n < 1 || n > in.PieceLength || data < 1 || data > n || in.Format() == V2 && data != n {
			t.Errorf("piece %d has %d bytes, %d of content", i, n, data)
		}
	}
	var offset int64
	for i, f := range in.Files {
		gap := f.Offset - offset
		if f.Length < 0 || gap < 0 || gap > 0 && (in.HasV1() || f.Offset%in.PieceLength != 0) {
			t.Errorf("file %d: %+v", i, f)
		}
		if in.HasV2() && !f.Pad && (f.Length == 0) != (f.PiecesRoot == [32]byte{}) {
			t.Errorf("file %d: root %x", i, f.PiecesRoot)
		}
		if f.Symlink != nil && (f.Length > 0 || f.Pad || CheckFiles(in.Name, []File{{Path: f.Symlink}}) != nil) {
			t.Errorf("file %d: links to %q", i, f.Symlink)
		}
		offset = f.Offset + f.Length
		if _, err := CleanPath(in.FilePath(i)); err != nil {
			t.Error(err)
		}
	}
}

// Reading the hashes of a hundred thousand pieces copies none of them.
func TestParseCopiesNoHashes(t *testing.T) {
	in := bigTorrent(t, 100_000, 1)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := Parse(in); err != nil {
			t.Fatal(err)
		}
	}); n > 30 {
		t.Errorf("%v allocations", n)
	}
	tor, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(in, []byte("6:pieces2000000:")) + len("6:pieces2000000:")
	if &tor.Info.Pieces[0] != &in[at] {
		t.Error("the hashes were copied")
	}
}

// The greatest counts that the limits allow are read, and one more is not.
func TestGreatestCounts(t *testing.T) {
	check := func(in []byte, why string) {
		t.Helper()
		_, err := ParseInfo(in)
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %q", err, why)
		}
	}
	buf := make([]byte, 20*MaxPieces+200)
	head := fmt.Appendf(buf[:0], "d6:lengthi%de4:name1:n12:piece lengthi16384e6:pieces%d:", int64(MaxPieces)*16384, 20*MaxPieces)
	check(append(buf[:len(head)+20*MaxPieces], 'e'), "")
	check(encode(t, single(dict{"length": int64(MaxPieces)*16384 + 1, "piece length": 16384})), "2097153 pieces, more than 2097152")
	for extra, why := range []string{"", "200001 files"} {
		pads := bytes.Repeat([]byte("d4:attr1:p6:lengthi1ee"), MaxFiles+extra)
		in := fmt.Appendf(nil, "d5:filesl%se4:name1:n12:piece lengthi262144e6:pieces", pads)
		check(append(benc.AppendBytes(in, make([]byte, 20)), 'e'), why)
	}
}

// Many deep paths cost memory in proportion to the file, not to depth times it.
func TestDeepPathsBoundMemory(t *testing.T) {
	in := []byte("d5:filesl")
	name := strings.Repeat("n", 35)
	for i := range 300 {
		in = fmt.Appendf(in, "d6:lengthi1e4:pathl5:%05d", i)
		for range MaxPathDepth - 2 {
			in = benc.AppendString(in, name)
		}
		in = append(in, "ee"...)
	}
	in = fmt.Appendf(in, "e4:name1:n12:piece lengthi262144e6:pieces20:%se", make([]byte, 20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ParseInfo(in)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err != nil || grown > 12*uint64(len(in)) {
		t.Errorf("%v, %d bytes allocated for %d", err, grown, len(in))
	}
}

// bigTorrent is a torrent with that many pieces and files.
func bigTorrent(tb testing.TB, pieces, files int) []byte {
	list := make([]File, files)
	for i := range list {
		list[i] = File{Path: []string{"some", fmt.Sprintf("dir%04d", i/100), fmt.Sprintf("file%06d.dat", i)}, Length: 1000}
	}
	list[0].Length = int64(pieces)*MinPieceLength - int64(files-1)*1000
	b, err := NewBuilder("big", list, MinPieceLength)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range pieces {
		b.SetPiece(i, Hash{byte(i), byte(i >> 8), byte(i >> 16)})
	}
	tor, err := b.Torrent()
	if err != nil {
		tb.Fatal(err)
	}
	return tor.Marshal()
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ pieces, files int }{{100_000, 1}, {100_000, 10_000}} {
		in := bigTorrent(b, c.pieces, c.files)
		b.Run(fmt.Sprintf("pieces=%d/files=%d", c.pieces, c.files), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if _, err := Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseV2(b *testing.B) {
	list := make([]File, 10_000)
	for i := range list {
		list[i] = File{Path: []string{"some", fmt.Sprintf("dir%04d", i/100), fmt.Sprintf("file%06d.dat", i)}, Length: 10 * MinPieceLength}
	}
	for _, format := range []Format{V2, Hybrid} {
		builder, err := NewBuilderOf(format, "big", list, MinPieceLength)
		if err != nil {
			b.Fatal(err)
		}
		for i := range builder.Info().NumPieces() {
			builder.SetPieceRoot(i, [32]byte{byte(i), byte(i >> 8), byte(i >> 16)})
			if format == Hybrid {
				builder.SetPiece(i, Hash{byte(i), byte(i >> 8), byte(i >> 16)})
			}
		}
		tor, err := builder.Torrent()
		if err != nil {
			b.Fatal(err)
		}
		in := tor.Marshal()
		b.Run(fmt.Sprintf("format=%s/pieces=100000/files=10000", format), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if _, err := Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
