//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// swarm is a tracker and a seed of one torrent, ready, and where they are.
type swarm struct {
	t        *testing.T
	dir      string // all files of the trial
	name     string // of the torrent
	content  string // what the seed has: dir/name
	torrent  string // the .torrent file, in the folder that the tracker serves
	infohash string // 20 bytes; known after the first call of counts

	tracker, seed         *proc
	trackerArgs, seedArgs []string // to start them again, at the same addresses
	trackerAddr, admin    string   // the tracker's listeners
	seedAddr, seedMetrics string   // the seed's
}

// newSwarm serves dir/name, which must exist, with further flags for the seed.
func newSwarm(t *testing.T, dir, name string, seedFlags ...string) *swarm {
	t.Helper()
	s := &swarm{t: t, dir: dir, name: name, content: filepath.Join(dir, name)}
	folder := filepath.Join(dir, "torrents")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	args := func(listen, admin string) []string {
		return []string{"tracker", "--listen", listen, "--admin-listen", admin, "--interval", "2s",
			"--state", filepath.Join(dir, "tracker.state"), "--torrents", folder}
	}
	s.torrent = filepath.Join(folder, name+".torrent")
	s.tracker = start(t, "tracker", args("127.0.0.1:0", "127.0.0.1:0")...)
	at := s.tracker.ready()
	s.trackerAddr, s.admin = at["tracker"], at["admin"]
	s.trackerArgs = args(s.trackerAddr, s.admin)
	once(t, 0, "-q", "create", s.content, "-o", s.torrent, "--tracker", "http://"+s.trackerAddr+"/announce")
	flags := append([]string{"seed", s.torrent, "--data", dir}, seedFlags...)
	s.seed = start(t, "seed", append(flags, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")...)
	at = s.seed.ready()
	s.seedAddr, s.seedMetrics = at["peer"], at["metrics"]
	s.seedArgs = append(flags, "--listen", s.seedAddr, "--metrics-listen", s.seedMetrics)
	return s
}

// leech starts a leecher that fetches into its own directory, dir/name.
func (s *swarm) leech(name string, flags ...string) *proc {
	s.t.Helper()
	return start(s.t, name, append([]string{"leech", s.torrent, "-o", filepath.Join(s.dir, name),
		"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}, flags...)...)
}

// arrived checks what a leecher of that name has fetched.
func (s *swarm) arrived(name string) {
	s.t.Helper()
	sameTree(s.t, s.content, filepath.Join(s.dir, name, s.name))
}
