//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// flip changes a bit of a file as a bad disk does: its time stays what it was.
func flip(t *testing.T, path string, off int64) {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x20
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, fi.ModTime()); err != nil {
		t.Fatal(err)
	}
}

// neverBanned fails the test if one of them has banned a peer.
func neverBanned(t *testing.T, ps ...*proc) {
	t.Helper()
	for _, p := range ps {
		p.mu.Lock()
		for _, d := range p.docs {
			if d.Event == "banned" {
				t.Errorf("%s banned %s", p.name, d.Detail)
			}
		}
		p.mu.Unlock()
	}
}

// TestBitRot: a bit falls on the disk of a leecher that has all, and on that of a seed.
// Each finds it by itself and says where; the leecher writes it anew from the other, in
// its place; the seed serves the rest, and ends with exit code 4.
func TestBitRot(t *testing.T) {
	long(t)
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "model"), 8<<20, 1)
	s := newSwarm(t, dir, "model", "--scrub", "4s")
	a := s.leech("a", "--seed-forever", "--scrub", "4s")
	a.event("complete", time.Minute)
	mine := filepath.Join(dir, "a", "model")
	before, err := os.Stat(mine)
	if err != nil {
		t.Fatal(err)
	}
	fell := time.Now()
	flip(t, mine, 5<<20)
	if d := a.event("rotten", time.Minute).Detail; !strings.Contains(d, "wrong on this host's disk: model, 262144 bytes from 5242880 on") {
		t.Error(d)
	}
	found, mended := a.event("rotten", time.Minute).At, a.event("mended", time.Minute).At
	t.Logf("found %v after the bit fell, mended %v later", found.Sub(fell).Round(time.Millisecond), mended.Sub(found).Round(time.Millisecond))
	eventually(t, patience, func() error { return sameFile(s.content, mine) })
	if after, err := os.Stat(mine); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was replaced: %v", err)
	}

	flip(t, s.content, 3<<20)
	s.seed.event("rotten", time.Minute)
	s.seed.find("a reading that tells of it", patience, func(d *doc) bool {
		return d.Type == "status" && d.Pieces.Done == d.Pieces.Total-1 && strings.Contains(d.Trouble, "1 piece wrong on this host's disk")
	})
	if v := mustScrape(t, s.seedMetrics).value(t, "starling_peer_pieces_bad"); v != 1 {
		t.Errorf("%v bad pieces in the metrics", v)
	}
	b := s.leech("b", "--no-seed")
	b.wait(0, time.Minute)
	t.Logf("another leecher took %.1f s", b.summary().DurationS)
	if err := sameFile(mine, filepath.Join(dir, "b", "model")); err != nil {
		t.Error(err)
	}
	neverBanned(t, a, b, s.seed)
	a.term()
	if err := s.seed.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.seed.wait(4, 6*time.Second)
}

// TestChangedWhileSeeding: a seed whose files somebody touches, and then edits, stops,
// hashes them again and comes back with what is right.
func TestChangedWhileSeeding(t *testing.T) {
	long(t)
	dir := t.TempDir()
	root := filepath.Join(dir, "tree")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		writeRandom(t, filepath.Join(root, fmt.Sprint(i)), 1<<20, byte(i))
	}
	s := newSwarm(t, dir, "tree")
	if err := os.Chtimes(filepath.Join(root, "2"), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if d := s.seed.event("changed", time.Minute).Detail; !strings.HasPrefix(d, "tree/2: ") {
		t.Error(d)
	}
	total := s.seed.find("a reading", patience, func(d *doc) bool { return d.Pieces.Total > 0 }).Pieces.Total
	if d := s.seed.event("rechecked", time.Minute).Detail; d != fmt.Sprintf("%d of %d pieces are right and served", total, total) {
		t.Error(d)
	}
	a := s.leech("a", "--no-seed")
	a.wait(0, time.Minute)
	s.arrived("a")

	n := s.seed.said()
	writeRandom(t, filepath.Join(root, "1"), 1<<20, 99)
	s.seed.findFrom(n, "a change", time.Minute, func(d *doc) bool { return d.Event == "changed" })
	d := s.seed.findFrom(n, "what is left", time.Minute, func(d *doc) bool { return d.Event == "rechecked" })
	var right int
	if _, err := fmt.Sscanf(d.Detail, "%d of", &right); err != nil || right == 0 || right >= total {
		t.Errorf("%q of %d pieces", d.Detail, total)
	}
	b := s.leech("b", "--stall-timeout", "10s")
	b.find("all that is right", time.Minute, func(d *doc) bool { return d.Type == "status" && d.Pieces.Done == right })
	b.wait(5, time.Minute)
	neverBanned(t, a, b)
	if err := s.seed.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.seed.wait(4, 6*time.Second)
}
