package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
)

// TestStrangersName: what a page of a stranger's asks for, whose name has come to mean an
// address of this host, it does not get at the admin listeners; announces go by any name.
func TestStrangersName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "a.bin"), mib, 3)
	tracker := start(t, "tracker", "tracker", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--allow-host", "metrics.example.org").ready()
	seed := start(t, "seed", "seed", filepath.Join(dir, "a.bin"), "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0").ready()
	for _, c := range []struct {
		at, host, path string
		want           int
	}{
		{tracker["admin"], "stranger.example", "/metrics", http.StatusMisdirectedRequest},
		{tracker["admin"], "metrics.example.org", "/metrics", http.StatusOK},
		{tracker["admin"], "localhost", "/metrics", http.StatusOK},
		{tracker["admin"], "", "/metrics", http.StatusOK},
		{seed["metrics"], "stranger.example", "/metrics", http.StatusMisdirectedRequest},
		{seed["metrics"], "metrics.example.org", "/debug/pprof/cmdline", http.StatusMisdirectedRequest},
		{seed["metrics"], "", "/debug/pprof/cmdline", http.StatusOK},
		{tracker["tracker"], "tracker.example.org", "/announce?info_hash=" + loadHash(0) + "&peer_id=pppppppppppppppppppp&port=1", http.StatusOK},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.at+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s of %s as %q: %d, want %d", c.path, c.at, c.host, resp.StatusCode, c.want)
		}
	}
}
