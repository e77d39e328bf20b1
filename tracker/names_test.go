package tracker

import (
	"net/url"
	"slices"
	"testing"

	"starling/metainfo"
	"starling/tracker/fleet"
)

// TestNamed: a swarm is found by the name of its torrent's file, by each of them if there
// are several, and by what the torrent calls itself where no file is called so.
func TestNamed(t *testing.T) {
	srv := start(t, DefaultConfig(), nil)
	hashes := map[string]string{}
	for name, title := range map[string]string{"v1": "model", "v2": "other model", "again": "model", "model 2": "twice", "twin": "twice", "other model": "yet another"} {
		raw := torrentFile(title)
		if name == "twin" { // another torrent that calls itself the same
			raw = torrentFile("twice")
			raw = append(raw[:len(raw)-2], "7:privatei1eee"...)
		}
		if err := srv.Torrents().Add(name, raw); err != nil {
			t.Fatal(err)
		}
		m, err := metainfo.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		hashes[name] = m.WireHash().String()
	}
	for name, want := range map[string][]string{
		"v1": {"v1"}, "again": {"again"}, "model": {"v1"}, "other model": {"other model"}, "v2": {"v2"}, "model 2": {"model 2"}, "twice": {"model 2", "twin"},
		"nobody": nil, "mode": nil, hashes["v1"]: nil,
	} {
		list := api[fleet.Swarms](t, srv.addr, "swarms?name="+url.QueryEscape(name))
		var got, expected []string
		for _, s := range list.Swarms {
			got = append(got, s.InfoHash)
			if s.Name != name && s.Title != name {
				t.Errorf("%q: found one that is called %q and %q", name, s.Name, s.Title)
			}
		}
		for _, w := range want {
			expected = append(expected, hashes[w])
		}
		slices.Sort(expected)
		if !slices.Equal(got, expected) || list.Total != len(want) || list.Swarms == nil {
			t.Errorf("%q: %q of %d, want %q", name, got, list.Total, expected)
		}
	}
	if list := api[fleet.Swarms](t, srv.addr, "swarms?name=twice&limit=1&offset=1"); list.Total != 2 || len(list.Swarms) != 1 {
		t.Errorf("the second of two: %+v", list)
	}
}

// TestOrderOfSwarms: lists have swarms and torrents in the order of names, those that have
// none last.
func TestOrderOfSwarms(t *testing.T) {
	srv := start(t, DefaultConfig(), nil)
	get(t, srv.addr, announcePath(hash1, 1, "&left=0"))
	for _, name := range []string{"model-10", "model-9", "model-100"} {
		if err := srv.Torrents().Add(name, torrentFile(name)); err != nil {
			t.Fatal(err)
		}
	}
	var swarms, torrents []string
	for _, s := range api[fleet.Swarms](t, srv.addr, "swarms").Swarms {
		swarms = append(swarms, s.Name)
	}
	for _, e := range api[[]listed](t, srv.addr, "torrents") {
		torrents = append(torrents, e.Name)
	}
	want := []string{"model-9", "model-10", "model-100", ""}
	if !slices.Equal(swarms, want) || !slices.Equal(torrents, want[:3]) {
		t.Errorf("swarms %q, torrents %q", swarms, torrents)
	}
}
