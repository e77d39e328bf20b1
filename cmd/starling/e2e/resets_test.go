//go:build linux

package e2e

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestResets has many peers and clients connect and reset each of their connections
// within a second, at any stage, while a transfer goes on. Afterwards the seed and the
// tracker hold what they held.
func TestResets(t *testing.T) {
	long(t)
	t.Parallel()
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), choose[int64](64*mib, 1024*mib), 41)
	s := newSwarm(t, dir, "d", "--up-limit", "2MiB/s")
	if _, err := s.counts(); err != nil {
		t.Fatal(err)
	}
	greet, ask := s.peerTarget().wrap[0], "GET /announce?info_hash="
	peers := func(i int) []byte { return greedyWords(i, greet()) }
	clients := func(i int) []byte {
		return []byte([]string{"", ask, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"}[i%4])
	}
	storm := func(d time.Duration) (resets int64) {
		ctx, enough := context.WithTimeout(t.Context(), d)
		defer enough()
		var all sync.WaitGroup
		var n atomic.Int64
		for i := range 100 {
			all.Go(func() { resetOften(ctx, s.seedAddr, i, peers, &n) })
			all.Go(func() { resetOften(ctx, s.trackerAddr, i, clients, &n) })
		}
		all.Wait()
		return n.Load()
	}
	before := s.settled(t, nil)
	storm(3 * time.Second)
	before = s.settled(t, before) // now with the runtime's own part: threads, spans
	honest := s.leech("out", "--no-seed", "--timeout", "30m")
	honest.event("first_byte", patience)
	n := storm(choose(30*time.Second, 10*time.Minute))
	honest.wait(0, 5*time.Minute)
	s.arrived("out")
	after := s.settled(t, before)
	t.Logf("%d connections reset", n)
	for k, who := range []string{"seed", "tracker"} {
		t.Logf("%s before %v; after %v", who, before[k], after[k])
	}
}

// resetOften connects, says what say has for it, and resets the connection at the end
// of the second, until ctx ends.
func resetOften(ctx context.Context, addr string, i int, say func(int) []byte, n *atomic.Int64) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for ; ctx.Err() == nil; i++ {
		c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = c.SetDeadline(time.Now().Add(time.Second))
			_, _ = c.Write(say(i)) // who is refused is reset by the other end
		}
		select {
		case <-ctx.Done():
		case <-second.C:
		}
		if err == nil {
			_ = c.(*net.TCPConn).SetLinger(0) // Close then sends RST
			c.Close()
			n.Add(1)
		}
	}
}

// greedyWords are what a peer says before it resets: nothing, half of a greeting, all of
// it, or what those say who want much.
func greedyWords(i int, hello []byte) []byte {
	switch i % 8 {
	case 0:
		return nil
	case 1:
		return hello[:30]
	case 2:
		return hello
	}
	return greedy(i, hello).words
}
