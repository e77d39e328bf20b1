package metainfo

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"starling/internal/benc"
)

func put(t *testing.T, target, name string, in []byte) {
	dir := "testdata/fuzz/" + target
	os.MkdirAll(dir, 0o755)
	if err := os.WriteFile(dir+"/"+name, fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", in), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestGen(t *testing.T) {
	deep := dict{"f": leaf2(nil)}
	for range 96 {
		deep = dict{"d": deep}
	}
	link := func(target ...string) dict {
		return dict{"": dict{"attr": "l", "symlink path": target}}
	}
	many := func(files []any, tree dict) dict { return hybrid2(dict{"length": nil, "files": files}, tree) }
	tor := build(t, V2, "a.bin", []File{{Length: 81920}}, 32768)
	root := string(tor.Info.Files[0].PiecesRoot[:])
	layer := string(tor.PieceLayers[tor.Info.Files[0].PiecesRoot])
	wrong := "x" + layer[1:]
	info := benc.Value(tor.InfoBytes)
	bomb := []byte("d4:infod9:file tree")
	for range 80 {
		bomb = append(bomb, "d40:"+strings.Repeat("n", 40)...)
	}
	bomb = append(bomb, 'd')
	for i := range 400 {
		bomb = append(bomb, fmt.Sprintf("3:%03dd0:d6:lengthi0eee", i)...)
	}
	bomb = append(bomb, strings.Repeat("e", 81)...)
	bomb = append(bomb, "12:meta versioni2e4:name1:n12:piece lengthi16384eee"...)
	for name, d := range map[string]any{
		"newer_version":       single(dict{"meta version": 3}),
		"deep_tree":           tree2(deep),
		"file_at_top":         tree2(leaf2(nil)),
		"file_and_directory":  tree2(dict{"a": dict{"": dict{"length": 1, "pieces root": strings.Repeat("r", 32)}, "b": leaf2(nil)}}),
		"tree_of_numbers":     tree2(dict{"a": 1}),
		"leaf_of_number":      tree2(dict{"a": dict{"": 1}}),
		"padding_in_tree":     tree2(dict{"a": leaf2(dict{"attr": "p"})}),
		"root_short":          tree2(dict{"a": leaf2(dict{"pieces root": "r"})}),
		"root_zero":           tree2(dict{"a": leaf2(dict{"pieces root": strings.Repeat("\x00", 32)})}),
		"root_of_nothing":     tree2(dict{"a": leaf2(dict{"length": 0}), "b": leaf2(nil)}),
		"length_below_zero":   tree2(dict{"a": leaf2(dict{"length": -1})}),
		"length_overflow":     tree2(dict{"a": leaf2(dict{"length": int64(1)<<63 - 1}), "b": leaf2(dict{"length": int64(1)<<63 - 1})}),
		"parent_directory":    tree2(dict{"..": dict{"a": leaf2(nil)}}),
		"separator":           tree2(dict{"a/../../b": leaf2(nil)}),
		"same_in_other_case":  tree2(dict{"a": leaf2(nil), "A": leaf2(nil)}),
		"link_outside":        tree2(dict{"a": leaf2(nil), "l": link("..", "..", "etc", "passwd")}),
		"link_absolute":       tree2(dict{"a": leaf2(nil), "l": link("/etc/passwd")}),
		"link_nowhere":        tree2(dict{"a": leaf2(nil), "l": link()}),
		"link_with_content":   tree2(dict{"l": leaf2(dict{"attr": "l", "symlink path": []string{"a"}})}),
		"below_a_link":        many([]any{file(81_920, "l", "a"), dict{"attr": "l", "length": 0, "path": []string{"l"}, "symlink path": []string{"x"}}}, dict{"l": dict{"a": big(nil)}}),
		"hybrid_other_length": hybrid2(nil, dict{"a.bin": leaf2(nil)}),
		"hybrid_other_name":   hybrid2(nil, dict{"b": big(nil)}),
		"hybrid_unaligned":    many([]any{file(20_000, "a"), file(61_920, "b")}, dict{"a": leaf2(nil), "b": leaf2(dict{"length": 61_920})}),
		"hybrid_order":        many([]any{file(40_000, "b"), dict{"length": 25_536, "attr": "p"}, file(10_000, "a")}, dict{"a": leaf2(dict{"length": 10_000}), "b": leaf2(dict{"length": 40_000})}),
		"hybrid_more_in_v2":   hybrid2(nil, dict{"a.bin": big(nil), "b": leaf2(nil)}),
		"hybrid_long_padding": many([]any{file(20_000, "a"), dict{"length": 61_920, "attr": "p"}}, dict{"a": leaf2(nil)}),
		"no_pieces":           single(dict{"meta version": 2, "pieces": nil, "file tree": dict{"a.bin": big(nil)}}),
	} {
		put(t, "FuzzParseV2", name, encode(t, dict{"info": d}))
	}
	for name, layers := range map[string]any{
		"layer_missing": dict{}, "layers_of_string": "x", "layer_of_number": dict{root: 1}, "layer_key_short": dict{root[1:]: layer},
		"layer_short": dict{root: layer[1:]}, "layer_long": dict{root: layer + layer}, "layer_wrong": dict{root: wrong},
		"layer_of_another": dict{strings.Repeat("r", 32): layer},
	} {
		put(t, "FuzzParseV2", name, encode(t, dict{"info": info, "piece layers": layers}))
	}
	two := tree2(dict{"a": leaf2(dict{"length": 81920, "pieces root": root}), "b": leaf2(dict{"length": 40_000, "pieces root": root})})
	put(t, "FuzzParseV2", "layer_shared", encode(t, dict{"info": two, "piece layers": dict{root: layer}}))
	put(t, "FuzzParseV2", "path_bomb", bomb)
	put(t, "FuzzParseV2", "cut_in_tree", encode(t, dict{"info": tree2(dict{"a": leaf2(nil)})})[:40])

	for name, d := range map[string]any{
		"link_outside":   multi(file(81_920, "a"), dict{"attr": "l", "length": 0, "path": []string{"l"}, "symlink path": []string{"..", "x"}}),
		"link_to_number": multi(file(81_920, "a"), dict{"attr": "l", "path": []string{"l"}, "symlink path": []any{1}}),
		"below_a_link":   multi(file(81_920, "l", "a"), dict{"attr": "l", "path": []string{"l"}, "symlink path": []string{"x"}}),
		"link_and_pad":   multi(file(81_919, "a"), dict{"attr": "lp", "length": 1, "path": []string{"l"}, "symlink path": []string{"x"}}),
		"pads_differ":    multi(dict{"attr": "p", "length": 1, "path": []string{"p"}}, dict{"attr": "p", "length": 81_919, "path": []string{"p"}}),
	} {
		put(t, "FuzzParse", name, encode(t, dict{"info": d}))
	}
	btmh := "magnet:?xt=urn:btmh:1220" + v2Hex
	for name, s := range map[string]string{
		"v2_zero": "magnet:?xt=urn:btmh:1220" + strings.Repeat("0", 64), "v2_sha1": "magnet:?xt=urn:btmh:1114" + v1Hex, "v2_short": btmh[:len(btmh)-2],
		"v2_twice": btmh + "&xt=urn:btmh:1220" + strings.Repeat("1", 64), "v2_base32": "magnet:?xt=urn:btmh:CIQ" + strings.Repeat("A", 50),
		"select_backwards": btmh + "&so=5-4", "select_huge": btmh + "&so=0-99999999999999999999", "select_empty_item": btmh + "&so=1,,2", "select_negative": btmh + "&so=-1",
		"name_up": btmh + "&dn=%2e%2e%2f%2e%2e", "name_bidi": btmh + "&dn=a%e2%80%aeb", "tracker_newline": btmh + "&tr=http%3A%2F%2Fa%0d%0aX%3A%20y",
		"peer_port_0": btmh + "&x.pe=1.2.3.4:0&x.pe=[::]:65536&x.pe=:1&x.pe=a:b:1", "numbered": "magnet:?xt.1=urn:btih:" + v1Hex + "&xt.99999999999999999999=urn:btmh:1220" + v2Hex,
		"case": "MAGNET:?XT=URN:BTIH:" + v1Hex, "fragment": btmh + "#&dn=x", "many_xt": "magnet:?" + strings.Repeat("xt=urn:btih:"+v1Hex+"&", 100),
	} {
		if err := os.WriteFile("testdata/fuzz/FuzzMagnet/"+name, fmt.Appendf(nil, "go test fuzz v1\nstring(%q)\n", s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
