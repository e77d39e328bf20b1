//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// linkDoc is what `starling inspect --json` says of a magnet link, and in other
// words what libtorrent does.
type linkDoc struct {
	Name       string   `json:"name"`
	InfoHash   string   `json:"infohash"`
	InfoHashV2 string   `json:"infohash_v2"`
	Trackers   []string `json:"trackers"`
	WebSeeds   []string `json:"webseeds"`
	Peers      []string `json:"peers"`
	Select     string   `json:"select"`
	Magnet     string   `json:"magnet"`

	// What only libtorrent says.
	V1       string `json:"v1"`
	V2       string `json:"v2"`
	Selected []int  `json:"selected"`
}

// inLibtorrentsWords says of a link of ours what libtorrent would.
func (d linkDoc) inLibtorrentsWords(t *testing.T) linkDoc {
	t.Helper()
	want := linkDoc{Name: d.Name, V1: d.InfoHash, V2: d.InfoHashV2, Trackers: d.Trackers, WebSeeds: d.WebSeeds, Peers: []string{}, Selected: []int{}}
	if strings.HasPrefix(d.InfoHashV2, d.InfoHash) {
		want.V1 = "" // the beginning of the other one
	}
	for _, p := range d.Peers {
		ap, err := netip.ParseAddrPort(p)
		if err != nil {
			t.Fatal(err)
		}
		want.Peers = append(want.Peers, fmt.Sprint(ap.Addr(), " ", ap.Port()))
	}
	for r := range strings.SplitSeq(d.Select, ",") {
		first, last, ranged := strings.Cut(r, "-")
		if first == "" {
			continue
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if !ranged {
			b, errB = a, nil
		}
		if errA != nil || errB != nil {
			t.Fatalf("%q is no selection", d.Select)
		}
		for i := a; i <= b; i++ {
			want.Selected = append(want.Selected, i)
		}
	}
	return want
}

// Magnet links of ours and of libtorrent say the same to both.
func TestMagnetsAgree(t *testing.T) {
	t.Parallel()
	needLibtorrent(t)
	const v1, v2 = "xt=urn:btih:0123456789abcdef0123456789abcdef01234567", "xt=urn:btmh:1220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	links := []string{
		"magnet:?" + v1, "magnet:?" + v2 + "&dn=a%20name%26%C3%A9", "magnet:?" + v2 + "&" + v1,
		"magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH&tr=http%3A%2F%2Fa%2Fa%3Fx%3D1&tr=udp%3A%2F%2Fb%3A1",
		"magnet:?" + v1 + "&ws=http%3A%2F%2Fw%2F&x.pe=10.0.0.1:6881&x.pe=[::1]:2&so=0,2,4-6",
	}
	dir := t.TempDir()
	for i := range links { // and each as we write it
		links = append(links, inspectLink(t, dir, links[i]).Magnet)
	}
	shape(t, dir, "tree")
	var torrents []string
	for _, format := range []string{"v1", "v2", "hybrid"} {
		torrent := format + ".torrent"
		say(t, dir, starlingBinary, "-q", "create", "tree", "--format", format, "-o", torrent, "--tracker", "http://127.0.0.1:1/a?k=v")
		torrents = append(torrents, torrent)
		links = append(links, inspect(t, dir, torrent).Magnet)
	}
	for i, line := range strings.Split(strings.TrimSpace(say(t, dir, python, append([]string{libtorrentScript(t), "link"}, torrents...)...)), "\n") {
		var link string
		if err := json.Unmarshal([]byte(line), &link); err != nil {
			t.Fatal(err)
		}
		ours, theirs := inspect(t, dir, torrents[i]), inspectLink(t, dir, link)
		if ours.InfoHash != theirs.InfoHash || ours.InfoHashV2 != theirs.InfoHashV2 || theirs.Name != "tree" {
			t.Errorf("%s is %s %s, its link by libtorrent says %+v", torrents[i], ours.InfoHash, ours.InfoHashV2, theirs)
		}
		links = append(links, link)
	}
	lines := strings.Split(strings.TrimSpace(say(t, dir, python, append([]string{libtorrentScript(t), "magnet"}, links...)...)), "\n")
	if len(lines) != len(links) {
		t.Fatalf("%d answers for %d links", len(lines), len(links))
	}
	for i, line := range lines {
		var theirs linkDoc
		if err := json.Unmarshal([]byte(line), &theirs); err != nil {
			t.Fatal(err)
		}
		ours := inspectLink(t, dir, links[i])
		slices.Sort(theirs.WebSeeds)
		if want := ours.inLibtorrentsWords(t); !reflect.DeepEqual(theirs, want) {
			t.Errorf("%s: we say\n%+v\nlibtorrent says\n%+v", links[i], want, theirs)
		}
		// What we write again of it means the same to us.
		again := inspectLink(t, dir, ours.Magnet)
		if !reflect.DeepEqual(again, ours) {
			t.Errorf("%s: we say\n%+v\nof %s\n%+v", links[i], ours, ours.Magnet, again)
		}
	}
}

func inspectLink(t *testing.T, dir, link string) (d linkDoc) {
	t.Helper()
	if err := json.Unmarshal([]byte(say(t, dir, starlingBinary, "inspect", "--json", link)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// The files that a link names by number (BEP 53) are those that libtorrent counts, in
// torrents of each format.
func TestSelectionsAgree(t *testing.T) {
	t.Parallel()
	needLibtorrent(t)
	dir := t.TempDir()
	shape(t, dir, "tree")
	for _, format := range []string{"v1", "v2", "hybrid"} {
		torrent := filepath.Join(dir, format+".torrent")
		say(t, dir, starlingBinary, "-q", "create", "tree", "--format", format, "-o", torrent, "--piece-size", "32KiB")
		var theirs []string // a path for each number, "" for padding
		if err := json.Unmarshal([]byte(say(t, dir, python, libtorrentScript(t), "count", torrent)), &theirs); err != nil {
			t.Fatal(err)
		}
		seed := start(t, "seed-"+format, "seed", torrent, "--data", dir, "--listen", "127.0.0.1:0")
		at := seed.ready()["peer"]
		link := inspect(t, dir, torrent).Magnet + "&x.pe=" + at + "&so="
		for _, so := range selections(len(theirs)) {
			want := []string{}
			for i := so[0]; i <= so[1]; i++ {
				if theirs[i] != "" {
					want = append(want, theirs[i])
				}
			}
			if len(want) == 0 {
				continue // starling takes it for a mistake
			}
			var got metaDoc
			out := say(t, dir, starlingBinary, "-q", "--json", "leech", fmt.Sprintf("%s%d-%d", link, so[0], so[1]), "--dry-run", "--listen", "127.0.0.1:0")
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			paths := []string{}
			for _, f := range got.Files {
				paths = append(paths, f.Path)
			}
			if !slices.Equal(paths, want) {
				t.Errorf("%s: so=%d-%d: %q, of libtorrent %q", format, so[0], so[1], paths, want)
			}
		}
	}
}

// selections are each number alone, and two ranges.
func selections(n int) [][2]int {
	list := [][2]int{{0, n / 2}, {n / 2, n - 1}}
	for i := range n {
		list = append(list, [2]int{i, i})
	}
	return list
}
