//go:build linux

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// qbittorrent is qbittorrent-nox 4.5 or later, over its WebUI.
var qbittorrent = &program{
	name: "qbittorrent", pkg: "qbittorrent-nox", command: "qbittorrent-nox", start: startQbittorrent,
	can: abilities{v2: true, hybrid: true, pads: true, pex: true, web: true, secret: true, udp: true},
}

const qbittorrentConfig = `[LegalNotice]
Accepted=true

[Preferences]
WebUI\Address=127.0.0.1
WebUI\Port=%d
WebUI\LocalHostAuth=false
WebUI\CSRFProtection=false
WebUI\HostHeaderValidation=false
Connection\UPnP=false
Connection\ResolvePeerCountries=false

[BitTorrent]
Session\Port=%d
Session\Interface=lo
Session\InterfaceName=lo
Session\InterfaceAddress=%s
Session\DHTEnabled=false
Session\LSDEnabled=false
Session\PeXEnabled=%t
Session\BTProtocol=TCP
Session\Encryption=%d
Session\GlobalUPSpeedLimit=%d
Session\IgnoreLimitsOnLAN=false
Session\QueueingSystemEnabled=false
Session\MaxRatioAction=0
Session\DisableAutoTMMByDefault=true
Session\AnnounceToAllTrackers=true
Session\AnnounceToAllTiers=true
Session\TorrentContentLayout=Original
Session\Preallocation=false
Session\UseRandomPort=false

[Network]
PortForwardingEnabled=false
`

type qbittorrentClient struct {
	n   *node
	url string
	// resumes is how often more it is started again after an error of its own.
	resumes int
	resumed time.Time
}

func startQbittorrent(n *node) client {
	n.t.Helper()
	encryption := 0 // preferred
	if n.encrypted {
		encryption = 1
	}
	n.write("qBittorrent/config/qBittorrent.conf", fmt.Sprintf(qbittorrentConfig,
		n.control, peerPort, n.ip, n.pex, encryption, n.upLimit/1024))
	n.run("qbittorrent-nox", "--profile="+n.dir)
	c := &qbittorrentClient{n: n, url: fmt.Sprintf("http://127.0.0.1:%d/api/v2/", n.control)}
	n.answers(func() error {
		_, err := c.get("app/version")
		return err
	})
	n.showsLog(filepath.Join(n.dir, "qBittorrent/data/logs/qbittorrent.log"), nil)
	return c
}

func (c *qbittorrentClient) get(path string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	body, _, err := exchange(req)
	return body, err
}

func (c *qbittorrentClient) add(j job) error {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	fields := [][2]string{{"savepath", j.dir}, {"autoTMM", "false"}, {"paused", "false"}, {"contentLayout", "Original"}}
	if j.magnet != "" {
		c.resumes = maxResumes
		fields = append(fields, [2]string{"urls", j.magnet})
	}
	for _, f := range fields {
		if err := w.WriteField(f[0], f[1]); err != nil {
			return err
		}
	}
	if j.torrent != "" {
		b, err := os.ReadFile(j.torrent)
		if err != nil {
			return err
		}
		part, err := w.CreateFormFile("torrents", filepath.Base(j.torrent))
		if err != nil {
			return err
		}
		if _, err := part.Write(b); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, c.url+"torrents/add", &form)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	body, _, err := exchange(req)
	if err == nil && strings.TrimSpace(string(body)) != "Ok." {
		err = fmt.Errorf("torrents/add: %s", body)
	}
	return err
}

// maxResumes is how often a torrent that came by a magnet link is resumed. Once it has
// the metadata qBittorrent loads the torrent anew, and where the first pieces of a
// hybrid came before it had, libtorrent 2.0.8 at times finds that "v1 and v2 hashes do
// not describe the same data" (arvidn/libtorrent#6394), whoever seeds. Its user resumes
// it.
const maxResumes = 3

func (c *qbittorrentClient) resume() error {
	req, err := http.NewRequest(http.MethodPost, c.url+"torrents/resume", strings.NewReader("hashes=all"))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, _, err = exchange(req)
	return err
}

func (c *qbittorrentClient) state() (state, error) {
	var torrents []struct {
		Hash       string  `json:"hash"`
		State      string  `json:"state"`
		Progress   float64 `json:"progress"`
		Downloaded int64   `json:"downloaded"`
		Uploaded   int64   `json:"uploaded"`
		TotalSize  int64   `json:"total_size"`
	}
	body, err := c.get("torrents/info")
	if err != nil {
		return state{}, err
	}
	if err := json.Unmarshal(body, &torrents); err != nil {
		return state{}, err
	}
	if len(torrents) != 1 {
		return state{}, fmt.Errorf("%d torrents", len(torrents))
	}
	t := &torrents[0]
	// What it says of its torrents it renews each 1.5 s.
	if t.State == "error" && c.resumes > 0 && time.Since(c.resumed) > 3*time.Second {
		c.resumes--
		c.resumed = time.Now()
		c.n.t.Logf("%s stopped with an error; resumed", c.n.name)
		return state{}, c.resume()
	}
	// uploading, stalledUP, forcedUP ... are the states of who has all.
	s := state{
		complete: t.TotalSize > 0 && t.Progress == 1 && (t.State == "uploading" || t.State == "stalledUP" || t.State == "forcedUP"),
		down:     t.Downloaded, up: t.Uploaded, trouble: t.State,
	}
	var seen struct {
		Peers map[string]struct {
			Client     string `json:"client"`
			Flags      string `json:"flags"`
			Downloaded int64  `json:"downloaded"`
			Uploaded   int64  `json:"uploaded"`
		} `json:"peers"`
	}
	body, err = c.get("sync/torrentPeers?hash=" + url.QueryEscape(t.Hash))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(body, &seen); err != nil {
		return s, err
	}
	for addr, p := range seen.Peers {
		s.peers = append(s.peers, peerState{
			addr: addr, client: p.Client, down: p.Downloaded, up: p.Uploaded, secret: strings.ContainsAny(p.Flags, "Ee"),
		})
	}
	sort.Slice(s.peers, func(i, j int) bool { return s.peers[i].addr < s.peers[j].addr })
	return s, nil
}
