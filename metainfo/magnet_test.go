package metainfo

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const (
	v1Hex = "05cf7e478e3f2f025bb72b7d3dc54929db1bd1c8"
	v2Hex = "02cc9dc1fb5a81291b41e80a71f924127b3d9d105dbf6703462df479050e9d8a"
	link  = "magnet:?xt=urn:btih:" + v1Hex
)

func TestMagnet(t *testing.T) {
	v1 := Hash([]byte(unhexString(t, v1Hex)))
	v2 := HashV2([]byte(unhexString(t, v2Hex)))
	for _, c := range []struct {
		in   string
		want Magnet
	}{
		{link, Magnet{InfoHash: v1}},
		{"MAGNET:?xt=URN:BTIH:" + strings.ToUpper(v1Hex), Magnet{InfoHash: v1}},
		{"magnet:?xt=urn:btih:axhx4r4oh4xqew5xfn6t3rkjfhnrxuoi", Magnet{InfoHash: v1}},
		{"magnet:?xt=urn:btmh:1220" + v2Hex, Magnet{V2: v2}},
		{link + "&xt=urn:btmh:1220" + strings.ToUpper(v2Hex) + "&xt=urn:ed2k:31", Magnet{InfoHash: v1, V2: v2}},
		{"magnet:?xt.1=urn%3Abtih%3A" + v1Hex + "&xt.2=urn:btih:" + v1Hex, Magnet{InfoHash: v1}},
		{link + "&dn=a+b%20c%2B&dn=", Magnet{InfoHash: v1, Name: "a b c+"}},
		{
			link + "&tr=http%3A%2F%2Ft%2Fa%3Fk%3Da%2Bb+c&tr.1=udp://t:1&tr=&tr=a%0Ab&ws=http://w/&xs=x&&=&foo",
			Magnet{InfoHash: v1, Trackers: []string{"http://t/a?k=a+b+c", "udp://t:1"}, WebSeeds: []string{"http://w/"}},
		},
		{
			link + "&x.pe=10.0.0.1:6881&x.pe=[::1]:1&x.pe=host-1.example:2&x.pe=%5B%3A%3A2%5D:3" +
				"&x.pe=host&x.pe=:1&x.pe=h:0&x.pe=h:65536&x.pe=[::1]&x.pe=a/b:1&x.pe=1.2.3.4:0&x.pe=h:1:2&x.pe=[fe80::1%25eth0]:1",
			Magnet{InfoHash: v1, Peers: []string{"10.0.0.1:6881", "[::1]:1", "host-1.example:2", "[::2]:3"}},
		},
		{link + "&so=0,2,4,6-8", Magnet{InfoHash: v1, Select: []Range{{0, 0}, {2, 2}, {4, 4}, {6, 8}}}},
		{link + "&so=", Magnet{InfoHash: v1}},
	} {
		got, err := ParseMagnet(c.in)
		if err != nil || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", c.in, err, got, c.want)
			continue
		}
		if again, err := ParseMagnet(got.String()); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s again: %v, %+v", got, err, again)
		}
	}
}

func TestMagnetString(t *testing.T) {
	m := Magnet{
		InfoHash: Hash([]byte(unhexString(t, v1Hex))), Name: "a b&é", Trackers: []string{"http://t/?a=1+2"},
		Peers: []string{"[::1]:2"}, Select: []Range{{1, 1}, {3, 4}},
	}
	want := link + "&dn=a%20b%26%C3%A9&tr=http%3A%2F%2Ft%2F%3Fa%3D1%2B2&x.pe=[::1]:2&so=1,3-4"
	if got := m.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMagnetOfTorrent(t *testing.T) {
	tor, err := Parse(encode(t, dict{
		"info": single(nil), "announce": "http://x", "announce-list": [][]string{{"http://a", "http://b"}, {"http://a"}}, "url-list": "http://w",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := &Magnet{InfoHash: tor.InfoHash, Name: "a.bin", Trackers: []string{"http://a", "http://b"}, WebSeeds: []string{"http://w"}}
	if got := tor.Magnet(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestMagnetLimits(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "&tr=http://%d&ws=http://%d&x.pe=h:%d", i, i, i+1)
	}
	m, err := ParseMagnet(link + b.String())
	if err != nil || len(m.Trackers) != MaxTrackers || len(m.WebSeeds) != MaxWebSeeds || len(m.Peers) != MaxMagnetPeers {
		t.Errorf("%v, %+v", err, m)
	}
	if _, err := ParseMagnet(link + "&x=" + strings.Repeat("a", MaxMagnet-len(link)-3)); err != nil {
		t.Errorf("of the greatest length: %v", err)
	}
}

func TestRefusedMagnet(t *testing.T) {
	for in, why := range map[string]string{
		"":                             "begin with",
		"magnet:":                      "begin with",
		"http://a/b.torrent":           "begin with",
		"magnet:?":                     "no infohash",
		"magnet:?dn=a&tr=http://a":     "no infohash",
		"magnet:?xt=urn:sha1:" + v1Hex: "no infohash",
		"magnet:?xt=urn:btih:":         "neither 40",
		link + "0":                     "neither 40",
		"magnet:?xt=urn:btih:" + strings.Repeat("g", 40):                                   "alphabet",
		"magnet:?xt=urn:btih:" + strings.Repeat("0", 40):                                   "zero",
		link + "&xt=urn:btih:" + strings.Repeat("1", 40):                                   "two infohashes",
		"magnet:?xt=urn:btmh:" + v2Hex:                                                     "multihash",
		"magnet:?xt=urn:btmh:1220" + v2Hex[2:]:                                             "multihash",
		"magnet:?xt=urn:btmh:1220" + strings.Repeat("g", 64):                               "multihash",
		"magnet:?xt=urn:btmh:1220" + v2Hex + "&xt=urn:btmh:1220" + strings.Repeat("1", 64): "two infohashes",
		"magnet:?xt=urn:btmh:1220" + strings.Repeat("0", 64):                               "zero",
		link + "&dn=..%2Fa":        "separator",
		link + "&dn=a%00":          "control",
		link + "&dn=%ff":           "UTF-8",
		link + "&tr=%":             "%",
		link + "&tr=%2":            "%",
		link + "&tr=%zz":           "%",
		link + "&so=1-":            "file index",
		link + "&so=-1":            "file index",
		link + "&so=2-1":           "file index",
		link + "&so=1,,2":          "file index",
		link + "&so=0-99999999999": "file index",
		link + "&so=" + strings.Repeat("1,", MaxRanges) + "1": "ranges",
		link + "&x=" + strings.Repeat("a", MaxMagnet):         "more than 8192",
	} {
		_, err := ParseMagnet(in)
		var typed *Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), why) || !strings.HasPrefix(err.Error(), "bad magnet link: ") {
			t.Errorf("%.80s: %v, want %q", in, err, why)
		}
	}
}

func FuzzMagnet(f *testing.F) {
	for _, s := range []string{
		link + "&dn=a+b&tr=http%3A%2F%2Ft&x.pe=[::1]:1&so=0,2-4&ws=http://w",
		"magnet:?xt=urn:btmh:1220" + v2Hex, link + "&tr.1=%zz", "magnet:?&&&=", link + "&so=1-0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMagnet(s)
		if err != nil {
			return
		}
		if m.Name != "" && CheckComponent(m.Name) != nil {
			t.Errorf("name %q", m.Name)
		}
		out := m.String()
		if len(out) > MaxMagnet {
			return // escaping is longer than what was not escaped
		}
		if again, err := ParseMagnet(out); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%q: again %v\n%+v\n%+v", s, err, m, again)
		}
	})
}
