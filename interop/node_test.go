//go:build linux

package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// patience is how long an answer may take that is due at once, on a
	// machine that does much else.
	patience = 30 * time.Second
	// peerPort is where every node listens for peers: each has its address.
	peerPort = 6881
)

var (
	sites    atomic.Int32 // sites made so far
	controls atomic.Int32 // control ports given out so far
)

// site is the part of the network that a trial has to itself.
type site struct {
	t     *testing.T
	n     int    // no other has it
	net   string // the first three numbers of its addresses
	dir   string // all files of the trial
	hosts int
}

func newSite(t *testing.T) *site {
	t.Helper()
	n := int(sites.Add(1))
	if n > 255 {
		t.Fatal("more than 255 sites")
	}
	return &site{t: t, n: n, net: fmt.Sprintf("10.77.%d", n), dir: t.TempDir()}
}

// program is a client, or another program, that trials run.
type program struct {
	name    string
	pkg     string // the Debian package
	command string
	check   func() error // nil: the command is all it needs
	start   func(n *node) client
	can     abilities
}

// missing says why the program cannot run; nil if it can.
func (p *program) missing() error {
	if p.command == "" {
		return nil
	}
	if _, err := exec.LookPath(p.command); err != nil {
		return err
	}
	if p.check != nil {
		return p.check()
	}
	return nil
}

// settings are what a cell changes about a client.
type settings struct {
	encrypted bool // encrypted connections only, both ways
	pex       bool
	dht       bool // aria2 asks UDP trackers only then
	upLimit   int  // bytes a second; 0: none
	superSeed bool // of starling as a seed
	quiet     bool // starling writes no logs: its speed is measured
	waits     bool // libtorrent calls nobody
	// fingerprint begins libtorrent's peer id instead of its own.
	fingerprint string
}

// node is one program that runs at a site.
type node struct {
	settings
	t       *testing.T
	name    string
	ip      string
	dir     string // its own: configuration, log
	control int    // a port on 127.0.0.1 that nobody else uses
	ours    bool   // it is starling
	cmd     *exec.Cmd
	log     logbook
	ended   chan struct{}
	client
}

// node starts a program under a name that is its own at the site.
func (s *site) node(p *program, name string, set settings) *node {
	s.t.Helper()
	s.hosts++
	n := &node{
		settings: set, t: s.t, name: name, ip: fmt.Sprintf("%s.%d", s.net, s.hosts),
		dir: filepath.Join(s.dir, name), control: int(20000 + controls.Add(1)), ours: p == ours, ended: make(chan struct{}),
	}
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	n.client = p.start(n)
	return n
}

// logbook is the end of what a process has said.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

const logMost = 256 << 10

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() > logMost {
		l.b.Next(logMost / 2)
	}
	return l.b.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// run starts the node's process. The trial's end kills it, and shows what it
// said if the trial failed.
func (n *node) run(argv ...string) {
	n.t.Helper()
	n.begin(&n.log, &n.log, argv)
	go n.reap()
}

// pipe starts the node's process and returns its standard input and output.
func (n *node) pipe(argv ...string) (io.Writer, io.Reader) {
	n.t.Helper()
	out, stdout := io.Pipe()
	in := n.begin(stdout, &n.log, argv)
	go func() {
		n.reap()
		stdout.Close()
	}()
	return in, out
}

func (n *node) begin(stdout, stderr io.Writer, argv []string) io.Writer {
	n.t.Helper()
	n.cmd = exec.Command(argv[0], argv[1:]...)
	n.cmd.Dir = n.dir
	n.cmd.Env = []string{"HOME=" + n.dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	n.cmd.Stdout, n.cmd.Stderr = stdout, stderr
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := n.cmd.StdinPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		n.stop()
		if n.t.Failed() {
			n.t.Logf("%s (%s): %s\n%s", n.name, n.ip, strings.Join(argv, " "), tail(n.log.String(), 6<<10))
		}
	})
	return in
}

// showsLog shows the end of a file that the program writes if the trial fails,
// without the lines that match noise.
func (n *node) showsLog(path string, noise *regexp.Regexp) {
	n.t.Cleanup(func() {
		if !n.t.Failed() {
			return
		}
		b, err := os.ReadFile(path)
		if noise != nil {
			b = noise.ReplaceAll(b, nil)
		}
		n.t.Logf("%s's log: %v\n%s", n.name, err, tail(string(b), 6<<10))
	})
}

func (n *node) reap() {
	_ = n.cmd.Wait() // how it ended is nobody's matter
	close(n.ended)
}

// stop ends the process and waits until it is gone.
func (n *node) stop() {
	_ = n.cmd.Process.Kill() // it may have ended by itself
	<-n.ended
}

var (
	// errEnded says that a process that others wait for is gone.
	errEnded = errors.New("ended")
	// errCrashed says that it was another's program, by a fault of its memory.
	errCrashed = errors.New("crashed")
)

// maxCrashes is how many of the others' programs may crash in a run of the suite
// before that counts as what we do to them. libtorrent 2.0.8 does, once in some
// hundreds of transfers, among its own kind too.
const maxCrashes = 1

var crashes atomic.Int64

// alive is an error once the process has ended.
func (n *node) alive() error {
	select {
	case <-n.ended:
	default:
		return nil
	}
	err := errEnded
	if ws, ok := n.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && !n.ours && ws.Signaled() {
		switch ws.Signal() {
		case syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGABRT:
			err = errCrashed
		}
	}
	return fmt.Errorf("%w: %s: %s", err, n.name, n.cmd.ProcessState)
}

func tail(s string, most int) string { return s[max(0, len(s)-most):] }

// eventually polls until check is content.
func eventually(t *testing.T, within time.Duration, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		switch {
		case errors.Is(err, errCrashed) && crashes.Add(1) <= maxCrashes:
			t.Skipf("%s: %v", what, err)
		case errors.Is(err, errEnded), errors.Is(err, errCrashed):
			t.Fatalf("%s: %v", what, err)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, within, err)
		case <-tick.C:
		}
	}
}
