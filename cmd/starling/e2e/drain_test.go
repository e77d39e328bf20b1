//go:build linux

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestDrain stops a tracker with SIGTERM while it is announced to as fast as it
// answers: whoever has sent a request gets the whole answer, and whoever gets none
// was refused before he sent it, or sent it later than promised. /readyz says 503 while announces are still answered.
// What was answered is in the swarms of the tracker that is started after it.
func TestDrain(t *testing.T) {
	for _, drain := range []string{"0s", "300ms"} {
		t.Run(drain, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := []string{"tracker", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state", filepath.Join(dir, "state"), "--drain", drain}
			tracker := start(t, "tracker", args...)
			at := tracker.ready()
			args[2] = at["tracker"]
			l := newLoad(at["tracker"])
			before := uint64(0)
			for round := range choose(3, 20) {
				stop := make(chan struct{})
				var crowd sync.WaitGroup
				for i := range loadWorkers {
					crowd.Go(func() { l.run(stop, i%2 == 0) })
				}
				eventually(t, patience, func() error {
					if n := l.answered.Load(); n < before+1000 {
						return fmt.Errorf("%d announces answered", n)
					}
					return nil
				})
				if err := tracker.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				if drain != "0s" {
					sawDrain(t, l, at["admin"])
				}
				tracker.wait(128+int(syscall.SIGTERM), 6*time.Second)
				// The crowd goes on knocking until the next tracker is there.
				tracker = start(t, fmt.Sprint("tracker ", round+2), args...)
				at = tracker.ready()
				close(stop)
				crowd.Wait()
				if lost := l.lost(); len(lost) > 0 {
					t.Fatalf("of %d announces %d were sent and got no answer: %v", l.answered.Load(), len(lost), lost[:min(len(lost), 5)])
				}
				for hash, want := range l.listed() {
					if got := l.scrape(t, hash); got < want {
						t.Errorf("swarm %d: the tracker that came back has %d peers of %d that were answered", hash, got, want)
					}
				}
				before = l.answered.Load()
			}
			t.Logf("%d announces answered, %d refused, %d sent too late", l.answered.Load(), l.refused.Load(), l.late.Load())
		})
	}
}

// sawDrain waits until the tracker says that it is not ready, and for an announce that
// is answered after that.
func sawDrain(t *testing.T, l *load, admin string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		resp, err := http.Get("http://" + admin + "/readyz")
		if err != nil {
			t.Fatalf("no answer from /readyz while it drains: %v", err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusServiceUnavailable {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("never said that it was not ready")
		}
	}
	seen := l.answered.Load()
	eventually(t, patience, func() error {
		if l.answered.Load() == seen {
			return errors.New("no announce was answered after /readyz said 503")
		}
		return nil
	})
}

const (
	loadWorkers = 24
	loadSwarms  = 8
	// loadPorts bounds the peers: more would be more than a port can tell apart.
	loadPorts = 60_000
	// promised is how long after he has connected, or asked last, a client's request is
	// answered for certain: a tracker that ends waits so long for who is idle. On a
	// busy machine a worker of ours may come later than that.
	promised = 100 * time.Millisecond
)

// load announces peers of a few swarms, each once, and keeps account of them.
type load struct {
	addr              string
	next              atomic.Uint64
	answered, refused atomic.Uint64
	late              atomic.Uint64 // sent after what is promised, and not answered

	mu    sync.Mutex
	gone  []error
	known [loadSwarms]map[int]bool
}

func newLoad(addr string) *load {
	l := &load{addr: addr}
	for i := range l.known {
		l.known[i] = map[int]bool{}
	}
	return l
}

// listed is how many peers of each swarm have had an answer.
func (l *load) listed() (n [loadSwarms]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.known {
		n[i] = len(l.known[i])
	}
	return n
}

func (l *load) lost() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

// run announces until stop, over connections that are kept as long as the tracker
// keeps them, or over one for each request.
func (l *load) run(stop <-chan struct{}, keep bool) {
	var conn net.Conn
	var in *bufio.Reader
	var since time.Time // right before the connection was asked for, or its last request sent
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	for {
		select {
		case <-stop:
			return
		default:
		}
		if conn == nil {
			since = time.Now()
			c, err := net.DialTimeout("tcp", l.addr, 10*time.Second)
			if err != nil {
				l.refused.Add(1)
				if !errors.Is(err, syscall.ECONNREFUSED) {
					l.lose(err)
				}
				select {
				case <-stop:
				case <-time.After(5 * time.Millisecond): // a client's next try
				}
				continue
			}
			conn, in = c, bufio.NewReader(c)
		}
		n := l.next.Add(1)
		asked := time.Now()
		again, sent, err := l.announce(conn, in, n)
		switch {
		case err == nil:
		case sent.Sub(since) > promised:
			l.late.Add(1)
		default:
			l.lose(err)
		}
		since = asked
		if err != nil || !again || !keep {
			conn.Close()
			conn = nil
		}
	}
}

func (l *load) lose(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = append(l.gone, err)
}

func loadHash(swarm int) string { return strings.Repeat(string(rune('a'+swarm)), 20) }

// announce sends the n-th announce and reads the whole answer; again says that the
// connection may carry another, sent when the request was on its way.
func (l *load) announce(c net.Conn, in *bufio.Reader, n uint64) (again bool, sent time.Time, err error) {
	hash, port := int(n%loadSwarms), int(1+n/loadSwarms%loadPorts)
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return false, sent, err
	}
	if _, err := fmt.Fprintf(c, "GET /announce?info_hash=%s&peer_id=-XX0000-%012d&port=%d&uploaded=0&downloaded=0&left=1&compact=1&numwant=5&event=started HTTP/1.1\r\nHost: %s\r\n\r\n",
		loadHash(hash), n, port, l.addr); err != nil {
		return false, time.Now(), fmt.Errorf("send: %w", err)
	}
	sent = time.Now()
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return false, sent, fmt.Errorf("answer: %w", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || len(body) == 0 || body[len(body)-1] != 'e' {
		return false, sent, fmt.Errorf("answer %d %q: %v", resp.StatusCode, body, err)
	}
	if !strings.Contains(string(body), "failure") {
		l.mu.Lock()
		l.known[hash][port] = true
		l.mu.Unlock()
	}
	l.answered.Add(1)
	return !resp.Close, sent, nil
}

// scrape is how many leechers the tracker lists in a swarm.
func (l *load) scrape(t *testing.T, swarm int) int {
	t.Helper()
	c, err := countsOf(l.addr, loadHash(swarm))
	if err != nil {
		t.Fatal(err)
	}
	return int(c.incomplete)
}

// TestDrainUDP is the same over UDP, whose requests may be lost and are sent again: a
// request is answered in three tries or the port is closed.
func TestDrainUDP(t *testing.T) {
	t.Parallel()
	tracker := start(t, "tracker", "tracker", "--listen", "127.0.0.1:0", "--admin-listen", "", "--drain", "200ms")
	at := tracker.ready()["udp"]
	var answered atomic.Uint64
	var crowd sync.WaitGroup
	ends := make(chan error, 8)
	for range cap(ends) {
		crowd.Go(func() { ends <- connectsUntilRefused(at, &answered) })
	}
	eventually(t, patience, func() error {
		if n := answered.Load(); n < 1000 {
			return fmt.Errorf("%d answers", n)
		}
		return nil
	})
	tracker.term()
	crowd.Wait()
	close(ends)
	for err := range ends {
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a client's end: %v", err)
		}
	}
	t.Logf("%d answers", answered.Load())
}

