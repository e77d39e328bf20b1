//go:build linux

package tracker

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"starling/tracker/swarm"
)

// command finds a program of a Debian package. Where it is missing the test is
// skipped, and under CI fails.
func command(t *testing.T, name, pkg string, probe ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil && len(probe) > 0 {
		err = exec.Command(path, probe...).Run()
	}
	if err == nil {
		return path
	}
	why := fmt.Sprintf("%s is missing; Debian has it in the package %s", name, pkg)
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// run starts a program in a folder of its own until the test ends, and returns its
// input and the lines of its output.
func run(t *testing.T, dir, path string, args ...string) (io.WriteCloser, <-chan string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case lines <- s.Text():
			default: // more than anybody reads
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
	})
	return in, lines
}

// await waits for a line that begins with what.
func await(t *testing.T, lines <-chan string, what string) string {
	t.Helper()
	late := time.After(30 * time.Second)
	var seen []string
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the program ended without %q: %q", what, seen)
			}
			if strings.HasPrefix(line, what) {
				return line
			}
			seen = append(seen, line)
		case <-late:
			t.Fatalf("no %q in 30 s: %q", what, seen)
		}
	}
}

// awaitCounts waits until a swarm of ours has so many seeds and others.
func awaitCounts(t *testing.T, s *running, h swarm.InfoHash, complete, incomplete int) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, _ := s.Counts(h)
		if c.Complete == complete && c.Incomplete == incomplete {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%+v, want %d complete and %d incomplete", c, complete, incomplete)
		}
	}
}

// TestOpentracker takes two peers of ours through the events at opentracker, over
// both of its protocols.
func TestOpentracker(t *testing.T) {
	path := command(t, "opentracker", "opentracker")
	for _, scheme := range []string{"http", "udp"} {
		t.Run(scheme, func(t *testing.T) {
			at, hash := openTracker(t, path)
			url := scheme + "://" + at + "/announce"
			a, b := newClient(t, []string{url}), newClient(t, []string{url})
			say := func(c *Client, hash [20]byte, port uint16, left int64, e Event) (Response, error) {
				return c.Announce(t.Context(), Request{InfoHash: hash, PeerID: [20]byte{byte(port)}, Port: port, Left: left, Event: e, NumWant: 50})
			}
			if _, err := say(a, hash, 7001, 0, EventStarted); err != nil {
				t.Fatal(err)
			}
			r, err := say(b, hash, 7002, 5, EventStarted)
			if err != nil || !strings.Contains(addrs(r), "127.0.0.1:7001") || r.Complete != 1 || r.Incomplete != 1 || r.Interval < 20*time.Minute {
				t.Fatalf("%+v %v", r, err)
			}
			if _, err := say(b, hash, 7002, 0, EventCompleted); err != nil {
				t.Fatal(err)
			}
			got, err := b.Scrape(t.Context(), [][20]byte{hash})
			if err != nil || got[0].Complete != 2 || got[0].Incomplete != 0 || got[0].Downloaded != 1 {
				t.Errorf("scrape %+v %v", got, err)
			}
			if _, err := say(a, hash, 7001, 0, EventStopped); err != nil {
				t.Fatal(err)
			}
			if r, err := say(b, hash, 7002, 0, EventNone); err != nil || strings.Contains(addrs(r), "7001") || r.Complete != 1 {
				t.Errorf("after stopped: %+v %v", r, err)
			}
			// Of what it does not serve it says nothing over UDP.
			b.ways[0].udp.first = 100 * time.Millisecond
			_, err = say(b, [20]byte{1}, 7002, 0, EventNone)
			var refused *RefusedError
			if !errors.As(err, &refused) && !errors.Is(err, errSilent) {
				t.Errorf("another torrent: %v", err)
			}
		})
	}
}

// openTracker runs an opentracker that serves one torrent, which is all that
// Debian's build does.
func openTracker(t *testing.T, path string) (addr string, hash [20]byte) {
	t.Helper()
	hash = [20]byte(bytes.Repeat([]byte{0xa7}, 20))
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "white"), []byte(hex.EncodeToString(hash[:])+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	ln.Close()
	run(t, dir, path, "-i", "127.0.0.1", "-p", port, "-P", port, "-d", dir, "-w", "white", "-u", "nobody")
	// It reads its list of torrents after it has begun to answer.
	c := newClient(t, []string{"http://" + addr + "/announce"})
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, err := c.Announce(t.Context(), Request{InfoHash: hash, Port: 1, Event: EventStarted})
		if err == nil {
			_, err = c.Announce(t.Context(), Request{InfoHash: hash, Port: 1, Event: EventStopped})
		}
		if err == nil {
			return addr, hash
		}
		if time.Now().After(late) {
			t.Fatal(err)
		}
	}
}

// TestLibtorrent has libtorrent announce to our tracker over both protocols and
// both families, be given a peer, and say when it leaves.
func TestLibtorrent(t *testing.T) {
	python := command(t, "/usr/bin/python3", "python3-libtorrent", "-c", "import libtorrent")
	script, err := filepath.Abs("testdata/announce.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ scheme, ip string }{{"http", "127.0.0.1"}, {"udp", "127.0.0.1"}, {"udp", "[::1]"}} {
		t.Run(c.scheme+" "+c.ip, func(t *testing.T) {
			s, at := startUDP(t, DefaultConfig(), c.ip+":0")
			addr := at.String()
			if c.scheme == "http" {
				addr = s.addr
			}
			hash := [20]byte{1, 2, 3}
			url := c.scheme + "://" + addr + "/announce?passkey=x"
			ours := newClient(t, []string{url})
			if _, err := ours.Announce(t.Context(), Request{InfoHash: hash, Port: 7001, Event: EventStarted}); err != nil {
				t.Fatal(err)
			}
			in, lines := run(t, t.TempDir(), python, script, url, hex.EncodeToString(hash[:]), c.ip+":0")
			if got := await(t, lines, "reply"); got != "reply 1" {
				t.Errorf("libtorrent: %s", got)
			}
			awaitCounts(t, s, hash, 1, 1)
			if r, err := ours.Announce(t.Context(), Request{InfoHash: hash, Port: 7001, NumWant: -1}); err != nil || len(r.Peers) != 1 {
				t.Errorf("we are told of %+v %v", r, err)
			}
			fmt.Fprintln(in, "stop")
			awaitCounts(t, s, hash, 1, 0)
		})
	}
}

// TestAria2 has aria2 announce to our tracker. It speaks UDP only with its DHT on.
func TestAria2(t *testing.T) {
	path := command(t, "aria2c", "aria2")
	for _, scheme := range []string{"http", "udp"} {
		t.Run(scheme, func(t *testing.T) {
			s, at := startUDP(t, DefaultConfig(), "127.0.0.1:0")
			addr := at.String()
			if scheme == "http" {
				addr = s.addr
			}
			raw := torrentFile("aria2 " + scheme)
			e, err := parseTorrent("x", raw)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "x.torrent")
			if err := os.WriteFile(file, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			_, lines := run(t, dir, path, "--no-conf", "--dir="+dir, "--listen-port=20000-60000", "--dht-listen-port=20000-60000",
				"--enable-dht=true", "--dht-file-path="+filepath.Join(dir, "dht"), "--enable-dht6=false", "--bt-enable-lpd=false",
				"--enable-peer-exchange=false", "--interface=127.0.0.1", "--bt-tracker="+scheme+"://"+addr+"/announce", file)
			go func() {
				for range lines {
				}
			}()
			awaitCounts(t, s, e.hash, 0, 1)
		})
	}
}
