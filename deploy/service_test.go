package deploy

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// patience is how long anything may take on a machine that does much else.
	patience = time.Minute
	// watchdog is what the services are told; the units say longer.
	watchdog = 4 * time.Second
)

// service is a process with a service manager's socket, which the test reads.
type service struct {
	t       *testing.T
	name    string
	cmd     *exec.Cmd
	success []string // exit codes
	socket  *net.UnixConn
	stderr  lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startService(t *testing.T, name string, argv []string, success string) *service {
	t.Helper()
	home := t.TempDir()
	path := filepath.Join(home, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, name: name, success: strings.Fields(success), socket: socket, cmd: exec.Command(argv[0], argv[1:]...)}
	s.cmd.Dir, s.cmd.Stderr = home, &s.stderr
	s.cmd.Env = []string{"HOME=" + home, "NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=" + strconv.FormatInt(watchdog.Microseconds(), 10)}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		_ = s.cmd.Wait()
		socket.Close()
		if t.Failed() {
			t.Logf("%s: %v\n%s", name, argv, s.stderr.String())
		}
	})
	return s
}

// hear waits for a message that begins so, and returns it. Signs of life may come before
// any other, and nothing else may.
func (s *service) hear(want string) string {
	s.t.Helper()
	late := time.Now().Add(patience)
	for b := make([]byte, 4<<10); ; {
		if err := s.socket.SetReadDeadline(late); err != nil {
			s.t.Fatal(err)
		}
		n, err := s.socket.Read(b)
		if err != nil {
			s.t.Fatalf("%s never said %s: %v", s.name, want, err)
		}
		got := string(b[:n])
		if strings.HasPrefix(got, want) {
			return got
		}
		if got != "WATCHDOG=1" {
			s.t.Fatalf("%s said %q, want %s", s.name, got, want)
		}
	}
}

func (s *service) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("%s: %v", s.name, err)
	}
}

func (s *service) reload() {
	s.t.Helper()
	s.signal(syscall.SIGHUP)
	s.hear("RELOADING=1")
	s.hear("READY=1")
}

func (s *service) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	s.hear("STOPPING=1")
	_ = s.cmd.Wait() // the exit code follows
	if code := strconv.Itoa(s.cmd.ProcessState.ExitCode()); !slices.Contains(append(s.success, "0"), code) {
		s.t.Errorf("%s: exit code %s, and its unit takes %v for success", s.name, code, s.success)
	}
}

// eventually polls until check is content.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !check(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// TestMonitorService: a monitor has no unit of ours; under one of somebody's it says what
// the others say.
func TestMonitorService(t *testing.T) {
	m := startService(t, "monitor", []string{build(t), "monitor", "--listen", "127.0.0.1:0", "--count"}, "143")
	if status := m.hear("READY=1"); !strings.Contains(status, "STATUS=serving monitor 127.0.0.1:") {
		t.Errorf("ready with %q", status)
	}
	m.hear("WATCHDOG=1")
	m.hear("WATCHDOG=1")
	m.stop()
}

func waitForTorrent(t *testing.T, url string) {
	t.Helper()
	eventually(t, "the tracker serves "+url, func() bool {
		r, err := http.Get(url)
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

func waitForFile(t *testing.T, path, want string) {
	t.Helper()
	eventually(t, path+" is there", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
	if got := read(t, path); got != want {
		t.Errorf("%s has %d bytes, want %d", path, len(got), len(want))
	}
}
