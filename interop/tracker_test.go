//go:build linux

package interop

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"starling/metainfo"
)

const trackerPort = "6969"

// trackerNode is a tracker that runs at a site.
type trackerNode struct {
	*node
	url string
}

// tracker starts ours.
func (s *site) tracker() *trackerNode {
	s.t.Helper()
	p := &program{name: "tracker", start: startStarling}
	n := s.node(p, "tracker", settings{})
	c := n.client.(*starlingClient)
	c.follow([]string{starlingBinary, "tracker", "--listen", n.ip + ":" + trackerPort, "--admin-listen", "",
		"--interval", "2s", "--state", filepath.Join(n.dir, "state"), "--progress", "json"})
	c.wait("event ready", patience, func(d *document) bool { return d.Event == "ready" })
	return &trackerNode{node: n, url: "http://" + n.ip + ":" + trackerPort + "/announce"}
}

// knows waits until the tracker counts so many seeds and leechers of a torrent.
func (tr *trackerNode) knows(m *metainfo.Torrent, complete, incomplete int) {
	tr.t.Helper()
	tr.counts(m.WireHash(), complete, incomplete)
}

// counts is the same of one of the torrent's swarms.
func (tr *trackerNode) counts(swarm metainfo.Hash, complete, incomplete int) {
	tr.t.Helper()
	want := fmt.Sprintf("8:completei%de", complete)
	eventually(tr.t, patience, fmt.Sprintf("the tracker knows %d seeds, %d leechers", complete, incomplete), func() error {
		body, err := tr.scrape(swarm)
		if err != nil {
			return err
		}
		if !strings.Contains(body, want) || !strings.Contains(body, fmt.Sprintf("10:incompletei%de", incomplete)) {
			return fmt.Errorf("it says %q", body)
		}
		return nil
	})
}

func (tr *trackerNode) scrape(hash metainfo.Hash) (string, error) {
	u := strings.TrimSuffix(tr.url, "announce") + "scrape?info_hash=" +
		strings.ReplaceAll(url.QueryEscape(string(hash[:])), "+", "%20")
	req, err := http.NewRequest(http.MethodGet, u, nil)
	if err != nil {
		return "", err
	}
	body, _, err := exchange(req)
	return string(body), err
}

// parseTorrent reads a torrent file.
func parseTorrent(t *testing.T, path string) *metainfo.Torrent {
	t.Helper()
	m, err := metainfo.Parse(readFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
