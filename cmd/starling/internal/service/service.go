package service

import (
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// beats is how many signs of life fit into the manager's patience.
	beats = 4
	// patience is how long a message may wait for a manager that is slow to read.
	patience = time.Second
)

// Manager is the service manager's ear. It is safe for use by several goroutines.
type Manager struct {
	now   func() time.Time
	every time.Duration // between two signs of life; 0: none is wanted

	mu       sync.Mutex
	conn     *net.UnixConn
	ready    bool
	stopping bool
	last     time.Time // of the last sign of life
}

// Open returns the manager that getenv names, nil if there is none or it cannot be
// reached.
func Open(getenv func(string) string) *Manager {
	name := getenv("NOTIFY_SOCKET")
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") {
		return nil // not set, or of a kind that Linux does not have between processes of a host
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil
	}
	return &Manager{now: time.Now, every: watchdog(getenv) / beats, conn: conn}
}

// watchdog is the time without a sign of life after which the manager acts, 0 for
// never. WATCHDOG_PID keeps a child from taking over its parent's duty.
func watchdog(getenv func(string) string) time.Duration {
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || us <= 0 || us > int64(24*time.Hour/time.Microsecond) {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

// Ready says that the process serves; status is a line for people.
func (m *Manager) Ready(status string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready, m.last = true, m.now()
	m.send("READY=1\nSTATUS=" + strings.ReplaceAll(status, "\n", " "))
}

// Reloading says that the configuration is being read; Reloaded must follow. Before
// Ready neither says anything, since Reloaded's message would be taken for that of
// Ready; nor after Stopping, which it would take back.
func (m *Manager) Reloading() { m.whileReady("RELOADING=1") }

// Reloaded says that the process serves again.
func (m *Manager) Reloaded() { m.whileReady("READY=1") }

func (m *Manager) whileReady(message string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ready && !m.stopping {
		m.send(message)
	}
}

// Stopping says that the process ends by itself now.
func (m *Manager) Stopping() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopping = true
	m.send("STOPPING=1")
}

// Alive passes a sign of life on, unless it has just done so or none is wanted.
func (m *Manager) Alive() {
	if m == nil || m.every == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.now(); m.ready && now.Sub(m.last) >= m.every {
		m.last = now
		m.send("WATCHDOG=1")
	}
}

// send needs mu. Why an error is dropped is in the package's comment.
func (m *Manager) send(message string) {
	_ = m.conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = m.conn.Write([]byte(message))
}
