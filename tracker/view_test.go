package tracker

import (
	"net/http"
	"strings"
	"testing"
)

// The web page is at the public listener's root, unless it is turned off.
func TestWebPage(t *testing.T) {
	cfg := DefaultConfig()
	on := start(t, cfg, nil)
	if err := on.Torrents().Add("model", torrentFile("model")); err != nil {
		t.Fatal(err)
	}
	hash := on.Swarms(0, 1).Swarms[0].InfoHash
	for path, want := range map[string]string{"/": ">model</a>", "/swarms/" + hash: ">model</h1>", "/assets/page.css": ":root"} {
		if status, body := get(t, on.addr, path); status != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: status %d, no %q", path, status, want)
		}
	}
	cfg.View = false
	off := start(t, cfg, nil)
	for _, path := range []string{"/", "/swarms/" + hash, "/assets/page.css", "/api/v1/events"} {
		if status, _ := get(t, off.addr, path); status != http.StatusNotFound {
			t.Errorf("%s: status %d though the page is off", path, status)
		}
	}
}
