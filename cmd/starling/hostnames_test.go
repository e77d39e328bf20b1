package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"starling/cmd/starling/internal/config"
)

func TestHostNames(t *testing.T) {
	n := namesOfHost("GPU-7.dc1.example.org", []string{"metrics.example.org", "tracker."})
	for host, want := range map[string]bool{
		"127.0.0.1:6970": true, "10.0.0.5": true, "[::1]:6970": true, "[::1]": true, "[fe80::1%25eth0]:1": true, "": true,
		"localhost": true, "LOCALHOST:6970": true, "localhost.:1": true, "a.localhost:1": true,
		"gpu-7": true, "gpu-7.dc1.example.org:6970": true, "GPU-7.DC1.example.org.": true,
		"metrics.example.org:6970": true, "tracker": true,
		"stranger.example:6970": false, "gpu-7.stranger.example": false, "localhost.stranger.example": false, "notlocalhost": false,
		"127.0.0.1.stranger.example:6970": false, "example.org": false, "dc1.example.org": false, ".": false, "[stranger.example]:1": false, "::::": false,
	} {
		if got := n.has(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	if namesOfHost("", nil).has("stranger.example") {
		t.Error("a host without a name answers to any")
	}
}

// adminRoutes are all routes of a peer's admin listener, and /debug/ of a tracker's, too,
// with what each answers to whoever on this host asks for it without credentials.
var adminRoutes = map[string]struct {
	path string
	want int
}{
	"/metrics":             {"/metrics", http.StatusOK},
	"/healthz":             {"/healthz", http.StatusOK},
	"/readyz":              {"/readyz", http.StatusServiceUnavailable}, // it has just begun
	"/debug/flight":        {"/debug/flight", http.StatusOK},
	"/debug/pprof/cmdline": {"/debug/pprof/cmdline", http.StatusOK},
	"/debug/pprof/profile": {"/debug/pprof/profile?seconds=1", http.StatusOK},
	"/debug/pprof/symbol":  {"/debug/pprof/symbol", http.StatusOK},
	"/debug/pprof/trace":   {"/debug/pprof/trace?seconds=0.01", http.StatusOK},
	"/debug/pprof/":        {"/debug/pprof/heap", http.StatusOK},
}

// TestAdminRouteWalk: every route of an admin listener on loopback answers this host, by its
// address and by the names that it is given, and no stranger's page.
func TestAdminRouteWalk(t *testing.T) {
	c := config.Default()
	c.AllowHost = []string{"metrics.example.org"}
	a, err := serveAdmin("127.0.0.1:0", newRegistry(), &c)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close(context.Background())
	for _, r := range []*mux.Router{a.routes(newRegistry()), debugRoutes()} {
		err := r.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
			template, err := route.GetPathTemplate()
			if adminRoutes[template].path == "" {
				t.Errorf("the route %s is not in the table", template)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := net.SplitHostPort(a.addr())
	for _, r := range adminRoutes {
		for host, want := range map[string]int{"": r.want, "metrics.example.org:" + port: r.want, "stranger.example:" + port: http.StatusMisdirectedRequest} {
			if host != "" && strings.Contains(r.path, "profile") && want == r.want {
				continue // it takes a second
			}
			resp := askAs(t, a.addr(), r.path, host)
			if resp.StatusCode != want {
				t.Errorf("%s as %q: %d, want %d", r.path, host, resp.StatusCode, want)
			}
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" {
					t.Errorf("%s: %s", r.path, name)
				}
			}
		}
	}
}

// askAs asks for a path by a name, "" for the address itself.
func askAs(t *testing.T, addr, path, host string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Origin", "http://stranger.example")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // a recording has one reader at a time
	resp.Body.Close()
	return resp
}

// A listener that the network reaches is scraped by whatever name it has there; what is for
// this host only is not to be had by a stranger's name there either.
func TestOpenAdminListener(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	open, local := &net.TCPAddr{IP: net.IPv6zero, Port: 6970}, &net.TCPAddr{IP: net.IPv6loopback, Port: 6970}
	const here, there = "127.0.0.1:5", "10.1.2.3:5"
	for _, q := range []struct {
		at               net.Addr
		from, host, path string
		want             int
	}{
		{open, there, "starling-tracker.starling.svc:6970", "/metrics", http.StatusTeapot},
		{open, here, "stranger.example:6970", "/metrics", http.StatusTeapot},
		{open, here, "stranger.example:6970", "/debug/pprof/heap", http.StatusMisdirectedRequest},
		{open, here, "localhost:6970", "/debug/pprof/heap", http.StatusOK},
		{open, there, "10.0.0.5:6970", "/debug/pprof/heap", http.StatusForbidden},
		{local, here, "stranger.example:6970", "/metrics", http.StatusMisdirectedRequest},
		{local, here, "[::1]:6970", "/metrics", http.StatusTeapot},
	} {
		c := config.Default()
		req := httptest.NewRequest(http.MethodGet, "http://"+q.host+q.path, nil)
		req.RemoteAddr = q.from
		w := httptest.NewRecorder()
		adminHandler(q.at, next, &c).ServeHTTP(w, req)
		if w.Code != q.want {
			t.Errorf("at %v, from %s as %s: %s: %d, want %d", q.at, q.from, q.host, q.path, w.Code, q.want)
		}
		if lines := strings.Count(w.Body.String(), "\n"); w.Code == http.StatusMisdirectedRequest && (lines != 1 || !strings.Contains(w.Body.String(), `"stranger.example" is no name of this host`) || !strings.Contains(w.Body.String(), "--allow-host")) {
			t.Errorf("the refusal says %q", w.Body)
		}
	}
	c := config.Default()
	c.RemoteDebug = true
	req := httptest.NewRequest(http.MethodGet, "http://gpu-7.example.org:6970/debug/pprof/heap", nil)
	w := httptest.NewRecorder()
	if adminHandler(open, next, &c).ServeHTTP(w, req); w.Code != http.StatusOK {
		t.Errorf("with --remote-debug, by a name: %d", w.Code)
	}
}
