package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"starling/cmd/starling/internal/config"
)

func TestAdminListener(t *testing.T) {
	def := config.Default()
	a, err := serveAdmin("127.0.0.1:0", newRegistry(), &def)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close(context.Background())
	get := func(path string) (int, string, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, "http://"+a.addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Content-Type"), string(body)
	}
	if code, _, _ := get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
	if code, _, _ := get("/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz before it is ready: %d", code)
	}
	a.ready.Store(true)
	if code, _, _ := get("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz: %d", code)
	}
	code, kind, body := get("/metrics")
	if code != http.StatusOK || !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(body, "# EOF\n") {
		t.Errorf("/metrics: %d %q", code, kind)
	}
	for _, name := range []string{"starling_build_info{", "go_goroutines ", "process_resident_memory_bytes "} {
		if !strings.Contains(body, "\n"+name) {
			t.Errorf("/metrics has no %s", name)
		}
	}
	if code, _, _ := get("/debug/pprof/goroutine?debug=1"); code != http.StatusOK {
		t.Errorf("/debug/pprof: %d", code)
	}
	if code, _, _ := get("/announce"); code != http.StatusNotFound {
		t.Errorf("an unknown path: %d", code)
	}
	if a.port() == 0 {
		t.Error("no port to announce")
	}
}
