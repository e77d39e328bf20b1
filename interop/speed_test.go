//go:build linux

package interop

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// speedTree is what speed trials move: long enough that the start does not count.
var speedTree = map[string]int{"big.bin": 512 << 20}

// TestSpeed prints how fast starling and each client of the matrix send to and
// fetch from one another, and what it costs them, each beside the client's own
// pair in the same minute. It judges nothing but the bytes. STARLING_SPEED says
// how many rounds; TMPDIR should be in memory.
func TestSpeed(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("STARLING_SPEED"))
	if err != nil {
		t.Skip("a measurement: STARLING_SPEED=3 makes three rounds of it")
	}
	for _, p := range []*program{libtorrent, transmission, aria2} {
		needs(t, p)
	}
	for round := range rounds {
		for _, p := range []*program{libtorrent, transmission, aria2} {
			for _, pair := range [][2]*program{{p, p}, {ours, p}, {p, ours}, {ours, ours}} {
				name := pair[0].name + " to " + pair[1].name
				t.Run(strconv.Itoa(round)+" "+name, func(t *testing.T) { speedOf(t, pair[0], pair[1]) })
			}
		}
	}
}

func speedOf(t *testing.T, seed, leech *program) {
	site := newSite(t)
	tr := site.tracker()
	s := site.swarm(speedTree, tr, "--tracker", tr.url, "--piece-size", "256KiB")
	from := s.seed(seed, settings{quiet: true})
	tr.knows(s.meta, 1, 0)
	before := from.cpu()
	to := s.leech(leech, settings{quiet: true})
	began, moved := to.moving()
	to.completed(2 * time.Minute)
	took := time.Since(began)
	if c, ok := to.client.(*starlingClient); ok {
		took = c.doneAt().Sub(began)
	}
	t.Logf("%4.0f MiB/s; CPU seconds: seed %.2f, leecher %.2f", float64(int64(speedTree["big.bin"])-moved)/took.Seconds()/(1<<20), from.cpu()-before, to.cpu())
	s.arrived(to)
}

// moving waits for the first bytes, and says when they had come and how many.
func (n *node) moving() (at time.Time, bytes int64) {
	n.t.Helper()
	if c, ok := n.client.(*starlingClient); ok {
		c.wait("the first byte", patience, func(d *document) bool { return d.Event == "first_byte" })
		return time.Now(), 0
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		if s, err := n.state(); err == nil && s.down > 0 {
			return time.Now(), s.down
		}
		select {
		case <-late:
			n.t.Fatal(errors.New(n.name + " fetches nothing"))
		case <-tick.C:
		}
	}
}

// doneAt is when starling said that it was complete.
func (c *starlingClient) doneAt() time.Time {
	return c.wait("completion", patience, func(d *document) bool { return d.Event == "complete" }).Time
}

// cpu is the processor time that the node's process has used, in seconds.
func (n *node) cpu() float64 {
	n.t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(n.cmd.Process.Pid) + "/stat")
	if err != nil {
		n.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	ticks := 0
	for _, f := range fields[11:13] { // utime and stime of proc(5)
		k, err := strconv.Atoi(f)
		if err != nil {
			n.t.Fatal(err)
		}
		ticks += k
	}
	return float64(ticks) / 100
}
