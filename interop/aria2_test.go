//go:build linux

package interop

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// aria2 is aria2c 1.35 or later, over its JSON RPC.
var aria2 = &program{
	name: "aria2", pkg: "aria2", command: "aria2c", start: startAria2,
	can: abilities{pex: true, web: true, secret: true, udp: true},
}

// aria2Noise is what its log says of our own questions.
var aria2Noise = regexp.MustCompile(`(?m)^(.*\[(HttpServer|AbstractHttpServer|rpc_helper).*|POST /jsonrpc.*|Host: 127.*|User-Agent: Go.*|Content-(Length|Type):.*|Accept-Encoding:.*|\s*)\n`)

type aria2Client struct {
	url string
	gid string // of the download that it was given; a magnet's is followed by another
}

func startAria2(n *node) client {
	n.t.Helper()
	onOff := map[bool]string{true: "true", false: "false"}
	level := "plain"
	if n.encrypted {
		level = "arc4"
	}
	n.run("aria2c", "--no-conf=true", "--enable-rpc=true", "--rpc-listen-all=false",
		"--rpc-listen-port="+strconv.Itoa(n.control), "--interface="+n.ip, "--listen-port="+strconv.Itoa(peerPort),
		"--disable-ipv6=true", "--enable-dht="+onOff[n.dht], "--enable-dht6=false", "--dht-listen-port="+strconv.Itoa(peerPort),
		"--bt-enable-lpd=false", "--enable-peer-exchange="+onOff[n.pex],
		"--bt-require-crypto="+onOff[n.encrypted], "--bt-force-encryption="+onOff[n.encrypted], "--bt-min-crypto-level="+level,
		"--max-overall-upload-limit="+strconv.Itoa(n.upLimit), "--seed-ratio=0.0", "--check-integrity=true",
		"--file-allocation=none", "--follow-torrent=false", "--console-log-level=warn", "--summary-interval=0",
		"--enable-color=false", "--log="+filepath.Join(n.dir, "log"), "--log-level=info",
		"--dht-file-path="+filepath.Join(n.dir, "dht.dat"), "--stop-with-process="+strconv.Itoa(os.Getpid()))
	c := &aria2Client{url: fmt.Sprintf("http://127.0.0.1:%d/jsonrpc", n.control)}
	n.answers(func() error { return c.call(nil, "aria2.getVersion") })
	n.showsLog(filepath.Join(n.dir, "log"), aria2Noise)
	return c
}

func (c *aria2Client) call(out any, method string, params ...any) error {
	var reply struct {
		Result json.RawMessage `json:"result"`
	}
	if params == nil {
		params = []any{}
	}
	in := map[string]any{"jsonrpc": "2.0", "id": "1", "method": method, "params": params}
	if _, err := postJSON(c.url, nil, in, &reply); err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(reply.Result, out)
}

func (c *aria2Client) add(j job) error {
	options := map[string]string{"dir": j.dir}
	if j.magnet != "" {
		return c.call(&c.gid, "aria2.addUri", []string{j.magnet}, options)
	}
	b, err := os.ReadFile(j.torrent)
	if err != nil {
		return err
	}
	return c.call(&c.gid, "aria2.addTorrent", base64.StdEncoding.EncodeToString(b), []string{}, options)
}

func (c *aria2Client) state() (state, error) {
	var t struct {
		Status       string   `json:"status"`
		Total        int64    `json:"totalLength,string"`
		Completed    int64    `json:"completedLength,string"`
		Uploaded     int64    `json:"uploadLength,string"`
		Seeder       bool     `json:"seeder,string"`
		FollowedBy   []string `json:"followedBy"`
		ErrorMessage string   `json:"errorMessage"`
	}
	if err := c.call(&t, "aria2.tellStatus", c.gid); err != nil {
		return state{}, err
	}
	if len(t.FollowedBy) > 0 { // the magnet's metadata is here
		c.gid = t.FollowedBy[0]
		return c.state()
	}
	// Only a torrent's content is there to be seeded; a magnet's metadata is not.
	s := state{complete: t.Seeder && t.Total > 0 && t.Completed == t.Total, down: t.Completed, up: t.Uploaded, trouble: t.ErrorMessage}
	if t.Status != "active" {
		s.trouble = t.Status + " " + t.ErrorMessage
		s.complete = false
		return s, nil
	}
	var peers []struct {
		ID, IP, Port string
	}
	if err := c.call(&peers, "aria2.getPeers", c.gid); err != nil {
		return s, err
	}
	for _, p := range peers {
		id, err := url.PathUnescape(p.ID)
		if err != nil {
			return s, fmt.Errorf("peer id %q: %w", p.ID, err)
		}
		s.peers = append(s.peers, peerState{addr: p.IP + ":" + p.Port, client: id[:min(8, len(id))]})
	}
	return s, nil
}
