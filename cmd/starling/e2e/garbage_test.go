//go:build linux

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// dribbleLimit is how long a connection may take to say nothing of use.
const dribbleLimit = 30 * time.Second

// target is a port under attack.
type target struct {
	addr   string
	prefix []byte          // begins a message that a dribbler never ends
	wrap   []func() []byte // what passes the first checks, so that the garbage gets further
	rng    *rand.Rand
}

// TestGarbage feeds the peer port and the tracker port with random bytes, the
// corpora of the fuzz targets, connections that trickle and connections that are
// reset, while an honest transfer goes on. Afterwards both processes weigh what
// they did before.
func TestGarbage(t *testing.T) {
	long(t)
	t.Parallel()
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), 32*mib, 11)
	const limit = 6 * mib // so that the transfer takes about as long as the attack
	s := newSwarm(t, dir, "d", "--up-limit", "6MiB/s")
	if _, err := s.counts(); err != nil {
		t.Fatal(err)
	}
	inputs := corpora(t)
	targets := []*target{s.peerTarget(), s.trackerTarget()}
	s.leech("fresh", "--no-seed").wait(0, time.Minute)
	before := s.settled(t, nil)
	for i := range choose(2, 8) {
		name := fmt.Sprintf("round%d", i)
		rate := s.round(t, name, targets, inputs)
		t.Logf("%s: the honest transfer went at %.2f of %d MiB/s", name, rate/mib, limit/mib)
		if full && rate < 0.9*limit {
			t.Errorf("%s: less than 0.9 of the rate without an attack", name)
		}
		after := s.settled(t, before)
		for k, who := range []string{"seed", "tracker"} {
			t.Logf("%s: %s before %v; after %v", name, who, before[k], after[k])
		}
		if i == 0 {
			// The runtime keeps a heap's spans for a while: from here on they do
			// not grow.
			before = after
		}
	}
}

// round attacks both ports at once and moves a file meanwhile, at the rate that it
// returns, in bytes a second.
func (s *swarm) round(t *testing.T, name string, targets []*target, inputs [][]byte) (rate float64) {
	t.Helper()
	honest := s.leech(name, "--no-seed", "--timeout", "1m")
	honest.event("first_byte", patience)
	var attack sync.WaitGroup
	for _, at := range targets {
		attack.Go(func() { at.dribble(t, choose(120, 500)) })
		attack.Go(func() { at.throw(t, inputs) })
		attack.Go(func() { at.reset(t, choose(1000, 5000)) })
	}
	honest.wait(0, time.Minute)
	s.arrived(name)
	attack.Wait()
	sum := honest.summary()
	return float64(sum.BytesFrom.Peers) / sum.DurationS
}

// settled returns what the seed and the tracker weigh once they hold nothing of
// the attack any more: about what they held at base, if there is one.
func (s *swarm) settled(t *testing.T, base []weight) (now []weight) {
	t.Helper()
	eventually(t, patience, func() error {
		now = now[:0]
		for i, p := range []*proc{s.seed, s.tracker} {
			w, err := weigh(p, []string{s.seedMetrics, s.admin}[i])
			if err != nil {
				return err
			}
			if base != nil && !w.like(base[i]) {
				return fmt.Errorf("%s has %v, before the attack %v", p.name, w, base[i])
			}
			now = append(now, w)
		}
		return nil
	})
	return now
}

// like says whether a process has come back to what it was. Threads and memory
// may be fewer; of threads the runtime starts some where system calls take long, and
// ends none: with one for each of the attack's connections there would be a hundred.
func (w weight) like(base weight) bool {
	const slack, threads, heap = 5, 32, 16 * mib
	return abs(w.goroutines-base.goroutines) <= slack && abs(w.descripts-base.descripts) <= slack &&
		w.threads <= base.threads+threads && w.rss <= base.rss+heap
}

func abs(n int) int { return max(n, -n) }

