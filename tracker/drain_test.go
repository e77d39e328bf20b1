package tracker

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// notReady waits until the tracker says that it is not ready.
func notReady(t *testing.T, s *running) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if status, _ := get(t, s.admin, "/readyz"); status == http.StatusServiceUnavailable {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it is ready for ever")
		}
	}
}

// While it lingers the tracker answers on, over old and new connections, each answer
// the last of its connection. What a client has sent before, pipelined, is answered.
func TestLinger(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	old, piped := dialRaw(t, s.addr), dialRaw(t, s.addr)
	old.send(t, plainGET(announcePath(hash1, 1, "&left=0")))
	if resp, _ := old.reply(t); resp.Close {
		t.Fatal("an answer is the last before the end")
	}
	s.ready.Store(false) // what Serve does first of all when it is told to stop
	notReady(t, s)
	for name, end := range map[string]string{"front": "Host: t\r\n\r\n", "net/http": "Host: t\r\nContent-Length: 0\r\n\r\n"} {
		c := dialRaw(t, s.addr)
		c.send(t, "GET "+announcePath(hash1, 2, "&left=0")+" HTTP/1.1\r\n"+end)
		if resp, body := c.reply(t); !resp.Close || field(t, body, "complete") == "" {
			t.Errorf("%s: an answer while it lingers: close %t, %q", name, resp.Close, body)
		}
	}
	old.send(t, plainGET(announcePath(hash1, 3, "&left=0")))
	if resp, _ := old.reply(t); !resp.Close {
		t.Error("an old connection is kept")
	}
	piped.send(t, strings.Repeat(plainGET(announcePath(hash1, 4, "&left=0")), 3))
	for i := range 3 {
		if resp, _ := piped.reply(t); resp.Close != (i == 2) {
			t.Errorf("pipelined answer %d: close %t", i, resp.Close)
		}
	}
	s.ready.Store(true)
}

// A request of which a part has come when the tracker stops is answered once the rest
// is there.
func TestStopWaitsForTheRest(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	c := dialRaw(t, s.addr)
	whole := plainGET(announcePath(hash1, 1, "&left=0"))
	c.send(t, whole[:20])
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	deadline := time.Now().Add(10 * time.Second)
	for !s.draining.Load() {
		if time.Now().After(deadline) {
			t.Fatal("it does not drain")
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(2 * lastCall) // longer than who has sent nothing would be waited for
	c.send(t, whole[20:])
	if resp, body := c.reply(t); resp.StatusCode != http.StatusOK || field(t, body, "complete") != "1" || !resp.Close {
		t.Errorf("the answer: %d %q, close %t", resp.StatusCode, body, resp.Close)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
