package browser

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/tracker"
	"starling/tracker/fleet"
)

// site is a real tracker on loopback with made-up rollouts.
type site struct {
	srv       *tracker.Server
	url, addr string
	rollouts  []*rollout
	conn      net.Conn
	in        *bufio.Reader
	stop      func()
}

// newBareSite starts a tracker that ends with the test and knows no swarm.
func newBareSite(t testing.TB) *site {
	t.Helper()
	s := &site{addr: "127.0.0.1:0"}
	s.serve(t)
	t.Cleanup(func() { s.halt(t) })
	return s
}

// newSite has one rollout that is looked at, and two more for the list.
func newSite(t testing.TB) *site {
	t.Helper()
	s := newBareSite(t)
	s.add(t, "llama-70b", 72, 6, 131<<30, 120)
	s.add(t, "imagenet-22k", 24, 3, 1200<<30, 400)
	s.add(t, "container-base", 40, 4, 3<<30, 30)
	return s
}

// serve starts the tracker, again at the same address if it was stopped.
func (s *site) serve(t testing.TB) {
	t.Helper()
	cfg := tracker.DefaultConfig()
	srv, err := tracker.New(cfg, slog.New(slog.DiscardHandler), tracker.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.rollouts {
		if err := srv.Torrents().Add(r.name, r.torrent); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := tracker.Listen(context.Background(), s.addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln, nil, nil) }()
	s.srv, s.addr = srv, ln.Addr().String()
	s.dial(t)
	s.stop = func() {
		s.conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// dial opens the connection for announces.
func (s *site) dial(t testing.TB) {
	t.Helper()
	var err error
	if s.conn, err = net.Dial("tcp", s.addr); err != nil {
		t.Fatal(err)
	}
	s.url, s.in = "http://"+s.addr, bufio.NewReader(s.conn)
}

// halt stops the tracker.
func (s *site) halt(t testing.TB) {
	t.Helper()
	if s.stop != nil {
		s.stop()
	}
	s.stop = nil
}

// add makes a rollout and registers its torrent.
func (s *site) add(t testing.TB, name string, hosts, racks int, size int64, took float64) *rollout {
	t.Helper()
	raw, hash := torrentOf(name, size)
	port := 10000
	for _, r := range s.rollouts {
		port += len(r.hosts)
	}
	r := newRollout(name, hash, hosts, racks, port, size, took)
	r.torrent = raw
	s.give(t, r)
	return r
}

// give registers a rollout's torrent.
func (s *site) give(t testing.TB, r *rollout) {
	t.Helper()
	if err := s.srv.Torrents().Add(r.name, r.torrent); err != nil {
		t.Fatal(err)
	}
	s.rollouts = append(s.rollouts, r)
}

// torrentOf is a torrent file and its infohash.
func torrentOf(name string, size int64) (raw []byte, hash [20]byte) {
	const piece = 64 << 20
	hashes := strings.Repeat("starlings in a flock", int((size+piece-1)/piece))
	info := fmt.Sprintf("d6:lengthi%de4:name%d:%s12:piece lengthi%de6:pieces%d:%se", size, len(name), name, piece, len(hashes), hashes)
	return []byte("d4:info" + info + "e"), sha1.Sum([]byte(info))
}

// path is the page of a rollout.
func (s *site) path(r *rollout) string { return s.url + "/swarms/" + hex.EncodeToString(r.hash[:]) }

// tell announces reports over one connection, many before the first reply is read.
func (s *site) tell(t testing.TB, reports []fleet.Report) {
	t.Helper()
	_ = s.conn.SetDeadline(time.Now().Add(30 * time.Second))
	for len(reports) > 0 {
		n := min(len(reports), 64)
		var b strings.Builder
		for i := range reports[:n] {
			fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", announce(&reports[i]))
		}
		if _, err := io.WriteString(s.conn, b.String()); err != nil {
			t.Fatal(err)
		}
		for range n {
			resp, err := http.ReadResponse(s.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || strings.Contains(string(body), "failure") {
				t.Fatalf("announce: %v %s", err, body)
			}
		}
		reports = reports[n:]
	}
}

// at brings all hosts to second t of their rollouts.
func (s *site) at(t testing.TB, second float64) {
	t.Helper()
	for _, r := range s.rollouts {
		s.tell(t, r.reports(second))
	}
}

// run goes on announcing, each host every other second as the tracker asks, from
// second t on until the test ends or stop is called. It returns the second reached.
func (s *site) run(t testing.TB, second float64) (stop func() float64) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				second++
				for _, r := range s.rollouts {
					all := r.reports(second)
					half := len(all) / 2
					if int(second)%2 == 0 {
						s.tell(t, all[half:])
					} else {
						s.tell(t, all[:half])
					}
				}
			}
		}
	}()
	stopped := false
	stop = func() float64 {
		if !stopped {
			stopped = true
			close(end)
			<-ended
		}
		return second
	}
	t.Cleanup(func() { stop() })
	return stop
}
