package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// trackerAt is an HTTP server that answers as a tracker in some state would.
func trackerAt(t *testing.T, answer http.HandlerFunc) *url.URL {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL + "/announce")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// brief is how long who never answers is waited for, long who does.
const (
	brief = 300 * time.Millisecond
	long  = 20 * time.Second
)

func TestTrackerStates(t *testing.T) {
	closed := trackerAt(t, func(http.ResponseWriter, *http.Request) {})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Host = ln.Addr().String()
	ln.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes the connection, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct {
		at    *url.URL
		level Level
		says  string
		cure  string
	}{
		"ready": {trackerAt(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") }), OK, "is ready", ""},
		"draining": {trackerAt(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, "not ready")
		}), Warning, "not ready", "wait for it"},
		"another server": {trackerAt(t, http.NotFound), Warning, "status 404", "is a tracker's"},
		"nobody":         {closed, Problem, "nothing listens there", "starling tracker --listen :" + closed.Port()},
		"silent":         {&url.URL{Scheme: "http", Host: silent.Addr().String()}, Problem, "no answer", "firewall"},
		"no such name":   {&url.URL{Scheme: "http", Host: "tracker.invalid:6969"}, Problem, "does not resolve", "getent hosts tracker.invalid"},
	} {
		patience := long
		if name == "silent" {
			patience = brief
		}
		got, _ := reach(context.Background(), c.at, patience)
		f := find(t, got, "tracker http")
		if f.Level != c.level || !strings.Contains(f.Found, c.says) || !strings.Contains(f.Cure, c.cure) {
			t.Errorf("%s: %+v, want %s, %q, cure with %q", name, f, c.level, c.says, c.cure)
		}
	}
}

// A tracker whose clock is wrong is seen by its Date header.
func TestTrackerClock(t *testing.T) {
	for _, off := range []time.Duration{0, -3 * time.Hour} {
		u := trackerAt(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
			fmt.Fprintln(w, "ready")
		})
		_, r := reach(context.Background(), u, long)
		want := OK
		if off != 0 {
			want = Problem
		}
		if f := judgeClock(r.clock, syncUnknown); f.Level != want {
			t.Errorf("a tracker's clock off by %s: %+v", off, f)
		}
	}
}

func TestTrackerOverUDP(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for at, says := range map[string]string{silent.LocalAddr().String(): "no answer", gone.LocalAddr().String(): "nothing listens there"} {
		patience := long
		if says == "no answer" {
			patience = brief
		}
		got, _ := reach(context.Background(), &url.URL{Scheme: "udp", Host: at}, patience)
		if f := find(t, got, "tracker udp"); f.Level != Problem || !strings.Contains(f.Found, says) {
			t.Errorf("%+v, want a problem with %q", f, says)
		}
	}
	// Where HTTP works, nobody at the UDP port is as it may be, and a port that is
	// silent no more than a warning.
	u := trackerAt(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	got, _ := reach(context.Background(), u, long)
	if f := find(t, got, "tracker udp"); f.Level != OK || !strings.Contains(f.Found, "announce over HTTP") {
		t.Errorf("nobody there: %+v", f)
	}
	same, err := net.ListenPacket("udp", u.Host)
	for try := 1; err != nil && try < 16; try++ { // another program has the UDP port of that number
		u = trackerAt(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
		same, err = net.ListenPacket("udp", u.Host)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer same.Close()
	over := &url.URL{Scheme: "udp", Host: u.Host}
	if f := judgeUDP(over, askUDP(context.Background(), over, brief), false); f.Level != Warning || !strings.Contains(f.Cure, "open UDP port "+u.Port()) {
		t.Errorf("a silent port: %+v, want a warning", f)
	}
}

// What goes wrong with TLS has the cure of its cause.
func TestTrackerTLS(t *testing.T) {
	plain := trackerAt(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	plain.Scheme = "https"
	hangUp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp.Close()
	go func() {
		for {
			c, err := hangUp.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1<<10)) // the whole request: what is unread would reset the connection
			c.Close()
		}
	}()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	secure, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		at         *url.URL
		says, cure string
	}{
		"no TLS there":      {plain, "does not speak TLS", "http:// and not https://"},
		"hangs up":          {&url.URL{Scheme: "http", Host: hangUp.Addr().String()}, "closed the connection", "https:// where it is behind TLS"},
		"unknown authority": {secure, "unknown authority", "install the authority"},
	} {
		got, _ := reach(context.Background(), c.at, long)
		if f := find(t, got, "tracker http"); f.Level != Problem || !strings.Contains(f.Found, c.says) || !strings.Contains(f.Cure, c.cure) {
			t.Errorf("%s: %+v, want %q, cure with %q", name, f, c.says, c.cure)
		}
	}
	// What no test can make a system's authorities say.
	for want, err := range map[string]error{
		"a name that the certificate is for": x509.HostnameError{Certificate: s.Certificate(), Host: "h"},
		"renew the tracker's certificate":    x509.CertificateInvalidError{Cert: s.Certificate(), Reason: x509.Expired},
	} {
		wrapped := &url.Error{Op: "Get", URL: s.URL, Err: &tls.CertificateVerificationError{Err: err}}
		if got := cureOf(wrapped, secure, "TCP"); !strings.Contains(got, want) {
			t.Errorf("cure of %v: %q", err, got)
		}
	}
}
