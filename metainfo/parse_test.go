package metainfo

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/bencode"
)

type dict = map[string]any

// encode is bencode by a library that is not under test.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := bencode.EncodeBytes(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unhexString(t testing.TB, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// single is a good info dictionary of one file with changes applied to it; a
// nil value takes a key away.
func single(changes dict) dict {
	d := dict{"name": "a.bin", "piece length": 32768, "length": 81920, "pieces": strings.Repeat("x", 60)}
	for k, v := range changes {
		if d[k] = v; v == nil {
			delete(d, k)
		}
	}
	return d
}

// multi is single with a list of files in the place of the length.
func multi(files ...any) dict {
	return single(dict{"length": nil, "files": files})
}

func file(length any, path ...string) dict {
	return dict{"length": length, "path": path}
}

// The info dictionaries of 81,920 times "a" and one published sample.
func TestInfoVectors(t *testing.T) {
	b, err := NewBuilder("a.bin", []File{{Length: 81920}}, 32768)
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
	if got := tor.InfoHash.String(); got != "05cf7e478e3f2f025bb72b7d3dc54929db1bd1c8" || len(tor.InfoBytes) != 123 {
		t.Errorf("v1: %s, %d bytes", got, len(tor.InfoBytes))
	}

	// sample.txt, the torrent that a well-known course has its readers parse.
	sample, err := ParseInfo(encode(t, dict{
		"name": "sample.txt", "length": 92063, "piece length": 32768,
		"pieces": unhexString(t, "e876f67a2a8886e8f36b136726c30fa29703022d6e2275e604a0766656736e81ff10b55204ad8d35f00d937a0213df1982bc8d097227ad9e909acc17"),
	}))
	if err != nil || sample.InfoHash.String() != "d69f91e6b2ae4c542468d1073a71d4ea13879a7f" {
		t.Errorf("sample.txt: %v, %+v", err, sample)
	}
}

func TestParse(t *testing.T) {
	info := multi(file(0, "empty"), file(40000, "dir", "b"), file(41920, "dir", "ä"),
		dict{"length": 0, "attr": "p"})
	info["private"] = 1
	info["source"] = "kept"
	in := encode(t, dict{
		"announce": "http://t/announce", "comment": "c\x1b[31m", "created by": "me", "creation date": 1700000000,
		"announce-list": [][]string{{"http://a", "http://b"}, {"udp://c"}},
		"encoding":      "UTF-8", "httpseeds": []string{"http://h"}, "url-list": "http://w/",
		"nodes": [][]any{{"router.example", 6881}, {"127.0.0.1", 1}}, "info": info,
	})
	got, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	raw := encode(t, info)
	want := &Torrent{
		Announce: "http://t/announce", Comment: "c\x1b[31m", CreatedBy: "me", CreationDate: 1700000000,
		AnnounceList: [][]string{{"http://a", "http://b"}, {"udp://c"}}, URLList: []string{"http://w/"},
		Nodes: []Node{{"router.example", 6881}, {"127.0.0.1", 1}},
		Extra: []Field{{"encoding", []byte("5:UTF-8")}, {"httpseeds", []byte("l8:http://he")}},
		Info: Info{
			MetaVersion: 1, Name: "a.bin", PieceLength: 32768, Pieces: bytes.Repeat([]byte("x"), 60), Private: true, Multi: true,
			Files: []File{
				{Path: []string{"empty"}}, {Path: []string{"dir", "b"}, Length: 40000},
				{Path: []string{"dir", "ä"}, Length: 41920, Offset: 40000},
				{Path: []string{".pad", "0"}, Offset: 81920, Pad: true},
			},
		},
		InfoBytes: raw, InfoHash: got.InfoHash,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Info.NumPieces() != 3 || got.Info.TotalLength() != 81920 || got.Info.FilePath(1) != "a.bin/dir/b" {
		t.Error("the methods of Info disagree with it")
	}
	if h := got.Info.PieceHash(2); string(h[:]) != strings.Repeat("x", 20) {
		t.Errorf("hash of piece 2: %s", h)
	}
	// Only the web seed changes its form.
	again, err := Parse(got.Marshal())
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("written and read again: %v\n%+v", err, again)
	}
}

