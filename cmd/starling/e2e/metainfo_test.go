//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// need skips a trial where a program of another package is missing. Under CI,
// which installs it, that is a failure.
func need(t *testing.T, have func() error, pkg string) {
	t.Helper()
	if err := have(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the Debian package %s is missing: %v", pkg, err)
		}
		t.Skipf("the Debian package %s is not installed: %v", pkg, err)
	}
}

func needProgram(t *testing.T, name, pkg string) {
	t.Helper()
	need(t, func() error { _, err := exec.LookPath(name); return err }, pkg)
}

// python has Debian's modules, which another Python of the PATH may lack.
const python = "/usr/bin/python3"

func needLibtorrent(t *testing.T) {
	t.Helper()
	need(t, func() error { return exec.Command(python, "-c", "import libtorrent").Run() }, "python3-libtorrent")
}

// say runs a program in dir and returns what it wrote to stdout.
func say(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC", "HOME="+dir)
	var errs bytes.Buffer
	cmd.Stderr = &errs

	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errs.Bytes())
	}
	return string(out)
}

// metaDoc is what `starling inspect --json` says, and in other words what
// libtorrent does.
type metaDoc struct {
	Name       string     `json:"name"`
	InfoHash   string     `json:"infohash"`
	InfoHashV2 string     `json:"infohash_v2"`
	Format     string     `json:"format"`
	PieceSize  int64      `json:"piece_size"`
	Pieces     int        `json:"pieces"`
	Private    bool       `json:"private"`
	Trackers   [][]string `json:"trackers"`
	WebSeeds   []string   `json:"webseeds"`
	Comment    string     `json:"comment"`
	CreatedBy  string     `json:"created_by"`
	Created    string     `json:"created"`
	Files      []metaFile `json:"files"`
	Padding    *struct{}  `json:"padding"`
	Magnet     string     `json:"magnet"`

	// What only libtorrent says.
	Valid  bool   `json:"valid"`
	V1     string `json:"v1"`
	V2     string `json:"v2"`
	Padded bool   `json:"padded"`
}

type metaFile struct {
	Path       string `json:"path"`
	Length     int64  `json:"length"`
	Exec       bool   `json:"exec"`
	Hidden     bool   `json:"hidden"`
	Symlink    string `json:"symlink"`
	PiecesRoot string `json:"pieces_root"`
}

