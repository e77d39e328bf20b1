package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"starling/tracker/fleet"
)

// flock is a real tracker, a process of its own, and what it serves.
type flock struct {
	t      testing.TB
	url    string
	dir    string // the content of the seeds
	served string // the tracker's torrent files
}

func newFlock(t testing.TB) *flock {
	t.Helper()
	f := &flock{t: t, dir: t.TempDir(), served: t.TempDir()}
	at := serve(t, "tracker", "--listen", "127.0.0.1:0", "--udp-listen", "", "--admin-listen", "", "--torrents", f.served,
		"--state", filepath.Join(t.TempDir(), "state"))
	f.url = "http://" + at["tracker"]
	return f
}

// seed makes a file of so many random bytes and seeds it.
func (f *flock) seed(name string, size int64, flags ...string) {
	f.t.Helper()
	file, err := os.Create(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := io.CopyN(file, rand.NewChaCha8([32]byte{1}), size); err != nil {
		f.t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		f.t.Fatal(err)
	}
	once(f.t, "-q", "create", file.Name(), "-o", f.torrent(name), "--tracker", f.url+"/announce")
	serve(f.t, append([]string{"seed", f.torrent(name), "--data", f.dir, "--listen", "127.0.0.1:0", "--choke", "cooperative"}, flags...)...)
}

func (f *flock) torrent(name string) string { return filepath.Join(f.served, name+".torrent") }

// leech starts a host that fetches it and seeds on.
func (f *flock) leech(name string, flags ...string) {
	f.t.Helper()
	start(f.t, append([]string{"leech", f.torrent(name), "-o", f.t.TempDir(), "--listen", "127.0.0.1:0", "--seed-forever",
		"--choke", "cooperative"}, flags...)...)
}

// swarm is what the tracker says of it.
func (f *flock) swarm(name string) fleet.SwarmInfo {
	f.t.Helper()
	resp, err := http.Get(f.url + "/api/v1/swarms")
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	var list fleet.Swarms
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		f.t.Fatal(err)
	}
	for _, s := range list.Swarms {
		if s.Name == name {
			return s
		}
	}
	return fleet.SwarmInfo{}
}

// wait waits until the rollout of the pictures is somewhere.
func (f *flock) wait(what string, there func(s fleet.SwarmInfo) bool) {
	f.t.Helper()
	for end := time.Now().Add(5 * time.Minute); !there(f.swarm(liveName)); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("not reached in five minutes: %s; it is at %+v", what, f.swarm(liveName))
		}
	}
}

// The rollout of the pictures: every host gives a mebibyte a second, so that together
// they take some 40 s; three of them take less than they are given.
const (
	liveName  = "model-v3"
	liveSize  = 48 << 20
	liveRacks = 6
	liveHosts = 36
)

var liveLimits = map[int]string{9: "600KiB/s", 20: "680KiB/s", 34: "760KiB/s"}

// roll starts the hosts of the rollout.
func (f *flock) roll() {
	f.t.Helper()
	for i := range liveHosts {
		rack := i%liveRacks + 1
		flags := []string{
			"--up-limit", "1MiB/s", "--node-name", fmt.Sprintf("gpu-r%02d-%02d", rack, i/liveRacks+1),
			"--node-label", fmt.Sprintf("rack=r%02d", rack), "--node-label", "zone=" + string(rune('a'+rack%2)),
		}
		if limit := liveLimits[i]; limit != "" {
			flags = append(flags, "--down-limit", limit)
		}
		f.leech(liveName, flags...)
	}
}
