//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// webServer serves a directory and counts what it sends.
func webServer(t *testing.T, dir string) (at string, sent *atomic.Int64) {
	t.Helper()
	sent = new(atomic.Int64)
	files := http.FileServer(http.Dir(dir))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.ServeHTTP(&bodyCounter{w, sent}, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, sent
}

type bodyCounter struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *bodyCounter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// TestWebSeedOnly fetches a torrent that nobody seeds, from its url-list, from
// --webseed and from the ws= of a magnet link.
func TestWebSeedOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const size = 12*mib + 5
	writeRandom(t, filepath.Join(dir, "model x", "weights", "a+b %.bin"), size-5, 31)
	writeRandom(t, filepath.Join(dir, "model x", "weights", "c"), 5, 32)
	writeRandom(t, filepath.Join(dir, "model x", "empty"), 0, 33)
	at, _ := webServer(t, dir)
	with, without := filepath.Join(dir, "with.torrent"), filepath.Join(dir, "without.torrent")
	content := filepath.Join(dir, "model x")
	once(t, 0, "-q", "create", content, "-o", with, "--webseed", at)
	once(t, 0, "-q", "create", content, "-o", without)
	magnet := fmt.Sprintf("magnet:?xt=urn:btih:%s&xs=%s&ws=%s", infoHash(t, without),
		url.QueryEscape(at+"/without.torrent"), url.QueryEscape(at+"/"))
	for name, args := range map[string][]string{
		"url-list":  {with},
		"--webseed": {without, "--webseed", at + "/nothing/", "--webseed", at + "/"},
		"ws=":       {magnet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			p := start(t, "leecher", append([]string{"leech", "-o", out, "--listen", "127.0.0.1:0", "--no-seed"}, args...)...)
			p.wait(0, time.Minute)
			sameTree(t, content, filepath.Join(out, "model x"))
			if got := p.summary().BytesFrom; got.WebSeeds != size || got.Peers != 0 || got.Disk != 0 {
				t.Errorf("bytes_from %+v, want %d from web seeds", got, size)
			}
		})
	}
}

// infoHash reads the infohash of a torrent file.
func infoHash(t *testing.T, path string) string {
	t.Helper()
	_, after, ok := strings.Cut(once(t, 0, "inspect", path, "--json"), `"infohash":"`)
	if !ok || len(after) < 40 {
		t.Fatalf("no infohash in what inspect says of %s", path)
	}
	return after[:40]
}

// TestWebSeedShared has four leechers, a tracker and a web server: most of what they
// need they give each other.
func TestWebSeedShared(t *testing.T) {
	long(t)
	t.Parallel()
	dir := t.TempDir()
	const size = 96 * mib
	writeRandom(t, filepath.Join(dir, "file"), size, 41)
	at, sent := webServer(t, dir)
	torrents := filepath.Join(dir, "torrents")
	if err := os.Mkdir(torrents, 0o755); err != nil {
		t.Fatal(err)
	}
	tracker := start(t, "tracker", "tracker", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--interval", "1s", "--torrents", torrents)
	torrent := filepath.Join(dir, "file.torrent")
	once(t, 0, "-q", "create", filepath.Join(dir, "file"), "-o", torrent, "--webseed", at+"/",
		"--tracker", "http://"+tracker.ready()["tracker"]+"/announce")
	var leechers []*proc
	for i := range 4 {
		out := filepath.Join(dir, fmt.Sprintf("out%d", i))
		leechers = append(leechers, start(t, fmt.Sprintf("leecher%d", i), "leech", torrent, "-o", out,
			"--listen", "127.0.0.1:0", "--choke", "cooperative", "--down-limit", "16MiB/s"))
	}
	var web, peers int64
	for i, p := range leechers {
		p.wait(0, 2*time.Minute)
		sameTree(t, filepath.Join(dir, "file"), filepath.Join(dir, fmt.Sprintf("out%d", i), "file"))
		from := p.summary().BytesFrom
		web, peers = web+from.WebSeeds, peers+from.Peers
	}
	if web+peers != 4*size || web < size {
		t.Errorf("%d bytes from web seeds and %d from peers, want %d together and a copy at least from web seeds", web, peers, 4*size)
	}
	copies := float64(sent.Load()) / size
	if copies >= 2 {
		t.Errorf("the web server sent %.2f copies to four leechers", copies)
	}
	t.Logf("the web server sent %.2f copies; of the four that were fetched %.2f came from peers", copies, float64(peers)/size)
}
