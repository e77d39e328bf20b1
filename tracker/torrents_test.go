package tracker

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"starling/metainfo"
)

func TestTorrents(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Swarm.Open = false
	s := start(t, cfg, nil)
	name := `a "b"/../ü?#%2F.iso`
	if err := s.Torrents().Add(name, torrentFile("x")); err == nil {
		t.Error("a slash in a name is accepted")
	}
	name = strings.ReplaceAll(name, "/", "_")
	raw := torrentFile("x")
	for range 2 {
		if err := s.Torrents().Add(name, raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Torrents().Add(name, torrentFile("y")); !errors.Is(err, ErrNameTaken) {
		t.Errorf("another torrent under the same name: %v", err)
	}
	if err := s.Torrents().Add("bad", []byte("de")); err == nil {
		t.Error("what is no torrent is accepted")
	}
	if status, b := get(t, s.addr, TorrentURLPath(name)); status != 200 || !bytes.Equal(b, raw) {
		t.Errorf("%s: %d, %d bytes", TorrentURLPath(name), status, len(b))
	}
	m, err := metainfo.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	hash := ""
	for _, c := range m.InfoHash {
		hash += "%" + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15])
	}
	if _, b := get(t, s.addr, announcePath(hash, 1, "&left=0")); field(t, b, "complete") != "1" {
		t.Errorf("announce of a registered torrent: %q", b)
	}
	_, b := get(t, s.addr, "/api/v1/torrents")
	var list []listed
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	want := listed{Name: name, InfoHash: m.InfoHash.String(), Size: 5, Pieces: 1, Complete: 1, Path: TorrentURLPath(name)}
	if len(list) != 1 || list[0] != want {
		t.Errorf("list %+v, want %+v", list, want)
	}
	s.Torrents().Remove(name)
	if status, _ := get(t, s.addr, TorrentURLPath(name)); status != http.StatusNotFound {
		t.Errorf("removed: %d", status)
	}
	for _, path := range []string{"/torrents/..%2F..%2Fetc%2Fpasswd.torrent", "/torrents/%zz.torrent", "/torrents/.torrent"} {
		c := dialRaw(t, s.addr)
		c.send(t, plainGET(path))
		if resp, _ := c.reply(t); resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

func TestTorrentsFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte, age time.Duration) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	write("one.torrent", torrentFile("one"), time.Hour)
	write("two.torrent", torrentFile("two"), time.Hour)
	write("bad.torrent", []byte("nonsense"), time.Hour)
	write("other.txt", torrentFile("other"), time.Hour)
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link.torrent")); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.TorrentsDir = dir
	s := start(t, cfg, nil)
	names := func() (all string) {
		for _, l := range s.Torrents().list() {
			all += l.Name + "=" + l.InfoHash[:4] + " "
		}
		return all
	}
	before := names()
	if strings.Count(before, "=") != 2 {
		t.Fatalf("%q", before)
	}
	if status, b := get(t, s.addr, "/torrents/two.torrent"); status != 200 || !bytes.Equal(b, torrentFile("two")) {
		t.Errorf("two.torrent: %d", status)
	}
	var log bytes.Buffer
	rescan := func() {
		t.Helper()
		if err := s.torrents.scan(dir, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
	}
	rescan()
	if got := names(); got != before || log.Len() > 0 {
		t.Errorf("nothing changed, but %q became %q, and the log says %q", before, got, log.String())
	}
	write("one.torrent", torrentFile("new one"), time.Minute)
	write("bad.torrent", torrentFile("better"), time.Minute)
	if err := os.Remove(filepath.Join(dir, "two.torrent")); err != nil {
		t.Fatal(err)
	}
	rescan()
	if got := names(); strings.Count(got, "=") != 2 || strings.Contains(got, "two=") || strings.Contains(before, got[strings.Index(got, "one="):][:8]) {
		t.Errorf("%q became %q", before, got)
	}
}

// TestTorrentFormats has peers announce a torrent under all the infohashes that it
// has, and under none once it is gone.
func TestTorrentFormats(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Swarm.Open = false
	for format, swarms := range map[metainfo.Format]int{metainfo.V1: 1, metainfo.V2: 1, metainfo.Hybrid: 2} {
		s := newServer(t, cfg, io.Discard)
		b, err := metainfo.NewBuilderOf(format, "a.bin", []metainfo.File{{Length: 81920}}, 32768)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.HashReader(bytes.NewReader(make([]byte, 81920))); err != nil {
			t.Fatal(err)
		}
		m, err := b.Torrent()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Torrents().Add("a", m.Marshal()); err != nil {
			t.Fatal(err)
		}
		var hashes []metainfo.Hash
		if m.InfoHash != (metainfo.Hash{}) {
			hashes = append(hashes, m.InfoHash)
		}
		if m.InfoHashV2 != (metainfo.HashV2{}) {
			hashes = append(hashes, m.InfoHashV2.Short())
		}
		l := s.Torrents().list()
		if len(hashes) != swarms || s.shards.totals().Swarms != swarms || len(l) != 1 || l[0].InfoHash != hashes[0].String() ||
			(l[0].InfoHashV2 != "") != (format != metainfo.V1) {
			t.Errorf("format %v: %d swarms, listed %+v", format, s.shards.totals().Swarms, l)
		}
		for _, h := range hashes {
			if _, known := s.Counts(h); !known {
				t.Errorf("format %v: %v is not known", format, h)
			}
		}
		s.Torrents().Remove("a")
		w := newUDPWorker(s)
		for _, h := range hashes {
			if r, _ := parseUDPReply(w.answer(appendUDPAnnounce(nil, w.cookies.id(loopback, 0), 1, &Request{InfoHash: h, Port: 1}), loopback, 0)); r.action != udpError {
				t.Errorf("format %v: %v is still known", format, h)
			}
		}
	}
}
