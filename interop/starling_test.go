//go:build linux

package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// ours is starling: `starling seed` or `starling leech`, read by its JSON lines.
var ours = &program{
	name: "starling", start: startStarling,
	can: abilities{v2: true, hybrid: true, pads: true, pex: true, web: true, secret: true, udp: true},
}

// starlingClient runs its process when it is given its torrent.
type starlingClient struct {
	n      *node
	mu     sync.Mutex
	change chan struct{} // closed and replaced at each line
	docs   []document
}

// document is any of starling's JSON lines; the fields of other types stay empty.
type document struct {
	Type      string            `json:"type"`
	Time      time.Time         `json:"time"`
	Event     string            `json:"event"`
	State     string            `json:"state"`
	Addresses map[string]string `json:"addresses"`
	Total     int64             `json:"bytes_total"`
	Done      int64             `json:"bytes_done"`
	Sent      int64             `json:"bytes_sent"`
	Trouble   string            `json:"trouble"`
	Peers     struct {
		Connected int `json:"connected"`
	} `json:"peers"`
	Fleet *struct {
		Complete, Incomplete int
	} `json:"fleet"`
}

func startStarling(n *node) client {
	return &starlingClient{n: n, change: make(chan struct{})}
}

// messageLog is where a starling node logs the messages of the wire.
func (n *node) messageLog() string { return filepath.Join(n.dir, "messages.jsonl") }

func (c *starlingClient) add(j job) error {
	n := c.n
	ref := j.torrent
	if j.magnet != "" {
		ref = j.magnet
	}
	args := []string{starlingBinary, "leech", ref, "-o", j.dir, "--seed-forever"}
	if j.seed {
		args = []string{starlingBinary, "seed", ref, "--data", j.dir}
		if n.superSeed {
			args = append(args, "--super-seed")
		}
	}
	args = append(args, "--listen", n.ip+":"+strconv.Itoa(peerPort), "--progress", "json")
	if !n.quiet {
		args = append(args, "--message-log", n.messageLog(), "--log-level", "debug")
		n.showsLog(n.messageLog(), nil)
	}
	if n.upLimit > 0 {
		args = append(args, "--up-limit", strconv.Itoa(n.upLimit)+"B/s")
	}
	for _, p := range j.peers {
		args = append(args, "--peer", p)
	}
	c.follow(args)
	return nil
}

// follow runs starling and reads what it says until it ends.
func (c *starlingClient) follow(args []string) {
	c.n.t.Helper()
	r, stderr := io.Pipe()
	c.n.begin(io.Discard, stderr, args)
	go func() {
		c.n.reap()
		stderr.Close()
	}()
	go c.read(io.TeeReader(r, &c.n.log))
}

func (c *starlingClient) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c.line(lines.Bytes())
	}
	_, _ = io.Copy(io.Discard, r) // after a line too long it must not block
}

func (c *starlingClient) line(b []byte) {
	var d document
	if json.Unmarshal(b, &d) != nil {
		return
	}
	c.mu.Lock()
	c.docs = append(c.docs, d)
	close(c.change)
	c.change = make(chan struct{})
	c.mu.Unlock()
}

// wait waits for a document that matches, whenever it came.
func (c *starlingClient) wait(what string, within time.Duration, match func(*document) bool) document {
	c.n.t.Helper()
	late := time.After(within)
	for next := 0; ; {
		c.mu.Lock()
		for ; next < len(c.docs); next++ {
			if match(&c.docs[next]) {
				d := c.docs[next]
				c.mu.Unlock()
				return d
			}
		}
		change := c.change
		c.mu.Unlock()
		select {
		case <-change:
		case <-late:
			c.n.t.Fatalf("%s: not within %s: %s", c.n.name, within, what)
		}
	}
}

func (c *starlingClient) state() (state, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s state
	if c.n.cmd == nil {
		return s, errors.New("no torrent")
	}
	for i := range c.docs {
		d := &c.docs[i]
		if d.Type == "status" {
			s.down, s.up, s.trouble = d.Done, d.Sent, d.Trouble
			// All is verified before it is durable and has its name.
			s.complete = d.State == "seeding" && d.Total > 0 && d.Done == d.Total
			s.trouble = fmt.Sprintf("%d connected; %s", d.Peers.Connected, d.Trouble)
		}
	}
	return s, nil
}
