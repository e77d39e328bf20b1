package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"starling/cmd/starling/internal/config"
)

// Profiles are for clients on this host, unless others were asked for, by whatever
// path they are asked for; all else of the listener is for everybody.
func TestDebugIsLocal(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	c := config.Default()
	ask := func(from, path string) int {
		t.Helper()
		req := httptest.NewRequest(http.MethodGet, "http://10.1.2.4:6970"+path, nil)
		req.RemoteAddr = from
		w := httptest.NewRecorder()
		debugging(next, &c, namesOfHost("", nil)).ServeHTTP(w, req)
		return w.Code
	}
	const here, here6, there = "127.0.0.1:5", "[::1]:5", "10.1.2.3:5"
	for path, served := range map[string]bool{
		"/debug/pprof/": true, "/debug/pprof/heap": true, "/debug/pprof/cmdline": true, "/%64ebug/pprof/heap": true, "/debug/flight": true,
		"/metrics": false, "/readyz": false, "/debugger": false,
	} {
		local, remote := http.StatusOK, http.StatusForbidden
		if !served {
			local, remote = http.StatusTeapot, http.StatusTeapot
		}
		for from, want := range map[string]int{here: local, here6: local, there: remote, "nobody": remote} {
			if got := ask(from, path); got != want {
				t.Errorf("%s asked by %s: %d, want %d", path, from, got, want)
			}
		}
	}
	// What the router makes of another spelling never reaches a profile.
	for _, path := range []string{"//debug/pprof/heap", "/x/../debug/pprof/heap", "/./debug/flight"} {
		if got := ask(there, path); got == http.StatusOK {
			t.Errorf("%s is served to another host", path)
		}
	}
	c.RemoteDebug = true
	if got := ask(there, "/debug/pprof/heap"); got != http.StatusOK {
		t.Errorf("with --remote-debug: %d", got)
	}
}

// The flight recorder gives a trace of the last seconds, to one reader at a time.
func TestFlightRecorder(t *testing.T) {
	get := func(r *recorder) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/flight", nil))
		return w
	}
	if w := get(&recorder{}); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "--flight-recorder=false") {
		t.Errorf("without a recorder: %d %s", w.Code, w.Body)
	}
	flight.start()
	second := recorder{}
	second.start() // the runtime has one at most
	if w := get(&second); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "already") {
		t.Errorf("a recorder that could not start: %d %s", w.Code, w.Body)
	}
	w := get(&flight)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "go 1.") || w.Body.Len() < 1000 || w.Header().Get("Content-Length") != itoa(w.Body.Len()) {
		t.Errorf("a trace: %d, %d bytes, %.20q", w.Code, w.Body.Len(), w.Body)
	}
	flight.mu.Lock()
	w = get(&flight)
	flight.mu.Unlock()
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("for a second reader: %d", w.Code)
	}
}
