//go:build linux

package interop

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// rtorrent is rtorrent 0.9.8 or later without its screen, over XML-RPC on a
// local SCGI socket.
var rtorrent = &program{
	name: "rtorrent", pkg: "rtorrent", command: "rtorrent", start: startRtorrent,
	can: abilities{hybrid: true, pex: true, secret: true, udp: true},
}

const rtorrentConfig = `system.daemon.set = true
network.bind_address.set = %[1]s
network.port_range.set = %[2]d-%[2]d
network.port_random.set = no
network.scgi.open_local = %[3]s
session.path.set = %[4]s
directory.default.set = %[4]s
dht.mode.set = disable
trackers.use_udp.set = yes
protocol.pex.set = %[5]s
protocol.encryption.set = %[6]s
throttle.global_up.max_rate.set_kb = %[7]d
pieces.hash.on_completion.set = no
log.open_file = "log", %[4]s/log
log.add_output = "info", "log"
log.add_output = "tracker_debug", "log"
log.add_output = "peer_debug", "log"
log.add_output = "connection_debug", "log"
`

type rtorrentClient struct {
	socket string
	job    job
}

func startRtorrent(n *node) client {
	n.t.Helper()
	pex, encryption := "no", "allow_incoming,try_outgoing,enable_retry"
	if n.pex {
		pex = "yes"
	}
	if n.encrypted {
		encryption = "allow_incoming,try_outgoing,require,require_RC4"
	}
	c := &rtorrentClient{socket: filepath.Join(n.dir, "rpc")}
	rc := n.write("rtorrent.rc", fmt.Sprintf(rtorrentConfig, n.ip, peerPort, c.socket, n.dir, pex, encryption, n.upLimit/1024))
	n.run("rtorrent", "-n", "-o", "import="+rc)
	n.answers(func() error {
		_, err := c.call("system.client_version")
		return err
	})
	n.showsLog(filepath.Join(n.dir, "log"), nil)
	return c
}

// call is one XML-RPC call; parameters are strings.
func (c *rtorrentClient) call(method string, params ...string) (value, error) {
	return xmlCall(c.socket, method, params)
}

func (c *rtorrentClient) add(j job) error {
	c.job = j
	what := j.torrent
	if j.magnet != "" {
		what = j.magnet
	}
	_, err := c.call("load.start", "", what, "d.directory.set="+quoteCommand(j.dir))
	return err
}

// quoteCommand makes a string of rtorrent's command language.
func quoteCommand(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func (c *rtorrentClient) state() (state, error) {
	rows, err := c.call("d.multicall2", "", "main", "d.hash=", "d.complete=", "d.bytes_done=", "d.up.total=",
		"d.hashing=", "d.is_meta=", "d.message=", "d.state=")
	if err != nil {
		return state{}, err
	}
	if len(rows.list) != 1 {
		return state{}, fmt.Errorf("%d torrents", len(rows.list))
	}
	t := rows.list[0].list
	if len(t) != 8 {
		return state{}, fmt.Errorf("d.multicall2: %d fields", len(t))
	}
	s := state{
		complete: t[1].text == "1" && t[4].text == "0" && t[5].text == "0" && t[7].text == "1",
		down:     t[2].int(), up: t[3].int(), trouble: t[6].text,
	}
	peers, err := c.call("p.multicall", t[0].text, "", "p.address=", "p.port=", "p.client_version=",
		"p.down_total=", "p.up_total=", "p.is_encrypted=")
	if err != nil {
		return s, err
	}
	for _, p := range peers.list {
		f := p.list
		if len(f) != 6 {
			return s, fmt.Errorf("p.multicall: %d fields", len(f))
		}
		s.peers = append(s.peers, peerState{
			addr: f[0].text + ":" + f[1].text, client: f[2].text, down: f[3].int(), up: f[4].int(), secret: f[5].text == "1",
		})
	}
	return s, nil
}

// int is the number that a value is; 0 for anything else.
func (v value) int() int64 {
	n, _ := strconv.ParseInt(v.text, 10, 64)
	return n
}
