//go:build linux

package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// python is the interpreter that Debian's packages are for.
const python = "/usr/bin/python3"

// libtorrent is libtorrent-rasterbar 2 with its Python binding, run by
// testdata/node.py.
var libtorrent = &program{
	name: "libtorrent", pkg: "python3-libtorrent", command: python, start: startLibtorrent,
	check: sync.OnceValue(func() error {
		if out, err := exec.Command(python, "-c", "import libtorrent").CombinedOutput(); err != nil {
			return fmt.Errorf("import libtorrent: %w: %s", err, tail(strings.TrimSpace(string(out)), 200))
		}
		return nil
	}),
	can: abilities{v2: true, hybrid: true, pads: true, pex: true, web: true, secret: true, udp: true},
}

type libtorrentClient struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

func startLibtorrent(n *node) client {
	n.t.Helper()
	script, err := filepath.Abs("testdata/node.py")
	if err != nil {
		n.t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{
		"ip": n.ip, "port": peerPort, "pex": n.pex, "encrypted": n.encrypted, "up_limit": n.upLimit,
		"fingerprint": n.fingerprint, "waits": n.waits,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	in, out := n.pipe(python, script, string(config))
	c := &libtorrentClient{in: in, out: bufio.NewReader(out)}
	n.t.Cleanup(func() {
		if !n.t.Failed() {
			return
		}
		n.t.Logf("%s's alerts:\n%s", n.name, strings.Join(c.alerts(n.t), "\n"))
	})
	return c
}

// alerts are the last that it has said.
func (c *libtorrentClient) alerts(t *testing.T) (said []string) {
	t.Helper()
	if err := c.call(map[string]any{"op": "alerts"}, &said); err != nil {
		t.Log("no alerts: ", err)
	}
	return said
}

// call sends one command and reads its answer.
func (c *libtorrentClient) call(command, out any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, err := json.Marshal(command)
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(b, '\n')); err != nil {
		return err
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	var answer struct {
		OK    json.RawMessage `json:"ok"`
		Error string          `json:"error"`
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return fmt.Errorf("%w: %.200s", err, line)
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return json.Unmarshal(answer.OK, out)
}

func (c *libtorrentClient) add(j job) error {
	var ok bool
	return c.call(map[string]any{"op": "add", "torrent": j.torrent, "magnet": j.magnet, "dir": j.dir, "peers": j.peers}, &ok)
}

func (c *libtorrentClient) state() (state, error) {
	var st struct {
		Complete bool   `json:"complete"`
		Down     int64  `json:"down"`
		Up       int64  `json:"up"`
		Trouble  string `json:"trouble"`
		Peers    []struct {
			Addr      string `json:"addr"`
			Client    string `json:"client"`
			Down      int64  `json:"down"`
			Up        int64  `json:"up"`
			Encrypted bool   `json:"encrypted"`
		} `json:"peers"`
	}
	if err := c.call(map[string]any{"op": "state"}, &st); err != nil {
		return state{}, err
	}
	s := state{complete: st.Complete, down: st.Down, up: st.Up, trouble: st.Trouble}
	for _, p := range st.Peers {
		s.peers = append(s.peers, peerState{p.Addr, p.Client, p.Down, p.Up, p.Encrypted})
	}
	return s, nil
}