func TestRefusedInfo(t *testing.T) {
	deep := slices.Repeat([]string{"d"}, MaxPathDepth)
	for _, c := range []struct {
		info any
		why  string
	}{
		{"info", "not a dictionary"},
		{[]any{}, "not a dictionary"},
		{dict{}, "piece length: 0 is not in"},
		{single(dict{"piece length": -1}), "-1 is not in"},
		{single(dict{"piece length": 3}), "3 is not in"},
		{single(dict{"piece length": 16383}), "not in"},
		{single(dict{"piece length": 16385}), "not a power of two"},
		{single(dict{"piece length": MaxPieceLength * 2}), "not in"},
		{single(dict{"piece length": int64(1) << 40}), "not in"},
		{single(dict{"piece length": "32768"}), "not an integer"},
		{single(dict{"pieces": nil}), "pieces: missing"},
		{single(dict{"pieces": []string{"x"}}), "pieces: missing or not a string"},
		{single(dict{"pieces": "x"}), "not a multiple of 20"},
		{single(dict{"pieces": strings.Repeat("x", 61)}), "not a multiple of 20"},
		{single(dict{"pieces": ""}), "0 hashes, but 81920 bytes in pieces of 32768 are 3"},
		{single(dict{"pieces": strings.Repeat("x", 40)}), "2 hashes"},
		{single(dict{"pieces": strings.Repeat("x", 80)}), "4 hashes"},
		{single(dict{"length": nil}), "neither a length nor files"},
		{single(dict{"files": []any{file(1, "a")}}), "both a length and files"},
		{single(dict{"length": 0, "pieces": ""}), "no content"},
		{single(dict{"length": -1}), "not in"},
		{single(dict{"length": int64(math.MaxInt64)}), "9223372036854775807 bytes"},
		{single(dict{"length": int64(MaxPieceLength)*MaxPieces + 1, "piece length": MaxPieceLength}), "more than 2097152"},
		{single(dict{"length": "81920"}), "not an integer"},
		{single(dict{"private": "1"}), "private: it is not an integer"},
		{single(dict{"name": nil}), "name: missing"},
		{single(dict{"name": 7}), "not a string"},
		{single(dict{"name": ".."}), "stands for a directory"},
		{single(dict{"name": "a/b"}), "separator"},
		{multi(), "0 files"},
		{multi("file"), "files[0]: it is not a dictionary"},
		{single(dict{"length": nil, "files": 7}), "files: it is not a list"},
		{multi(dict{"path": []string{"a"}}), "its length is missing"},
		{multi(file(-1, "a")), "its length is missing or not in"},
		{multi(file("1", "a")), "its length is missing"},
		{multi(dict{"length": 81920}), "its path is missing"},
		{multi(file(81920)), "its path is missing or empty"},
		{multi(dict{"length": 81920, "path": "a"}), "its path is missing"},
		{multi(dict{"length": 81920, "path": []any{"a", 1}}), "not a string"},
		{multi(dict{"length": 0, "path": []string{"a"}, "attr": "l"}), "symlink path is missing"},
		{multi(file(int64(math.MaxInt64), "a"), file(1, "b")), "over 63 bits"},
		{multi(file(81920, "a", "..", "b")), "stands for a directory"},
		{multi(file(81920, "/etc/passwd")), "separator"},
		{multi(file(81920, "")), "empty"},
		{multi(file(1, "a"), file(81919, "a")), "another file"},
		{multi(file(1, "dir", "A"), file(81919, "DIR", "a")), "another file"},
		{multi(file(1, "a"), file(81919, "a", "b")), "file and of a directory"},
		{multi(file(1, "a", "b"), file(81919, "A")), "file and of a directory"},
		{multi(file(81920, deep...)), "more than 100 components"},
		{multi(file(81920, slices.Repeat([]string{strings.Repeat("d", 250)}, 17)...)), "longer than 4096"},
	} {
		raw := encode(t, c.info)
		tor, err := ParseInfo(raw)
		var typed *Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.why) || tor != nil {
			t.Errorf("%.80q: %v, want %q", raw, err, c.why)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "bad metainfo: ") || strings.ContainsAny(err.Error(), "\n\r\x1b")) {
			t.Errorf("%q is no message", err)
		}
		if _, err2 := Parse(encode(t, dict{"info": c.info})); err2 == nil || err2.Error() != err.Error() {
			t.Errorf("Parse says %v, ParseInfo %v", err2, err)
		}
	}
}