// connectsUntilRefused sends BEP 15 connect requests, each up to three times, until
// the port is closed.
func connectsUntilRefused(at string, answered *atomic.Uint64) error {
	c, err := net.Dial("udp", at)
	if err != nil {
		return err
	}
	defer c.Close()
	request := []byte("\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00tid!")
	answer := make([]byte, 64)
	for tries := 0; tries < 3; {
		if _, err := c.Write(request); err != nil {
			return err
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		n, err := c.Read(answer)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			return err
		case err != nil:
			tries++
		case n != 16 || string(answer[4:8]) != "tid!":
			return fmt.Errorf("answer %q", answer[:n])
		default:
			tries = 0
			answered.Add(1)
		}
	}
	return errors.New("three requests without an answer")
}

// TestSecondSignal: whoever cannot wait for a drain ends it with another SIGTERM.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	tracker := start(t, "tracker", "tracker", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain", "5m")
	at := tracker.ready()
	terminate := func() {
		t.Helper()
		if err := tracker.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	terminate()
	eventually(t, patience, func() error {
		if _, err := get("http://" + at["admin"] + "/readyz"); err == nil {
			return errors.New("it is ready")
		}
		return nil
	})
	if _, err := get("http://" + at["admin"] + "/healthz"); err != nil {
		t.Errorf("while it drains: %v", err)
	}
	terminate()
	tracker.wait(128+int(syscall.SIGTERM), 5*time.Second)
}

// TestIdleConnectionIsKept: a connection that has said nothing yet when the tracker is
// told to stop may still bring its request while it drains.
func TestIdleConnectionIsKept(t *testing.T) {
	t.Parallel()
	tracker := start(t, "tracker", "tracker", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain", "1s")
	at := tracker.ready()
	l := newLoad(at["tracker"])
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := tracker.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, func() error {
		if m, err := get("http://" + at["tracker"] + "/readyz"); err == nil {
			return fmt.Errorf("ready: %s", m)
		}
		return nil
	})
	if again, _, err := l.announce(c, bufio.NewReader(c), 1); err != nil || again {
		t.Errorf("an announce while it drains: %v, and another may follow: %t", err, again)
	}
	tracker.wait(128+int(syscall.SIGTERM), 6*time.Second)
	if _, err := net.Dial("tcp", l.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a connection after the end: %v", err)
	}
}
