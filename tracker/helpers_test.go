package tracker

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/internal/benc"
)

// running is a tracker on loopback.
type running struct {
	*Server
	public      *net.TCPListener
	addr, admin string
	reg         *prometheus.Registry
	stop        func() error // ends it and waits
}

// start runs a tracker until the test ends. change may alter it before it serves.
func start(t testing.TB, cfg Config, change func(*Server)) *running {
	t.Helper()
	reg := prometheus.NewRegistry()
	s, err := New(cfg, slog.New(slog.DiscardHandler), NewMetrics(reg))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	public, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, public, admin, s.AdminHandler(reg)) }()
	r := &running{Server: s, public: public, addr: public.Addr().String(), admin: admin.Addr().String(), reg: reg}
	r.stop = func() error {
		cancel()
		select {
		case err := <-done:
			done <- err
			return err
		case <-time.After(20 * time.Second):
			return errors.New("the tracker does not stop")
		}
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// get fetches a path of the public listener over a connection of its own.
func get(t testing.TB, addr, path string) (int, []byte) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b
}

// raw is a connection that sends requests as they are.
type raw struct {
	net.Conn
	in *bufio.Reader
}

func dialRaw(t testing.TB, addr string) *raw {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return &raw{c, bufio.NewReader(c)}
}

func (c *raw) send(t testing.TB, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

// reply reads one response.
func (c *raw) reply(t testing.TB) (*http.Response, []byte) {
	t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

// announcePath is an announce of the peer with this number, listening on port.
func announcePath(hash string, port int, more string) string {
	return fmt.Sprintf("/announce?info_hash=%s&peer_id=-XX0001-%012d&port=%d%s", hash, port, port, more)
}

// announcing returns what makes the next of so many announces in turn: whoever announced
// too often for the limit per peer has waited for that when his turn comes again.
func announcing(t testing.TB, s *Server, queries [][]byte) func() {
	sc, now, n := new(scratch), time.Duration(0), 0
	return func() {
		sc.reportEvery = s.reports.every.Load()
		if err := sc.announce(s.shards, now, queries[n], loopback, s.trackerID); err != nil {
			t.Fatal(err)
		}
		s.noteAnnounce(&sc.query, now, 0, nil)
		if n++; n == len(queries) {
			n, now = 0, now+10*time.Second
		}
	}
}

func plainGET(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: t\r\n\r\n" }

var hash1 = strings.Repeat("%a7", 20)

// torrentFile is a small torrent whose infohash depends on name.
func torrentFile(name string) []byte {
	sum := sha1.Sum([]byte(name))
	info := fmt.Appendf(nil, "d6:lengthi5e4:name%d:%s12:piece lengthi262144e6:pieces20:%se", len(name), name, sum[:])
	return append(append([]byte("d4:info"), info...), 'e')
}

// field returns a string of a bencoded dictionary, or an integer as text.
func field(t testing.TB, b []byte, key string) string {
	t.Helper()
	if err := benc.Scan(b, benc.WireLimits()); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	v, ok := benc.Raw(b, key)
	if !ok {
		return ""
	}
	if s, ok := benc.Bytes(v); ok {
		return string(s)
	}
	return string(bytes.Trim(v, "ie"))
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// sealed is a snapshot with a given beginning and body.
func sealed(magic string, body []byte, now time.Time) []byte {
	b := binary.BigEndian.AppendUint64([]byte(magic), uint64(now.Unix()))
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}
