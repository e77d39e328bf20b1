package lsd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a find may take: Transmission looks at its torrents every
// few seconds.
const patience = 40 * time.Second

// The two hosts of the network.
const (
	hostA, hostB   = "10.98.7.1", "10.98.7.2"
	hostA6, hostB6 = "fd00:98:7::1", "fd00:98:7::2"
)

// missing skips a test for the lack of something. A CI is to have it.
func missing(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// cable makes two network namespaces that are joined by a cable and reach nothing
// else, and returns their names. The test's end removes them. Without root, the
// test is skipped.
func cable(t *testing.T) (a, b string) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	if os.Geteuid() != 0 {
		t.Skip("to make a network namespace needs root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		missing(t, errors.New("no command ip: Debian's package iproute2"))
	}
	a, b = namespace(t, "a"), namespace(t, "b")
	ip(t, "-n", a, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", b)
	for ns, addrs := range map[string][2]string{a: {hostA, hostA6}, b: {hostB, hostB6}} {
		ip(t, "-n", ns, "link", "set", "eth0", "addrgenmode", "none", "up")
		ip(t, "-n", ns, "addr", "add", addrs[0]+"/24", "dev", "eth0")
		// Transmission leaves the interface to the routes.
		ip(t, "-n", ns, "route", "add", "default", "dev", "eth0")
		ip(t, "-n", ns, "addr", "add", addrs[1]+"/64", "dev", "eth0", "nodad")
	}
	return a, b
}

func namespace(t *testing.T, name string) string {
	t.Helper()
	ns := fmt.Sprintf("starling-%d-%s-%s", os.Getpid(), t.Name(), name)
	if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
		missing(t, fmt.Errorf("ip netns add: %w: %s", err, out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", ns).CombinedOutput(); err != nil {
			t.Errorf("ip netns del %s: %v: %s", ns, err, out)
		}
	})
	ip(t, "-n", ns, "link", "set", "lo", "up")
	ip(t, "-n", ns, "link", "set", "lo", "multicast", "on")
	return ns
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// process is a program in a namespace; its lines are what it found.
type process struct {
	t     *testing.T
	name  string
	stdin io.WriteCloser

	mu     sync.Mutex
	lines  []string
	change chan struct{} // closed and replaced at each line, closed for good at the end
	ended  bool
}

// startIn starts a program. The test's end closes its input, and kills it if it
// does not end by that.
func startIn(t *testing.T, ns, name string, env []string, argv ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, change: make(chan struct{})}
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns}, argv...)...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"HOME=" + cmd.Dir, "PATH=" + os.Getenv("PATH")}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.read(out)
		_ = cmd.Wait() // killed, mostly
	}()
	t.Cleanup(func() {
		stdin.Close()
		select {
		case <-done:
		case <-time.After(2 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, strings.Join(p.said(), "\n"))
		}
	})
	return p
}

func (p *process) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		close(p.change)
		p.change = make(chan struct{})
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	close(p.change)
}

func (p *process) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// expect waits until the process has said all these lines, in any order.
func (p *process) expect(want ...string) {
	p.t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		change, ended := p.change, p.ended
		var lacks []string
		for _, w := range want {
			if !contains(p.lines, w) {
				lacks = append(lacks, w)
			}
		}
		p.mu.Unlock()
		if len(lacks) == 0 {
			return
		}
		if ended {
			p.t.Fatalf("%s ended and did not say %q", p.name, lacks)
		}
		select {
		case <-change:
		case <-late:
			p.t.Fatalf("%s did not say %q in %v", p.name, lacks, patience)
		}
	}
}

func contains(lines []string, want string) bool {
	for _, l := range lines {
		if l == want {
			return true
		}
	}
	return false
}

// startNode starts a node of ours.
func startNode(t *testing.T, ns, name string, cfg nodeConfig) *process {
	t.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return startIn(t, ns, name, []string{nodeEnv + "=" + string(text)}, os.Args[0])
}
