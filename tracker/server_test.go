package tracker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"starling/internal/benc"
)

// TestAnnounceOverHTTP runs the same announces through the front and through
// net/http, which must answer alike.
func TestAnnounceOverHTTP(t *testing.T) {
	for name, end := range map[string]string{
		"front":    " HTTP/1.1\r\nHost: t\r\n\r\n",
		"net/http": " HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, DefaultConfig(), nil)
			c := dialRaw(t, s.addr)
			ask := func(path string) []byte {
				t.Helper()
				c.send(t, "GET "+path+end)
				resp, b := c.reply(t)
				if resp.StatusCode != 200 || resp.Header.Get("Date") == "" {
					t.Fatalf("%s: %v", path, resp)
				}
				return b
			}
			first := ask(announcePath(hash1, 7001, "&left=0&event=started&ip=6.6.6.6"))
			if field(t, first, "peers") != "" || field(t, first, "complete") != "1" || field(t, first, "external ip") != "\x7f\x00\x00\x01" {
				t.Errorf("first: %q", first)
			}
			second := ask(announcePath(hash1, 7002, "&left=5"))
			if field(t, second, "peers") != "\x7f\x00\x00\x01\x1b\x59" || field(t, second, "incomplete") != "1" {
				t.Errorf("second: %q", second)
			}
			dict := ask(announcePath(hash1, 7002, "&left=5&compact=0"))
			want := "5:peersld2:ip9:127.0.0.17:peer id20:-XX0001-0000000070014:porti7001eee"
			if !strings.Contains(string(dict), want) {
				t.Errorf("dictionary form: %q", dict)
			}
			if b := ask("/announce?port=1"); field(t, b, "failure reason") == "" || field(t, b, "retry in") != "never" {
				t.Errorf("bad announce: %q", b)
			}
			scrape := ask("/scrape?info_hash=" + hash1 + "&info_hash=aaaaaaaaaaaaaaaaaaaa")
			if !strings.Contains(string(scrape), "d8:completei1e10:downloadedi0e11:downloadersi1e10:incompletei1ee") {
				t.Errorf("scrape: %q", scrape)
			}
			if err := benc.Scan(scrape, benc.WireLimits()); err != nil {
				t.Error(err)
			}
			if b := ask("/scrape?x"); field(t, b, "failure reason") == "" {
				t.Errorf("full scrape: %q", b)
			}
			if b := ask(announcePath(hash1, 7001, "&left=0&event=stopped")); field(t, b, "peers") != "" || field(t, b, "complete") != "0" {
				t.Errorf("stopped: %q", b)
			}
		})
	}
}

func TestBothFamilies(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 loopback here")
	}
	web := &http.Server{Handler: s.Handler()}
	go func() { _ = web.Serve(six) }()
	defer web.Close()
	get(t, s.addr, announcePath(hash1, 1, "&left=1"))
	get(t, six.Addr().String(), announcePath(hash1, 2, "&left=1"))
	_, b := get(t, s.addr, announcePath(hash1, 3, "&left=1"))
	if len(field(t, b, "peers")) != 6 || len(field(t, b, "peers6")) != 18 {
		t.Errorf("%q", b)
	}
	_, b = get(t, six.Addr().String(), announcePath(hash1, 3, "&left=1&compact=0"))
	if v, _ := benc.Raw(b, "peers"); strings.Count(string(v), "7:peer id") != 2 || !strings.Contains(string(v), "3:::1") {
		t.Errorf("%q", b)
	}
}

