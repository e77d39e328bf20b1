//go:build linux

package interop

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

// webServer serves a directory at an address of the site, and returns its URL.
func (s *site) webServer(dir string) string {
	s.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(s.net+".250", "8080"))
	if err != nil {
		s.t.Fatal(err)
	}
	srv := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: patience}
	done := make(chan struct{})
	go func() {
		_ = srv.Serve(l) // the trial's end closes it
		close(done)
	}()
	s.t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return "http://" + l.Addr().String() + "/"
}

// TestWebSeed has a swarm of starling and one client, and nobody who has the
// content but a web server (BEP 19). Who cannot use that gets it from starling.
func TestWebSeed(t *testing.T) {
	t.Parallel()
	for _, p := range clients {
		t.Run("with "+p.name, func(t *testing.T) {
			cell(t, p, anyone, func() {
				s := newSite(t)
				tr := s.tracker()
				base := s.webServer(filepath.Join(s.dir, "origin"))
				sw := s.swarm(smallTree, tr, "--tracker", tr.url, "--webseed", base)
				one := sw.leech(ours, settings{})
				other := sw.leech(p, settings{})
				sw.arrived(one)
				sw.arrived(other)
			})
		})
	}
}
