package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

func find(t *testing.T, list []Finding, check string) Finding {
	t.Helper()
	for _, f := range list {
		if strings.HasPrefix(f.Check, check) {
			return f
		}
	}
	t.Fatalf("no finding %q in %v", check, list)
	return Finding{}
}

const brief = 300 * time.Millisecond

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
		got, _ := reach(context.Background(), c.at, brief)
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
		_, r := reach(context.Background(), u, brief)
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
		got, _ := reach(context.Background(), &url.URL{Scheme: "udp", Host: at}, brief)
		if f := find(t, got, "tracker udp"); f.Level != Problem || !strings.Contains(f.Found, says) {
			t.Errorf("%+v, want a problem with %q", f, says)
		}
	}
	// Where HTTP works, UDP that does not is no more than a warning.
	u := trackerAt(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	got, _ := reach(context.Background(), u, brief)
	if f := find(t, got, "tracker udp"); f.Level != Warning {
		t.Errorf("%+v, want a warning", f)
	}
}

// A port that another program holds is found with who it is: here this test.
func TestTakenPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	got := ports(context.Background(), []Port{
		{Network: "tcp", Addr: ln.Addr().String(), For: "a seed", Option: "seed --listen"},
		{Network: "udp", Addr: pc.LocalAddr().String(), For: "the tracker", Option: "tracker --udp-listen"},
		{Network: "tcp", Addr: "127.0.0.1:0"},
	})
	if len(got) != 2 {
		t.Fatalf("findings: %v", got)
	}
	for _, f := range got {
		if f.Level != Problem || !strings.Contains(f.Found, "taken by") {
			t.Errorf("%+v, want a problem", f)
		}
		if self := fmt.Sprintf("(pid %d)", os.Getpid()); runtime.GOOS == "linux" && !strings.Contains(f.Cure, self) {
			t.Errorf("%+v does not say who: %s", f, self)
		}
	}
}

func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := find(t, disk(context.Background(), filepath.Join(file, "sub")), "disk"); f.Level != Problem {
		t.Errorf("a directory below a file: %+v", f)
	}
	s, err := try(context.Background(), dir, 1<<20)
	if err != nil || s.write <= 0 || s.sync <= 0 {
		t.Errorf("a trial of %s: %+v, %v", dir, s, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".starling*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	// A directory that is to be made is judged by the one that will hold it.
	at, err := existing(filepath.Join(dir, "a", "b"))
	if err != nil || at != dir {
		t.Errorf("the directory to look at is %q (%v), want %q", at, err, dir)
	}
}

// A full disk is told by its name.
func TestDiskRefuses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("staged with a device of Linux")
	}
	full := "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	f, err := os.OpenFile(full, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Write([]byte{1})
	if got := judgeSpeed("/d", speed{}, err); got.Level != Problem || !strings.Contains(got.Found, "no space left") {
		t.Errorf("a full disk: %+v", got)
	}
	var path *fs.PathError
	if !errors.As(err, &path) || !errors.Is(pathless(err), syscall.ENOSPC) {
		t.Errorf("the error of a full disk: %v", err)
	}
}

// What Linux is asked for is answered, and plausible.
func TestMeasures(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux is asked")
	}
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	if l := descriptors(); !l.known || l.now != r.Cur {
		t.Errorf("descriptors: %+v, want %d", l, r.Cur)
	}
	if m := measureMemory(); !m.known || m.available == 0 || m.available > m.total {
		t.Errorf("memory: %+v", m)
	}
	if v := statDisk(t.TempDir()); !v.known || v.kind == "" || v.total == 0 || v.free > v.total {
		t.Errorf("volume: %+v", v)
	}
	if h := measureHashing(); h.sha1 <= 0 || h.sha256 <= 0 || !h.in.known {
		t.Errorf("hashing: %+v", h)
	}
	const table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 0100007F:1B39 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n" +
		"   1: 0100007F:1B39 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n"
	if got := holders(table, 6969, stateListen); len(got) != 1 || got[0] != "4711" {
		t.Errorf("who listens at 6969: %v", got)
	}
}

// All checks together, in their order, and none after the end of the context.
func TestRun(t *testing.T) {
	u := trackerAt(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	o := Options{Data: t.TempDir(), Tracker: u, Patience: brief, Ports: []Port{{Network: "tcp", Addr: "127.0.0.1:1", For: "x", Option: "y"}}}
	var order []string
	for _, f := range Run(context.Background(), o) {
		order = append(order, f.Check)
	}
	want := []string{"tracker http", "tracker udp", "clock", "port 127.0.0.1:1/tcp", "descriptors", "file system", "disk space", "disk speed", "mtu", "hashing", "memory"}
	if strings.Join(order, ",") != strings.Join(want, ",") {
		t.Errorf("findings %v, want %v", order, want)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	o.Tracker = nil
	if got := Run(ended, o); len(got) != 0 {
		t.Errorf("after the end: %v", got)
	}
}