// TestFront sends requests cut and joined in odd ways.
func TestFront(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	a := plainGET(announcePath(hash1, 7001, "&left=1"))
	t.Run("byte by byte", func(t *testing.T) {
		c := dialRaw(t, s.addr)
		for i := range len(a) {
			c.send(t, a[i:i+1])
		}
		if _, b := c.reply(t); field(t, b, "interval") == "" {
			t.Errorf("%q", b)
		}
	})
	t.Run("pipelined", func(t *testing.T) {
		c := dialRaw(t, s.addr)
		c.send(t, a+plainGET("/scrape?info_hash="+hash1)+plainGET("/healthz")+a)
		for i, want := range []string{"interval", "files", "ok\n", "interval"} {
			if _, b := c.reply(t); !strings.Contains(string(b), want) {
				t.Errorf("reply %d: %q", i, b)
			}
		}
	})
	t.Run("close", func(t *testing.T) {
		c := dialRaw(t, s.addr)
		c.send(t, strings.Replace(a, "Host", "Connection: close\r\nHost", 1))
		if resp, _ := c.reply(t); !resp.Close {
			t.Error("the reply does not say close")
		}
		if _, err := c.in.ReadByte(); err != io.EOF {
			t.Errorf("after the reply: %v", err)
		}
	})
	for name, c := range map[string]struct {
		head   string
		status int
	}{
		"long URL":  {plainGET("/announce?" + strings.Repeat("a", 5000)), 414},
		"long head": {"GET /announce?a HTTP/1.1\r\nHost: t\r\nX: " + strings.Repeat("a", 40_000) + "\r\n\r\n", 431},
		"no host":   {"GET /announce?a HTTP/1.1\r\n\r\n", 400},
		"POST":      {"POST /announce?a HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n", 405},
		"unknown":   {plainGET("/nothing"), 404},
		"garbage":   {"\x16\x03\x01\x02\x00\r\n\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialRaw(t, s.addr)
			go func() { _, _ = io.WriteString(conn, c.head) }() // the reply may come before the end
			if resp, _ := conn.reply(t); resp.StatusCode != c.status {
				t.Errorf("status %d, want %d", resp.StatusCode, c.status)
			}
		})
	}
}

// TestDribblers keeps slow and silent connections open beside honest ones: each is
// cut at its timeout, and nothing of them is left.
func TestDribblers(t *testing.T) {
	goroutines, fds := runtime.NumGoroutine(), openFiles(t)
	s := start(t, DefaultConfig(), func(s *Server) {
		s.timeouts = timeouts{head: 150 * time.Millisecond, idle: time.Second, write: time.Second}
	})
	var bad []*raw
	for i := range 60 {
		c := dialRaw(t, s.addr)
		c.send(t, []string{"", "G", "GET /announce?info_ha", "GET /x", "\x00\xff\x13BitTorrent protocol"}[i%5])
		bad = append(bad, c)
	}
	for i := range 20 {
		if _, b := get(t, s.addr, announcePath(hash1, 1000+i, "&left=1")); field(t, b, "interval") == "" {
			t.Fatalf("%q", b)
		}
	}
	began := time.Now()
	for _, c := range bad {
		_, _ = io.Copy(io.Discard, c.in) // until the tracker closes it
		c.Close()
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("cutting the dribblers took %v", took)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	settle(t, "goroutines", goroutines+2, runtime.NumGoroutine)
	settle(t, "descriptors", fds+2, func() int { return openFiles(t) })
}

// settle waits until count is at most limit.
func settle(t *testing.T, what string, limit int, count func() int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); count() > limit; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d, want at most %d", what, count(), limit)
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(entries)
}

func TestTooManyConnections(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxConns = 2
	s := start(t, cfg, nil)
	a := plainGET(announcePath(hash1, 1, ""))
	one, two := dialRaw(t, s.addr), dialRaw(t, s.addr)
	for _, c := range []*raw{one, two} {
		c.send(t, a)
		c.reply(t)
	}
	if _, err := dialRaw(t, s.addr).in.ReadByte(); err == nil {
		t.Fatal("a third connection is served")
	}
	one.Close()
	settle(t, "connections", 1, func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns)
	})
	c := dialRaw(t, s.addr)
	c.send(t, a)
	c.reply(t)
}

// TestStop ends a tracker with an idle connection, one in the middle of a request
// and one at net/http: it ends soon, and refuses from then on.
func TestStop(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Drain = 300 * time.Millisecond
	s := start(t, cfg, nil)
	idle, half, handed := dialRaw(t, s.addr), dialRaw(t, s.addr), dialRaw(t, s.addr)
	idle.send(t, plainGET(announcePath(hash1, 1, "")))
	idle.reply(t)
	half.send(t, "GET /announce?info")
	handed.send(t, plainGET("/readyz"))
	if _, b := handed.reply(t); string(b) != "ready\n" {
		t.Errorf("%q", b)
	}
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if err := s.public.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is still open: %v", err)
	}
}

