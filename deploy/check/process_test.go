package check

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take on a machine that does much else.
const patience = time.Minute

// built is the folder of what binary has built, "" before.
var built string

// binary is starling, built once.
var binary = sync.OnceValues(func() (path string, err error) {
	if built, err = os.MkdirTemp("", "starling-check"); err != nil {
		return "", err
	}
	path = filepath.Join(built, "starling")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./cmd/starling")
	build.Dir, build.Stderr = "../..", os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	return path, build.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// process is one container's command, run here.
type process struct {
	name   string
	events chan event
	ended  chan struct{}
	cmd    *exec.Cmd
	stderr strings.Builder // complete once ended is closed
}

type event struct {
	Event     string            `json:"event"`
	Addresses map[string]string `json:"addresses"`
	Path      string            `json:"path"`
}

// start runs starling with the arguments of a container, in which replaced takes the
// place of what only a container has: pairs as of strings.NewReplacer.
func start(t *testing.T, name string, args []string, replaced ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r := strings.NewReplacer(replaced...)
	p := &process{name: name, events: make(chan event, 64), ended: make(chan struct{})}
	local := []string{"--progress=json"}
	for _, a := range args {
		if flag, _, ok := strings.Cut(a, "listen=:"); ok {
			a = flag + "listen=127.0.0.1:0" // the container's port may be taken here
		}
		local = append(local, r.Replace(a))
	}
	p.cmd = exec.Command(path, local...)
	home := t.TempDir()
	p.cmd.Dir, p.cmd.Env = home, []string{"HOME=" + home}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil && e.Event != "" {
				p.events <- e
			}
			p.stderr.Write(append(lines.Bytes(), '\n'))
		}
		_ = p.cmd.Wait() // the exit code is asked for separately
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		<-p.ended
		if t.Failed() {
			t.Logf("%s: %v\n%s", name, p.cmd.Args, p.stderr.String())
		}
	})
	return p
}

// await waits for an event, or fails.
func (p *process) await(t *testing.T, name string) event {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-p.events:
			if e.Event == name {
				return e
			}
		case <-p.ended:
			t.Fatalf("%s ended without the event %s", p.name, name)
		case <-late:
			t.Fatalf("%s: no event %s within %s", p.name, name, patience)
		}
	}
}

// stop ends it as the container's runtime does.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s still runs", p.name)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("%s: exit code %d", p.name, code)
	}
}