// peerTarget is the seed's port.
func (s *swarm) peerTarget() *target {
	rng := rand.New(rand.NewPCG(4711, 1))
	var mu sync.Mutex // many may greet at once
	ids := rand.New(rand.NewPCG(4711, 3))
	hello := func() []byte {
		mu.Lock()
		defer mu.Unlock()
		b := []byte("HELO\x00\x00\x00\x34\x00\x01\x00\x01" + s.infohash)
		for range 20 {
			b = append(b, byte(ids.Uint32()))
		}
		b = append(b, 0, 0, 0, 64)
		b = binary.BigEndian.AppendUint32(b, 256<<10)
		return append(b, "HNON\x00\x00\x00\x00"...)
	}
	types := []string{"HAVE", "DONT", "REQU", "CANC", "REJE", "PIEC", "SUGG", "BITF", "HALL", "INTR", "LIST", "NAME", "REPL", "ERRO", "QUIT", "JOIN", "\x00\x01\x02\x03"}
	framed := func() []byte {
		b := append(hello(), types[rng.IntN(len(types))]...)
		n := rng.IntN(64)
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		for range n {
			b = append(b, byte(rng.Uint32()>>rng.IntN(24)))
		}
		return b
	}
	return &target{addr: s.seedAddr, prefix: hello()[:50], wrap: []func() []byte{hello, framed}, rng: rng}
}

// trackerTarget is the tracker's public port.
func (s *swarm) trackerTarget() *target {
	announce := func() []byte { return []byte("GET /announce?info_hash=") }
	header := func() []byte { return []byte("GET /healthz HTTP/1.1\r\nHost: x\r\nX: ") }
	return &target{addr: s.trackerAddr, prefix: header(), wrap: []func() []byte{announce, header}, rng: rand.New(rand.NewPCG(4711, 2))}
}

// throw sends each input, and as many random ones, on connections of their own.
func (at *target) throw(t *testing.T, inputs [][]byte) {
	for i := range 2 * len(inputs) {
		var body []byte
		if i%2 == 0 {
			body = inputs[i/2]
		} else {
			body = make([]byte, 1+at.rng.IntN(32<<10))
			for k := range body {
				body[k] = byte(at.rng.Uint32())
			}
		}
		var head []byte
		if k := i / 2 % (len(at.wrap) + 1); k > 0 {
			head = at.wrap[k-1]()
		}
		at.talk(t, append(head, body...))
	}
}

// talk sends one input and hears the reply, which may be none.
func (at *target) talk(t *testing.T, b []byte) {
	c, err := net.Dial("tcp", at.addr)
	if err != nil {
		t.Errorf("%s does not accept: %v", at.addr, err)
		return
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Error(err)
	}
	_, _ = c.Write(b)             // the other end may close in the middle of it,
	_, _ = io.Copy(io.Discard, c) // or wait for more
}

// reset opens connections and resets them in the middle of something.
func (at *target) reset(t *testing.T, n int) {
	for i := range n {
		c, err := net.Dial("tcp", at.addr)
		if err != nil {
			t.Errorf("%s does not accept: %v", at.addr, err)
			return
		}
		_, _ = c.Write(at.prefix[:i%len(at.prefix)])
		_ = c.(*net.TCPConn).SetLinger(0) // Close then sends RST
		c.Close()
	}
}

// dribble opens connections that send a byte a second until they are cut, which
// each must be in time.
func (at *target) dribble(t *testing.T, n int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if err := trickle(at.addr, at.prefix); err != nil {
				t.Errorf("a dribbler at %s: %v", at.addr, err)
			}
		})
	}
	all.Wait()
}

func trickle(addr string, b []byte) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for began := time.Now(); time.Since(began) < dribbleLimit; b = b[1:] {
		if _, err := c.Write(b[:1]); err != nil {
			return nil
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil // closed or reset; the tracker may have said why
		}
		if len(b) == 1 {
			return errors.New("it was let finish")
		}
	}
	return fmt.Errorf("not cut within %s", dribbleLimit)
}

// corpora are the committed inputs of the fuzz targets of everything that parses.
func corpora(t *testing.T) [][]byte {
	t.Helper()
	var inputs [][]byte
	for _, pkg := range []string{"peer", "p2p", "p2p/tcp", "tracker", "tracker/swarm", "internal/benc", "metainfo"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", filepath.FromSlash(pkg), "testdata", "fuzz", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			inputs = append(inputs, corpus(t, file)...)
		}
	}
	if len(inputs) < 20 {
		t.Errorf("only %d inputs found", len(inputs))
	}
	return inputs
}

// corpus reads the byte slices and strings of one file of a fuzz corpus.
func corpus(t *testing.T, file string) (inputs [][]byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		for _, kind := range []string{"[]byte(", "string("} {
			quoted, ok := strings.CutPrefix(strings.TrimSpace(line), kind)
			if !ok {
				continue
			}
			value, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			inputs = append(inputs, []byte(value))
		}
	}
	return inputs
}