func TestRefusedFile(t *testing.T) {
	good := single(nil)
	for _, c := range []struct {
		in  []byte
		why string
	}{
		{nil, "ends inside"},
		{[]byte("<html>"), "at byte 0"},
		{[]byte("le"), "not a dictionary"},
		{[]byte("de"), "info: missing"},
		{append(encode(t, dict{"info": good}), '\n'), "bytes follow"},
		{[]byte("d4:info" + string(encode(t, good)) + "8:announce1:ae"), "not sorted"},
		{[]byte("d4:info" + string(encode(t, good)) + "4:infodee"), "comes twice"},
		{bytes.Repeat([]byte("l"), 10<<20), "nested too deeply"},
		{make([]byte, MaxSize+1), "more than 67108864"},
		{encode(t, dict{"info": good, "announce": 1}), "announce: it is not a string"},
		{encode(t, dict{"info": good, "announce-list": "http://a"}), "announce-list: it is not a list"},
		{encode(t, dict{"info": good, "announce-list": []any{[]any{1}}}), "announce-list: it is not a string"},
		{encode(t, dict{"info": good, "comment": []any{}}), "comment"},
		{encode(t, dict{"info": good, "creation date": -1}), "creation date: -1 is not in"},
		{encode(t, dict{"info": good, "creation date": "2020"}), "creation date: it is not an integer"},
	} {
		_, err := Parse(c.in)
		var typed *Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%.60q: %v, want %q", c.in, err, c.why)
		}
	}
}

// Hints beyond the limits, or of no use, do not cost the torrent.
func TestHints(t *testing.T) {
	var tiers [][]string
	var seeds []string
	var nodes []any
	for i := range 100 {
		u := "http://t/" + strings.Repeat("x", i)
		tiers = append(tiers, []string{"", u, "http://bad url", strings.Repeat("u", MaxURL+1), u + "?2"})
		seeds = append(seeds, u)
		nodes = append(nodes, []any{"h", 0}, []any{"h"}, "h", []any{"h", 1 + i})
	}
	in := encode(t, dict{
		"info": single(nil), "announce": "a\r\nb", "announce-list": tiers, "url-list": seeds, "nodes": nodes,
	})
	got, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(slices.Concat(got.AnnounceList...)); n != MaxTrackers || got.AnnounceList[15][1] != tiers[15][4] {
		t.Errorf("%d trackers: %q", n, got.AnnounceList)
	}
	if got.Announce != "" || len(got.URLList) != MaxWebSeeds || len(got.Nodes) != MaxNodes {
		t.Errorf("announce %q, %d web seeds, %d nodes", got.Announce, len(got.URLList), len(got.Nodes))
	}
}

func TestTrackers(t *testing.T) {
	for _, c := range []struct {
		announce string
		list     any
		want     [][]string
	}{
		{"", nil, nil},
		{"http://a", nil, [][]string{{"http://a"}}},
		{"http://a", []any{[]any{}, []string{""}}, [][]string{{"http://a"}}},
		{"http://a", [][]string{{"http://b", "http://b", "http://c"}, {"http://b"}, {"http://d"}}, [][]string{{"http://b", "http://c"}, {"http://d"}}},
		{"", []string{"http://b", "http://c"}, [][]string{{"http://b"}, {"http://c"}}},
	} {
		d := dict{"info": single(nil), "announce": c.announce}
		if c.list != nil {
			d["announce-list"] = c.list
		}
		tor, err := Parse(encode(t, d))
		if err != nil || !reflect.DeepEqual(tor.Trackers(), c.want) {
			t.Errorf("%q and %v: %v, %q", c.announce, c.list, err, tor.Trackers())
		}
	}
}

// A file that ends in a promise of 2 GiB, or is all nesting, costs no memory.
func TestParseBoundsMemory(t *testing.T) {
	for _, in := range [][]byte{
		[]byte("d4:infod6:pieces2147483647:"),
		bytes.Repeat([]byte("l"), 10<<20),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse(in)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 64<<10 {
			t.Errorf("%.30q: %v, %d bytes allocated", in, err, grown)
		}
	}
}

func TestParseHash(t *testing.T) {
	const hexDigits = "05cf7e478e3f2f025bb72b7d3dc54929db1bd1c8"
	want := Hash([]byte(unhexString(t, hexDigits)))
	for _, s := range []string{hexDigits, strings.ToUpper(hexDigits), "AXHX4R4OH4XQEW5XFN6T3RKJFHNRXUOI", "axhx4r4oh4xqew5xfn6t3rkjfhnrxuoi"} {
		if h, err := ParseHash(s); err != nil || h != want {
			t.Errorf("%s: %v, %v", s, h, err)
		}
	}
	for _, s := range []string{"", hexDigits[1:], hexDigits[1:] + "g", strings.Repeat("1", 32), hexDigits + "00", strings.Repeat("A", 31) + "="} {
		if h, err := ParseHash(s); err == nil || h != (Hash{}) {
			t.Errorf("%q: %v, %v", s, h, err)
		}
	}
}
