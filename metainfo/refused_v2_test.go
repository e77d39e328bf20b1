package metainfo

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"strings"
	"testing"

	"starling/internal/benc"
)

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

// many2 is hybrid2 with these files of v1.
func many2(files []any, tree dict) dict {
	return hybrid2(dict{"length": nil, "files": files}, tree)
}

// refused is an info dictionary and a part of the reason why it is none.
type refused struct {
	info any
	why  string
}

func checkRefused(t *testing.T, list []refused) {
	t.Helper()
	for _, c := range list {
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
}

func TestRefusedV2(t *testing.T) {
	deep := dict{"f": leaf2(nil)}
	for range MaxPathDepth - 1 {
		deep = dict{"d": deep}
	}
	checkRefused(t, []refused{
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
	})
}

func TestRefusedHybrid(t *testing.T) {
	aligned := []any{file(20_000, "a"), dict{"length": 12_768, "attr": "p"}, file(40_000, "b")}
	tree := func() dict { return dict{"a": leaf2(nil), "b": leaf2(dict{"length": 40_000})} }
	checkRefused(t, []refused{
		{hybrid2(nil, dict{"a.bin": leaf2(nil)}), "not the same length"},
		{hybrid2(nil, dict{"b.bin": big(nil)}), "not the same path"},
		{hybrid2(nil, dict{"a.bin": dict{"a.bin": big(nil)}}), "not the same path"},
		{hybrid2(nil, dict{"a.bin": big(dict{"attr": "x"})}), "not the same attributes"},
		{hybrid2(nil, dict{"a.bin": big(nil), "b": leaf2(nil)}), "not the same path"},
		{many2(aligned, dict{"a": leaf2(nil)}), `"a.bin/b" is a file of v1 alone`},
		{many2(aligned, v1Of(dict{"c": leaf2(nil)}, tree())), `"a.bin/c" is a file of v2 alone`},
		{many2([]any{file(20_000, "a"), file(61_920, "b")}, dict{"a": leaf2(nil), "b": leaf2(dict{"length": 61_920})}), "does not begin where its piece does, at 32768"},
		{many2([]any{file(20_000, "a"), dict{"length": 45_536, "attr": "p"}, file(10_000, "b")}, dict{"a": leaf2(nil), "b": leaf2(dict{"length": 10_000})}), "does not begin"},
		{many2([]any{file(20_000, "a"), dict{"length": 61_920, "attr": "p"}}, dict{"a": leaf2(nil)}), "there are 3 in v1, but 1 in v2"},
		{many2([]any{file(40_000, "b"), dict{"length": 25_536, "attr": "p"}, file(10_000, "a")}, dict{"a": leaf2(dict{"length": 10_000}), "b": leaf2(dict{"length": 40_000})}), "not the same path"},
		{many2([]any{file(81_920, "a"), dict{"length": 0, "path": []string{"l"}, "attr": "l", "symlink path": []string{"a"}}},
			dict{"a": big(nil), "l": leaf2(dict{"length": 0, "pieces root": nil, "attr": "l", "symlink path": []string{"b"}})}), "not the same link"},
	})
}

// What the tables above change was good before.
func TestGoodV2(t *testing.T) {
	for _, info := range []dict{
		tree2(dict{"a": leaf2(nil)}), hybrid2(nil, dict{"a.bin": big(nil)}),
		many2([]any{file(20_000, "a"), dict{"length": 12_768, "attr": "p"}, file(49_152, "b")}, dict{"a": leaf2(nil), "b": leaf2(dict{"length": 49_152})}),
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
