//go:build linux

package e2e

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"starling/internal/benc"
)

// counts are what a scrape (BEP 48) tells of one swarm.
type counts struct{ complete, downloaded, incomplete int64 }

// counts asks the tracker about the swarm.
func (s *swarm) counts() (c counts, err error) {
	if s.infohash == "" {
		s.infohash = infohashOf(s.t, s.torrent)
	}
	return countsOf(s.trackerAddr, s.infohash)
}

// infohashOf is the 20 bytes that name a torrent.
func infohashOf(t *testing.T, torrent string) string {
	t.Helper()
	var d struct{ InfoHash string }
	if err := json.Unmarshal([]byte(once(t, 0, "inspect", torrent, "--json")), &d); err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(d.InfoHash)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// countsOf asks a tracker about the swarm of a hash.
func countsOf(addr, hash string) (c counts, err error) {
	body, err := get("http://" + addr + "/scrape?info_hash=" + url.QueryEscape(hash))
	if err != nil {
		return c, err
	}
	var reply struct {
		Files map[string]struct {
			Complete   int64 `bencode:"complete"`
			Downloaded int64 `bencode:"downloaded"`
			Incomplete int64 `bencode:"incomplete"`
		} `bencode:"files"`
	}
	if err := benc.Decode([]byte(body), benc.Limits{Depth: 8, Tokens: 100}, &reply); err != nil {
		return c, fmt.Errorf("scrape %q: %w", body, err)
	}
	f := reply.Files[hash]
	return counts{f.Complete, f.Downloaded, f.Incomplete}, nil
}

// expect waits until a scrape says what is wanted.
func (s *swarm) expect(want counts) {
	s.t.Helper()
	eventually(s.t, patience, func() error {
		got, err := s.counts()
		if err == nil && got != want {
			err = fmt.Errorf("the tracker counts %+v, want %+v", got, want)
		}
		return err
	})
}

// TestTerminate stops each kind of process with SIGTERM: it ends within 5 s, and
// the tracker knows at once.
func TestTerminate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), 16*mib, 8)
	s := newSwarm(t, dir, "d", "--up-limit", "4MiB/s")
	stays := s.leech("stays", "--seed-forever")
	stays.event("complete", time.Minute)
	s.expect(counts{complete: 2, downloaded: 1})

	leaves := s.leech("leaves", "--down-limit", "1MiB/s")
	leaves.event("first_byte", patience)
	s.expect(counts{complete: 2, downloaded: 1, incomplete: 1})
	took := leaves.term()
	s.expectNow(counts{complete: 2, downloaded: 1})
	e := leaves.find("an error", 0, func(d *doc) bool { return d.Type == "error" })
	if !strings.Contains(e.Hint, "starling leech "+s.torrent) {
		t.Errorf("hint %q does not say how to resume", e.Hint)
	}
	// A leecher that seeds for ever has nothing left to resume.
	took = max(took, stays.term())
	s.expectNow(counts{complete: 1, downloaded: 1})
	took = max(took, s.seed.term())
	s.expectNow(counts{downloaded: 1})
	took = max(took, s.tracker.term())
	t.Logf("the slowest took %s", took.Round(time.Millisecond))
	if took > 5*time.Second {
		t.Errorf("took %s to stop", took)
	}
	s.arrived("stays")
}

// expectNow is expect of what must hold already: `stopped` reaches the tracker
// before a peer ends.
func (s *swarm) expectNow(want counts) {
	s.t.Helper()
	if got, err := s.counts(); err != nil || got != want {
		s.t.Errorf("the tracker counts %+v (%v), want %+v", got, err, want)
	}
}

// TestShareLine runs what share prints, to the letter, in a shell.
func TestShareLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const name = "two words & an 'apostrophe'"
	writeRandom(t, filepath.Join(dir, name, "file"), 8*mib, 9)
	writeRandom(t, filepath.Join(dir, name, "sub", "empty"), 0, 9)
	share := start(t, "share", "share", filepath.Join(dir, name), "--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0")
	share.ready()
	var line string
	eventually(t, patience, func() error {
		out := share.stdout.String()
		if line = regexp.MustCompile(`(?m)^ +starling leech .*$`).FindString(out); line == "" {
			return fmt.Errorf("share printed no command: %q", out)
		}
		return nil
	})
	t.Log(line)
	fetch := exec.Command("/bin/sh", "-c", line)
	fetch.Dir = filepath.Join(dir, "elsewhere")
	if err := os.Mkdir(fetch.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fetch.Env = []string{
		"HOME=" + fetch.Dir, "PATH=" + filepath.Dir(starlingBinary) + ":" + os.Getenv("PATH"),
		"STARLING_LEECH_LISTEN=127.0.0.1:0", // the trials stay on loopback
	}
	fetch.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := fetch.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	sameTree(t, filepath.Join(dir, name), filepath.Join(fetch.Dir, name))
	share.term()
}
