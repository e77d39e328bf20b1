//go:build linux

package interop

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// mixedSize is so much, and mixedRate so slow, that the seed has not sent
	// one copy before every client has had several of its turns to choose whom
	// it serves (10 to 30 s each).
	mixedSize = 24 * mib
	mixedRate = 400 * kib
	mixedTime = 200 * time.Second
	// mixedSeed begins the seed's peer id.
	mixedSeed = "-XS1000-"
)

// TestMixedSwarm has two of ours and one of each client fetch from one seed, all
// at once: all finish, and each of ours got data from each of the others, and
// gave data to each.
func TestMixedSwarm(t *testing.T) {
	needs(t, clients...)
	t.Parallel()
	s := newSite(t)
	tr := s.tracker()
	sw := s.swarm(map[string]int{"big.bin": mixedSize}, tr, "--tracker", tr.url)
	sw.seed(libtorrent, settings{upLimit: mixedRate, fingerprint: mixedSeed})
	tr.knows(sw.meta, 1, 0)

	all := append([]*program{ours, ours}, clients...)
	var nodes []*node
	for i, p := range all {
		n := s.node(p, fmt.Sprintf("%d-%s", i, p.name), settings{})
		n.give(job{torrent: sw.torrent, dir: sw.into(n)})
		nodes = append(nodes, n)
	}
	began := time.Now()
	eventually(t, mixedTime, "all are complete", func() error {
		var late []string
		for _, n := range nodes {
			if err := n.alive(); err != nil {
				return err
			}
			st, err := n.state()
			if err != nil || !st.complete {
				late = append(late, fmt.Sprintf("%s: %v %v", n.name, st, err))
			}
		}
		if late != nil {
			return errors.New(strings.Join(late, "\n"))
		}
		return nil
	})
	t.Logf("all complete after %.1f s", time.Since(began).Seconds())
	for _, n := range nodes {
		sameTree(t, sw.content, filepath.Join(sw.into(n), sw.name))
	}
	var table []string
	for i := range 2 {
		table = append(table, exchanged(t, nodes[i])...)
	}
	t.Log("bytes of pieces that ours got from and gave to each\n" + strings.Join(table, "\n"))
}

// mixedNames tells a client by the beginning of its peer id.
var mixedNames = map[string]string{
	"-TR": "transmission", "A2-": "aria2", "-qB": "qbittorrent", "-lt": "rtorrent", "-LT": "libtorrent", "-SL": "starling",
}

// exchanged checks by a starling's message log that it got data from each of the
// others and gave data to each, and says how much.
func exchanged(t *testing.T, n *node) []string {
	t.Helper()
	got, gave := map[string]int64{}, map[string]int64{}
	var table []string
	readMessages(t, n.messageLog(), func(m *message) {
		if m.Type == "PIEC" && m.Dir == "recv" {
			got[clientOf(m.From)] += m.Length
		} else if m.Type == "PIEC" {
			gave[clientOf(m.To)] += m.Length
		}
	})
	for _, prefix := range mixedNames {
		if got[prefix] == 0 || gave[prefix] == 0 {
			t.Errorf("%s got %d bytes from %s and gave it %d", n.name, got[prefix], prefix, gave[prefix])
		}
	}
	for name := range got {
		table = append(table, fmt.Sprintf("%-12s %-14s got %9d gave %9d", n.name, name, got[name], gave[name]))
	}
	slices.Sort(table)
	return table
}

// message is a line of a message log.
type message struct {
	Time                time.Time
	Dir, From, To, Type string
	Length              int64
	Lost                int64
}

func readMessages(t *testing.T, path string, each func(*message)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatalf("%s: %v: %s", path, err, lines.Bytes())
		}
		if m.Lost > 0 {
			t.Errorf("%s: %d messages are not in it", path, m.Lost)
		}
		each(&m)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// clientOf names the client of a peer id in hexadecimal.
func clientOf(id string) string {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) < len(mixedSeed) {
		return id
	}
	if strings.HasPrefix(string(b), mixedSeed) {
		return "the seed"
	}
	if name := mixedNames[string(b[:3])]; name != "" {
		return name
	}
	return fmt.Sprintf("%q", b)
}
