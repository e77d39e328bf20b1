//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// interopPiece is the piece length of the torrents here.
const interopPiece = 64 << 10

// shapes are the contents of the torrents here: files below a directory, or one
// file where the path is "".
var shapes = map[string]map[string]int{
	"tree": {
		"empty": 0, "one": 1, "exact": interopPiece, "a/more": interopPiece + 1, "a/less": interopPiece - 1,
		"a/b/c/d/e/f/g/h/i/j/k/deep": 300_001, "ü/文件.bin": 16 << 10, "z/void": 0, "run.sh": 20_000,
	},
	"lone":   {"only": 100_000},
	"byte":   {"": 1},
	"piece":  {"": interopPiece},
	"larger": {"": 5*interopPiece + 3},
	"run.sh": {"": 100},
}

// shape writes the content called name into dir.
func shape(t *testing.T, dir, name string) {
	t.Helper()
	files := shapes[name]
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	rng := rand.NewChaCha8([32]byte{1})
	for _, p := range paths {
		b := make([]byte, files[p])
		rng.Read(b)
		at := filepath.Join(dir, name, p)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if filepath.Ext(at) == ".sh" {
			mode = 0o755
		}
		if err := os.WriteFile(at, b, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func shapeNames() []string {
	var names []string
	for name := range shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Torrents that mktorrent, transmission-create and libtorrent made: we say of them
// what libtorrent says, and of those of v1 what transmission-show does.
func TestInspectAgrees(t *testing.T) {
	t.Parallel()
	needProgram(t, "mktorrent", "mktorrent")
	needProgram(t, "transmission-create", "transmission-cli")
	needLibtorrent(t)
	dir := t.TempDir()
	var torrents, make []string
	for _, name := range shapeNames() {
		shape(t, dir, name)
		add := func(kind string) string {
			torrents = append(torrents, name+"-"+kind+".torrent")
			return torrents[len(torrents)-1]
		}
		say(t, dir, "mktorrent", "-a", "http://127.0.0.1:1/a,http://127.0.0.1:2/a", "-a", "udp://127.0.0.1:3", "-w", "http://127.0.0.1:4/w",
			"-p", "-l", "16", "-c", "a cömment", "-o", add("mktorrent"), name)
		say(t, dir, "mktorrent", "-a", "http://127.0.0.1:1/a", "-d", "-l", "18", "-n", "named ü", "-o", add("named"), name)
		say(t, dir, "transmission-create", "-p", "-t", "http://127.0.0.1:1/a", "-t", "udp://127.0.0.1:2", "-s", "64", "-c", "hi", "-o", add("transmission"), name)
		for _, kind := range []string{"v1", "v2", "hybrid", "links"} {
			make = append(make, kind, fmt.Sprint(interopPiece), name, add(kind))
		}
	}
	say(t, dir, python, append([]string{libtorrentScript(t), "make"}, make...)...)
	for i, d := range agree(t, dir, torrents...) {
		kind := torrents[i][strings.Index(torrents[i], "-")+1 : len(torrents[i])-len(".torrent")]
		want := map[string]string{"v2": "v2", "hybrid": "hybrid", "links": "hybrid"}[kind]
		if want == "" {
			want = "v1"
			agreeShow(t, dir, torrents[i], d)
		}
		if d.Format != want {
			t.Errorf("%s: %s", torrents[i], d.Format)
		}
	}
}

// Torrents of ours, in all formats: libtorrent reads in them what we do, and finds
// the content right; those of v2 and hybrids have its own infohashes.
func TestCreateIsAccepted(t *testing.T) {
	t.Parallel()
	needProgram(t, "transmission-show", "transmission-cli")
	needLibtorrent(t)
	dir, bad := t.TempDir(), t.TempDir()
	var torrents, theirs, make, check []string
	create := func(path, format, torrent string, args ...string) {
		say(t, dir, starlingBinary, append([]string{"-q", "create", path, "--format", format, "-o", torrent, "--piece-size", fmt.Sprint(interopPiece)}, args...)...)
		torrents = append(torrents, torrent)
	}
	for _, name := range shapeNames() {
		shape(t, dir, name)
		for _, format := range []string{"v1", "v2", "hybrid"} {
			if name == "lone" && format == "v2" {
				continue // refused: it would be another layout
			}
			torrent := name + "-" + format + ".torrent"
			create(name, format, torrent, "--tracker", "http://127.0.0.1:1/a", "--tracker", "udp://127.0.0.1:1", "--webseed", "http://127.0.0.1:1/w/", "--comment", "ö")
			check = append(check, torrent, dir)
			if format != "v1" {
				theirs = append(theirs, torrent)
				make = append(make, format, fmt.Sprint(interopPiece), name, "theirs-"+torrent)
			}
		}
	}
	say(t, dir, python, append([]string{libtorrentScript(t), "make"}, make...)...)
	if err := os.Symlink("../one", filepath.Join(dir, "tree", "a", "link")); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"v1", "v2", "hybrid"} {
		create("tree", format, "linked-"+format+".torrent")
		check = append(check, "linked-"+format+".torrent", dir)
	}
	good := len(check) / 2
	// Content that is not what it was.
	if err := os.WriteFile(filepath.Join(bad, "larger"), []byte(strings.Repeat("x", 5*interopPiece+3)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"v1", "v2", "hybrid"} {
		// Private, it is another torrent than the one above.
		create("larger", format, "bad-"+format+".torrent", "--private")
		check = append(check, "bad-"+format+".torrent", bad)
	}
	docs := agree(t, dir, torrents...)
	for i, d := range docs {
		if !strings.HasSuffix(torrents[i], "-"+d.Format+".torrent") {
			t.Errorf("%s is of format %s", torrents[i], d.Format)
		}
		linked := slices.ContainsFunc(d.Files, func(f metaFile) bool { return f.Path == "tree/a/link" && f.Symlink == "tree/one" })
		if linked != strings.HasPrefix(torrents[i], "linked-") {
			t.Errorf("%s: %+v", torrents[i], d.Files)
		}
		if d.Format == "v1" {
			agreeShow(t, dir, torrents[i], d)
		}
	}
	for _, torrent := range theirs {
		a, b := docs[slices.Index(torrents, torrent)], inspect(t, dir, "theirs-"+torrent)
		if a.InfoHash != b.InfoHash || a.InfoHashV2 != b.InfoHashV2 {
			t.Errorf("%s: %s %s, of libtorrent %s %s", torrent, a.InfoHash, a.InfoHashV2, b.InfoHash, b.InfoHashV2)
		}
	}
	lines := strings.Split(strings.TrimSpace(say(t, dir, python, append([]string{libtorrentScript(t), "check"}, check...)...)), "\n")
	if len(lines) != len(check)/2 {
		t.Fatalf("%d answers for %d torrents", len(lines), len(check)/2)
	}
	for i, line := range lines {
		var d struct {
			Seeding bool
			Error   string
		}
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		if d.Seeding != (i < good) || d.Error != "" {
			t.Errorf("libtorrent checks %s in %s: %s", check[2*i], check[2*i+1], line)
		}
	}
}