func inspect(t *testing.T, dir, torrent string) (d metaDoc) {
	t.Helper()
	if err := json.Unmarshal([]byte(say(t, dir, starlingBinary, "inspect", "--json", torrent)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// libtorrentScript is testdata/torrents.py.
func libtorrentScript(t *testing.T) string {
	t.Helper()
	p, err := filepath.Abs("testdata/torrents.py")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// agree holds what we say of torrents against what libtorrent says, and returns
// the former.
func agree(t *testing.T, dir string, torrents ...string) (docs []metaDoc) {
	t.Helper()
	lines := strings.SplitAfter(say(t, dir, python, append([]string{libtorrentScript(t), "show"}, torrents...)...), "\n")
	for i, torrent := range torrents {
		var theirs metaDoc
		if err := json.Unmarshal([]byte(lines[i]), &theirs); err != nil {
			t.Fatal(err)
		}
		ours := inspect(t, dir, torrent)
		docs = append(docs, ours)
		if !theirs.Valid {
			t.Errorf("%s: libtorrent does not take it for valid", torrent)
		}
		if a, b := ours.comparable(), theirs.comparable(); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: we say\n%+v\nlibtorrent says\n%+v", torrent, a, b)
		}
	}
	return docs
}

// comparable is what both programs say, in one form.
func (d metaDoc) comparable() metaDoc {
	if d.Valid { // libtorrent's
		d.InfoHash, d.InfoHashV2, d.Format = d.V1, d.V2, "hybrid"
		switch {
		case d.V2 == "":
			d.Format = "v1"
		case d.V1 == "":
			d.InfoHash, d.Format = d.V2[:40], "v2"
		}
		if d.Padded {
			d.Padding = &struct{}{}
		}
		d.Valid, d.Padded, d.V1, d.V2 = false, false, "", ""
	}
	d.Created, d.Magnet = "", "" // see TestMagnetsAgree for the latter
	if d.Format == "v2" {
		d.Padding = nil // what is a gap to us, libtorrent calls padding
	}
	d.Files = slices.Clone(d.Files)
	for i := range d.Files {
		if d.Files[i].Symlink != "" {
			d.Files[i].Exec = false // the permissions of a link are not its own
		}
	}
	d.Trackers = slices.Clone(d.Trackers)
	for i := range d.Trackers {
		slices.Sort(d.Trackers[i]) // it shuffles a tier
	}
	d.WebSeeds = slices.Clone(d.WebSeeds)
	for i := range d.WebSeeds {
		d.WebSeeds[i] = strings.TrimSuffix(d.WebSeeds[i], "/") // it ends those of directories in a slash
	}
	return d
}

var (
	showField = regexp.MustCompile(`(?m)^  (Name|Hash|Created by|Created on|Comment|Piece Count|Piece Size|Privacy): (.*)$`)
	fraction  = regexp.MustCompile(`\.0+`)
	showLine  = regexp.MustCompile(`(?m)^  ((?:https?|udp)://\S+)$`)
	showFile  = regexp.MustCompile(`(?m)^  (.*) \([0-9.]+ .?B\)$`)
)

// agreeShow holds what we say of a v1 torrent against transmission-show.
func agreeShow(t *testing.T, dir, torrent string, ours metaDoc) {
	t.Helper()
	text := say(t, dir, "transmission-show", torrent)
	theirs := map[string]string{}
	for _, m := range showField.FindAllStringSubmatch(text, -1) {
		theirs[m[1]] = m[2]
	}
	theirs["Piece Size"] = fraction.ReplaceAllString(theirs["Piece Size"], "")
	created := "Unknown"
	if ours.Created != "" {
		at, err := time.Parse(time.RFC3339, ours.Created)
		if err != nil {
			t.Fatal(err)
		}
		created = at.Format(time.ANSIC)
	}
	want := map[string]string{
		"Name": ours.Name, "Hash": ours.InfoHash, "Created by": ours.CreatedBy, "Created on": created,
		"Piece Count": fmt.Sprint(ours.Pieces), "Piece Size": fmt.Sprintf("%d KiB", ours.PieceSize/1024),
		"Privacy": map[bool]string{true: "Private torrent", false: "Public torrent"}[ours.Private],
	}
	if ours.Comment != "" {
		want["Comment"] = ours.Comment
	}
	if !reflect.DeepEqual(theirs, want) {
		t.Errorf("%s: we say\n%q\ntransmission-show says\n%q", torrent, want, theirs)
	}
	var urls, files []string
	for _, m := range showLine.FindAllStringSubmatch(text, -1) {
		urls = append(urls, strings.TrimSuffix(m[1], "/")) // it ends web seeds in a slash
	}
	for _, m := range showFile.FindAllStringSubmatch(text, -1) {
		files = append(files, m[1])
	}
	var wantURLs, wantFiles []string
	for _, u := range append(slices.Concat(ours.Trackers...), ours.WebSeeds...) {
		wantURLs = append(wantURLs, strings.TrimSuffix(u, "/"))
	}
	for _, f := range ours.Files {
		wantFiles = append(wantFiles, f.Path)
	}
	slices.Sort(files)
	slices.Sort(wantFiles)
	if !slices.Equal(urls, wantURLs) || !slices.Equal(files, wantFiles) {
		t.Errorf("%s: we say\n%q %q\ntransmission-show says\n%q %q", torrent, wantURLs, wantFiles, urls, files)
	}
}
