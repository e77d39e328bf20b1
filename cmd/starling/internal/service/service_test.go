package service

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// ear is the manager's end of the socket.
type ear struct {
	t *testing.T
	c *net.UnixConn
}

func listen(t *testing.T, name string) *ear {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &ear{t, c}
}

func (e *ear) want(message string) {
	e.t.Helper()
	if err := e.c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		e.t.Fatal(err)
	}
	b := make([]byte, 1<<10)
	n, err := e.c.Read(b)
	if err != nil {
		e.t.Fatalf("no message, want %q: %v", message, err)
	}
	if got := string(b[:n]); got != message {
		e.t.Errorf("message %q, want %q", got, message)
	}
}

func env(vars map[string]string) func(string) string { return func(k string) string { return vars[k] } }

func TestLifecycle(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	e := listen(t, name)
	m := Open(env(map[string]string{"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "4000000"}))
	now := time.Unix(1e9, 0)
	m.now = func() time.Time { return now }

	m.Alive() // before Ready nothing is said but Stopping: what comes next is READY
	m.Reloading()
	m.Reloaded()
	m.Ready("serving\nthere")
	e.want("READY=1\nSTATUS=serving there")

	now = now.Add(999 * time.Millisecond)
	m.Alive() // too early
	m.Reloading()
	e.want("RELOADING=1")
	m.Reloaded()
	e.want("READY=1")

	now = now.Add(time.Millisecond)
	m.Alive()
	e.want("WATCHDOG=1")
	m.Alive()
	m.Reloading()
	e.want("RELOADING=1")
	m.Stopping()
	e.want("STOPPING=1")
	m.Reloaded() // says nothing: what comes next is a sign of life
	now = now.Add(time.Second)
	m.Alive()
	e.want("WATCHDOG=1")
}

func TestAbstractSocket(t *testing.T) {
	name := "@starling-test-" + strconv.Itoa(os.Getpid())
	e := listen(t, name)
	m := Open(env(map[string]string{"NOTIFY_SOCKET": name}))
	m.Ready("x")
	e.want("READY=1\nSTATUS=x")
}

func TestNobodyListens(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"", "relative", "vsock:2:1", filepath.Join(dir, "none")} {
		m := Open(env(map[string]string{"NOTIFY_SOCKET": name}))
		if m != nil {
			t.Errorf("%q: a manager", name)
		}
		m.Ready("x")
		m.Reloading()
		m.Reloaded()
		m.Alive()
		m.Stopping()
	}
}

func TestWatchdog(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"", "", 0},
		{"30000000", "", 30 * time.Second},
		{"30000000", pid, 30 * time.Second},
		{"30000000", "1", 0}, // our parent's, not ours
		{"0", pid, 0},
		{"-5", pid, 0},
		{"soon", pid, 0},
		{"9223372036854775807", pid, 0},
	} {
		if got := watchdog(env(map[string]string{"WATCHDOG_USEC": c.usec, "WATCHDOG_PID": c.pid})); got != c.want {
			t.Errorf("WATCHDOG_USEC=%s WATCHDOG_PID=%s: %v, want %v", c.usec, c.pid, got, c.want)
		}
	}
}
