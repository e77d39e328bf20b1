//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
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

// patience is how long an event may take that is due at once, on a machine that
// does much else.
const patience = 30 * time.Second

// doc is any of starling's JSON lines; the fields of other types stay empty.
type doc struct {
	Type      string            `json:"type"`
	Event     string            `json:"event"`
	At        time.Time         `json:"time"`
	Addresses map[string]string `json:"addresses"`
	Detail    string            `json:"detail"`
	Changes   []struct {
		Key, Old, New string
		Applied       bool
	} `json:"changes"`
	State   string    `json:"state"`
	Total   int64     `json:"bytes_total"`
	Done    int64     `json:"bytes_done"`
	DownBPS float64   `json:"down_bps"`
	Fleet   *struct{} `json:"fleet"` // set once the tracker has answered
	Pieces  struct {
		Total, Done int
	} `json:"pieces"`
	Trouble   string  `json:"trouble"`
	DurationS float64 `json:"duration_s"`
	BytesFrom struct {
		Peers, WebSeeds, Disk int64
	} `json:"bytes_from"`
	Sent      int64  `json:"bytes_sent"`
	Code      int    `json:"code"`
	Message   string `json:"message"`
	Hint      string `json:"hint"`
	Retryable bool   `json:"retryable"`
}

// proc is one starling process.
type proc struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stdout output
	ended  chan struct{} // closed when it is gone and all it said is read

	mu     sync.Mutex
	change chan struct{} // closed and replaced at each line
	docs   []doc
	log    strings.Builder
}

// output is what a process has written so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs `starling args...` with JSON progress. The trial's end kills it.
func start(t *testing.T, name string, args ...string) *proc {
	t.Helper()
	return launch(t, name, append(args, "--progress", "json"))
}

func launch(t *testing.T, name string, args []string) *proc {
	t.Helper()
	return command(t, name, append([]string{starlingBinary}, args...))
}

// command runs a starling whose command line may begin with a program that
// becomes it, such as ip netns exec.
func command(t *testing.T, name string, argv []string) *proc {
	t.Helper()
	p := &proc{t: t, name: name, ended: make(chan struct{}), change: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	home := t.TempDir()
	p.cmd.Dir = home
	p.cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	p.cmd.Stdout = &p.stdout
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
		if said := p.tail(); t.Failed() && said != "" {
			t.Logf("%s: %s\n%s", name, strings.Join(argv, " "), said)
		}
	})
	return p
}

func (p *proc) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var d doc
		err := json.Unmarshal(lines.Bytes(), &d)
		p.mu.Lock()
		fmt.Fprintf(&p.log, "%s\n", lines.Bytes())
		if err == nil {
			p.docs = append(p.docs, d)
		}
		close(p.change)
		p.change = make(chan struct{})
		p.mu.Unlock()
	}
	_ = p.cmd.Wait() // the exit code is asked for separately
	close(p.ended)
}

// tail is the end of what it said.
func (p *proc) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	const most = 4 << 10
	s := p.log.String()
	return s[max(0, len(s)-most):]
}

// find waits for a document that matches, in the order they came.
func (p *proc) find(what string, within time.Duration, match func(*doc) bool) doc {
	p.t.Helper()
	return p.findFrom(0, what, within, match)
}

// findFrom is find among the documents after the first n.
func (p *proc) findFrom(n int, what string, within time.Duration, match func(*doc) bool) doc {
	p.t.Helper()
	late := time.After(within)
	over := false
	for next := n; ; {
		p.mu.Lock()
		for ; next < len(p.docs); next++ {
			if match(&p.docs[next]) {
				d := p.docs[next]
				p.mu.Unlock()
				return d
			}
		}
		change := p.change
		p.mu.Unlock()
		if over {
			p.t.Fatalf("%s ended without: %s", p.name, what)
		}
		select {
		case <-change:
		case <-p.ended:
			over = true
		case <-late:
			p.t.Fatalf("%s: not within %s: %s", p.name, within, what)
		}
	}
}

// said is how many documents have come: a mark for findFrom.
func (p *proc) said() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.docs)
}

func (p *proc) event(name string, within time.Duration) doc {
	p.t.Helper()
	return p.find("event "+name, within, func(d *doc) bool { return d.Event == name })
}

// ready waits until it serves, and returns where.
func (p *proc) ready() map[string]string {
	p.t.Helper()
	return p.event("ready", patience).Addresses
}

// resumed is how many bytes a leecher has at its start.
func (p *proc) resumed() int64 {
	p.t.Helper()
	return p.find("a reading of the transfer", patience, func(d *doc) bool {
		return d.Type == "status" && d.State != "checking"
	}).Done
}

// wait waits for its end and checks the exit code.
func (p *proc) wait(code int, within time.Duration) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.t.Fatalf("%s still runs after %s", p.name, within)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("%s: exit code %d, want %d", p.name, got, code)
	}
}

// summary is what it said at its end.
func (p *proc) summary() doc {
	p.t.Helper()
	return p.find("summary", patience, func(d *doc) bool { return d.Type == "summary" })
}

// kill ends it as a crash would, and waits until it is gone.
func (p *proc) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// term stops it as an operator does: within the 5 s that are promised, and a
// second more for a machine that does much else.
func (p *proc) term() (took time.Duration) {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	p.wait(128+int(syscall.SIGTERM), 6*time.Second)
	return time.Since(began)
}

// once runs a command to its end and returns its stdout.
func once(t *testing.T, code int, args ...string) string {
	t.Helper()
	p := launch(t, args[0], args)
	p.wait(code, 5*time.Minute)
	return p.stdout.String()
}

// eventually polls until check is content.
func eventually(t *testing.T, within time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %v", within, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

const mib = 1 << 20
