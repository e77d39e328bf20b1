package tracker

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestReload(t *testing.T) {
	dir := t.TempDir()
	write := func(folder, name string) string {
		t.Helper()
		at := filepath.Join(dir, folder)
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(at, name+".torrent"), torrentFile(folder+name), 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	a, b := write("a", "x"), write("b", "x")
	// The same name, size and time: a file of another folder is another file.
	moment := time.Unix(1_700_000_000, 0)
	for _, folder := range []string{a, b} {
		if err := os.Chtimes(filepath.Join(folder, "x.torrent"), moment, moment); err != nil {
			t.Fatal(err)
		}
	}
	cfg := DefaultConfig()
	cfg.TorrentsDir = a
	s := start(t, cfg, nil)
	served := func() string {
		_, raw := get(t, s.addr, TorrentURLPath("x"))
		return string(raw)
	}
	if served() != string(torrentFile("ax")) {
		t.Fatal("the folder is not served")
	}
	interval := func(port int) string {
		_, reply := get(t, s.addr, announcePath(hash1, port, "&left=0"))
		return field(t, reply, "min interval")
	}
	for name, change := range map[string]func(*Config){
		"invalid rules": func(c *Config) { c.Swarm.Interval = 0 },
		"no folder":     func(c *Config) { c.TorrentsDir = filepath.Join(dir, "none") },
	} {
		bad := cfg
		bad.Swarm.MinInterval = 3 * time.Second
		change(&bad)
		if err := s.Reload(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if got := interval(1); got != "10" || served() != string(torrentFile("ax")) {
			t.Errorf("%s changed something: min interval %s", name, got)
		}
	}
	s.report(t, 9, 1, "")
	good := cfg
	good.TorrentsDir, good.Swarm.MinInterval, good.Swarm.Open = b, 3*time.Second, true
	good.Swarm.TTL, good.Swarm.MaxPerHost = 100*time.Second, 0
	if err := s.Reload(good); err != nil {
		t.Fatal(err)
	}
	s.reports.mu.Lock()
	s.reports.store.Expire(s.shards.now() + 100*time.Second)
	s.reports.mu.Unlock()
	if n := s.reported(); n != 0 {
		t.Errorf("%d reports are older than the new rules allow", n)
	}
	if got := interval(2); got != "3" || served() != string(torrentFile("bx")) {
		t.Errorf("after a reload: min interval %s, %q", got, served())
	}
	if _, b := get(t, s.addr, "/scrape?info_hash="+hash1); !strings.Contains(string(b), "min_request_intervali3e") {
		t.Errorf("scrape after a reload: %q", b)
	}
	if err := s.Torrents().Add("own", torrentFile("own")); err != nil {
		t.Fatal(err)
	}
	good.TorrentsDir = ""
	if err := s.Reload(good); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, s.addr, TorrentURLPath("x")); status != 404 {
		t.Errorf("a torrent of a folder that is not served any more: %d", status)
	}
	if status, _ := get(t, s.addr, TorrentURLPath("own")); status != 200 {
		t.Errorf("a torrent that was added: %d", status)
	}
}

// Reloads while announces are answered, for the race detector.
func TestReloadUnderLoad(t *testing.T) {
	cfg := DefaultConfig()
	cfg.TorrentsDir = t.TempDir()
	s := start(t, cfg, nil)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			c := dialRaw(t, s.addr)
			for n := range 200 {
				if _, err := c.Write([]byte(plainGET(announcePath(hash1, 1+i*1000+n, "&left=1")))); err != nil {
					t.Error(err)
					return
				}
				c.reply(t)
			}
		})
	}
	for n := range 50 {
		next := cfg
		next.Swarm.MinInterval = time.Duration(1+n%10) * time.Second
		if err := s.Reload(next); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
}