func TestAdmin(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	get(t, s.addr, announcePath(hash1, 1, "&event=started&left=1"))
	get(t, s.addr, "/scrape?info_hash="+hash1)
	// Housekeeping sets the gauges each second.
	var b []byte
	settle(t, "swarms not yet counted", 0, func() int {
		_, b = get(t, s.admin, "/metrics")
		return 1 - strings.Count(string(b), "starling_tracker_swarms 1\n")
	})
	for _, want := range []string{
		`starling_tracker_announces_total{event="started",result="ok"} 1`, `starling_tracker_scrapes_total{result="ok"} 1`,
		`starling_tracker_peers{role="leecher"} 1`, `starling_tracker_swarms 1`, `starling_tracker_swarms_without_seeders 1`,
		`starling_tracker_config_last_reload_successful 1`, `starling_tracker_announce_duration_seconds_count 1`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/flight"} {
		if status, _ := get(t, s.addr, path); status != http.StatusNotFound {
			t.Errorf("the public listener serves %s: %d", path, status)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if status, _ := get(t, s.admin, path); status != http.StatusOK {
			t.Errorf("admin %s: %d", path, status)
		}
	}
	if problems, err := testutil.GatherAndLint(s.reg); err != nil || len(problems) > 0 {
		t.Errorf("metrics lint: %v %v", problems, err)
	}
	NewMetrics(prometheus.NewRegistry()) // a second tracker in one process
}

func TestDiscovery(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	if _, b := get(t, s.addr, "/api/v1/sd/prometheus"); string(b) != "[]\n" {
		t.Errorf("empty: %q", b)
	}
	get(t, s.addr, announcePath(hash1, 1, "&left=0&x_metrics_port=9464&x_node=n%201&x_label_rack=r%22&x_label_b-d=x&x_label_c=%00"))
	want := `[{"targets":["127.0.0.1:9464"],"labels":{"__meta_starling_label_c":"","__meta_starling_label_rack":"r\"",` +
		`"__meta_starling_node":"n 1","__meta_starling_role":"seeder"}}]` + "\n"
	if _, b := get(t, s.addr, "/api/v1/sd/prometheus"); string(b) != want {
		t.Errorf("got %s want %s", b, want)
	}
	for i := range maxTargetsPerHost + 5 {
		get(t, s.addr, announcePath(hash1, 100+i, fmt.Sprintf("&x_metrics_port=%d", 100+i)))
	}
	if n := len(s.discovery.list()); n != maxTargetsPerHost {
		t.Errorf("%d targets at one host", n)
	}
	s.discovery.expire(s.shards.now() + time.Hour)
	if n := len(s.discovery.list()); n != 0 || len(s.discovery.hosts) != 0 {
		t.Errorf("%d targets after an hour of silence", n)
	}
}

// TestRefusals wants the failure reason and when to come again.
func TestRefusals(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Swarm.Open = false
	s := start(t, cfg, nil)
	_, b := get(t, s.addr, announcePath(hash1, 1, ""))
	if field(t, b, "failure reason") != "unregistered torrent" || field(t, b, "retry in") != "" {
		t.Errorf("unregistered: %q", b)
	}
	cfg = DefaultConfig()
	cfg.MaxPeers = 1
	s = start(t, cfg, nil)
	get(t, s.addr, announcePath(hash1, 1, ""))
	_, b = get(t, s.addr, announcePath(hash1, 2, ""))
	if field(t, b, "failure reason") != "tracker is full" || field(t, b, "retry in") != "5" {
		t.Errorf("full: %q", b)
	}
	if _, b = get(t, s.addr, announcePath(hash1, 1, "")); field(t, b, "interval") == "" {
		t.Errorf("full, but listed: %q", b)
	}
}
