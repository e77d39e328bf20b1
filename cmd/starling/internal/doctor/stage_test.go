package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

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

// All checks together, in their order, and none after the end of the context.
func TestRun(t *testing.T) {
	u := trackerAt(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	o := Options{Data: t.TempDir(), Tracker: u, Patience: long, Ports: []Port{{Network: "tcp", Addr: "127.0.0.1:1", For: "x", Option: "y"}}}
	var order []string
	for _, f := range Run(context.Background(), o) {
		order = append(order, f.Check)
	}
	want := []string{"tracker http", "tracker udp", "environment", "clock", "port 127.0.0.1:1/tcp", "descriptors", "file system", "disk space", "disk speed", "mtu", "hashing", "memory"}
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
