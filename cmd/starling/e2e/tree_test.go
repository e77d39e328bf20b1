//go:build linux

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTree sends a tree of thousands of small files, the Go toolchain's own,
// through a tracker and a seed to three leechers.
func TestTree(t *testing.T) {
	long(t)
	dir := t.TempDir()
	part := choose("src/cmd", ".")
	files, size := copyTree(t, filepath.Join(goroot(t), part), filepath.Join(dir, "tree"))
	s := newSwarm(t, dir, "tree", "--choke", "cooperative")
	began := time.Now()
	var leechers []*proc
	for i := range 3 {
		leechers = append(leechers, s.leech(fmt.Sprintf("leecher%d", i), "--choke", "cooperative"))
	}
	var memory []int64
	for _, p := range leechers {
		p.event("complete", 5*time.Minute)
		memory = append(memory, p.peakRSS())
	}
	took := time.Since(began)
	for i, p := range leechers {
		p.wait(0, 2*time.Minute) // it stays for those who lack pieces, and no longer
		s.arrived(fmt.Sprintf("leecher%d", i))
	}
	sent := mustScrape(t, s.seedMetrics).value(t, sentPayload)
	seedMemory := s.seed.peakRSS()
	s.seed.term()
	if got := s.seed.summary().Sent; got != int64(sent) {
		t.Errorf("the seed's summary says it sent %d bytes, its metrics %.0f", got, sent)
	}
	copies := sent / float64(size)
	if copies >= 1.6 {
		t.Errorf("the seed sent %.2f copies, want less than 1.6", copies)
	}
	text := fmt.Sprintf("%d files, %.0f MiB to 3 leechers in %s, the seed sent %.2f copies; peak memory: seed %.0f MiB",
		files, float64(size)/mib, took.Round(time.Millisecond), copies, float64(seedMemory)/mib)
	for i, p := range leechers {
		text += fmt.Sprintf(", leecher%d %.0f MiB (%.2f s)", i, float64(memory[i])/mib, p.summary().DurationS)
	}
	t.Log(text)
}

// goroot is where the toolchain that runs the tests lies.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
