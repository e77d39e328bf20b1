//go:build linux

package monitoring

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"starling/internal/testutil"
)

// patience is how long may take what is due at once, on a machine that does much
// else.
const patience = time.Minute

func TestMain(m *testing.M) { os.Exit(testutil.Main(m)) }

// proc is a process of a trial.
type proc struct {
	cmd   *exec.Cmd
	ended chan struct{}
	ready chan map[string]string // the addresses of its ready event

	mu   sync.Mutex
	said strings.Builder
}

// launch starts a program, which the trial's end kills.
func launch(t *testing.T, argv ...string) *proc {
	t.Helper()
	p := &proc{cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{}), ready: make(chan map[string]string, 1)}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = []string{"HOME=" + p.cmd.Dir, "PATH=" + os.Getenv("PATH")}
	// A test process that dies, of a timeout say, takes its children along.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(stderr)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s\n%s", strings.Join(argv, " "), p.tail())
		}
	})
	return p
}

func (p *proc) read(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		var d struct {
			Event     string            `json:"event"`
			Addresses map[string]string `json:"addresses"`
		}
		if json.Unmarshal(lines.Bytes(), &d) == nil && d.Event == "ready" {
			p.ready <- d.Addresses
		}
		p.mu.Lock()
		p.said.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
	}
	_ = p.cmd.Wait() // however it ended
	close(p.ended)
}

// tail is the end of what it said.
func (p *proc) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.said.String()
	return s[max(0, len(s)-1000):]
}

func (p *proc) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// kill ends it as a crash would.
func (p *proc) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// run starts our program and waits until it serves; it returns where.
func run(t *testing.T, args ...string) (*proc, map[string]string) {
	t.Helper()
	path, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, append(append([]string{path}, args...), "--progress", "json")...)
	select {
	case at := <-p.ready:
		return p, at
	case <-p.ended:
		t.Fatalf("starling %s ended:\n%s", args[0], p.tail())
	case <-time.After(patience):
		t.Fatalf("starling %s is not ready", args[0])
	}
	return nil, nil
}

// create makes dir/name of random bytes and a torrent of it.
func create(t *testing.T, dir, name string, size int, announce string) (torrent string) {
	t.Helper()
	path, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), noise(size), 0o644); err != nil {
		t.Fatal(err)
	}
	torrent = filepath.Join(dir, name+".torrent")
	cmd := exec.Command(path, "-q", "create", filepath.Join(dir, name), "-o", torrent, "--tracker", announce)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("create: %v\n%s", err, out)
	}
	return torrent
}

// eventually polls until check is content.
func eventually(t *testing.T, what string, within time.Duration, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}
	}
}
