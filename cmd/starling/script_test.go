package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"starling/metainfo"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"starling": main})
}

// TestScripts runs the txtar scripts of testdata/script. Beside testscript's own
// commands they have
//
//	exits CODE ARG...       run `starling ARG...` and check its exit code
//	start NAME ARG...       run it in the background until its ready event; then
//	                        $NAME_peer, $NAME_tracker ... are its addresses
//	await NAME EVENT        wait for an event of it
//	signal NAME SIG [CODE]  send a signal; with CODE wait for the end and check
//	                        its exit code; its stderr is then in NAME.stderr
//	random FILE SIZE        write bytes that are the same each time
//	poke FILE OFFSET        change one byte
//	infohash FILE           set $infohash and $infohash_v2 to a torrent's, in hexadecimal
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Values[daemonsKey{}] = daemons{}
			env.Setenv("HOME", env.WorkDir)
			// The race detector lets a process that ends wait a second.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "start": cmdStart, "await": cmdAwait, "signal": cmdSignal,
			"random": cmdRandom, "poke": cmdPoke, "infohash": cmdInfohash,
		},
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func cmdInfohash(ts *testscript.TestScript, _ bool, args []string) {
	raw, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	t, err := metainfo.Parse(raw)
	ts.Check(err)
	ts.Setenv("infohash", t.InfoHash.String())
	ts.Setenv("infohash_v2", t.InfoHashV2.String())
}

func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec("starling", args[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// daemons are a script's background processes by name.
type daemons map[string]*daemon

type daemonsKey struct{}

type daemon struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu     sync.Mutex
	change *sync.Cond
	seen   map[string]event // the first of each name
	log    strings.Builder
	ended  bool
}

type event struct {
	Type, Event string
	Addresses   map[string]string
}

func daemonOf(ts *testscript.TestScript, name string) *daemon {
	d := ts.Value(daemonsKey{}).(daemons)[name]
	if d == nil {
		ts.Fatalf("no daemon %q", name)
	}
	return d
}

func cmdStart(ts *testscript.TestScript, _ bool, args []string) {
	name := args[0]
	path, err := exec.LookPath("starling")
	ts.Check(err)
	d := &daemon{seen: map[string]event{}, done: make(chan struct{})}
	d.change = sync.NewCond(&d.mu)
	d.cmd = exec.Command(path, append(args[1:], "--progress", "json")...)
	d.cmd.Dir = ts.Getenv("WORK")
	d.cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "GORACE="+ts.Getenv("GORACE"))
	stdout, err := os.Create(ts.MkAbs(name + ".stdout"))
	ts.Check(err)
	defer stdout.Close()
	d.cmd.Stdout = stdout
	stderr, err := d.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(d.cmd.Start())
	go d.read(stderr)
	ts.Value(daemonsKey{}).(daemons)[name] = d
	ts.Defer(func() {
		_ = d.cmd.Process.Kill()
		<-d.done
		_ = d.cmd.Wait()
	})
	for what, addr := range d.await(ts, "ready").Addresses {
		ts.Setenv(name+"_"+what, addr)
	}
}

func (d *daemon) read(r io.Reader) {
	defer close(d.done)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var e event
		err := json.Unmarshal(lines.Bytes(), &e)
		d.mu.Lock()
		fmt.Fprintf(&d.log, "%s\n", lines.Bytes())
		if _, ok := d.seen[e.Event]; err == nil && !ok {
			d.seen[e.Event] = e
		}
		d.change.Broadcast()
		d.mu.Unlock()
	}
	d.mu.Lock()
	d.ended = true
	d.change.Broadcast()
	d.mu.Unlock()
}

func (d *daemon) await(ts *testscript.TestScript, name string) event {
	late := false
	timer := time.AfterFunc(20*time.Second, func() {
		d.mu.Lock()
		late = true
		d.change.Broadcast()
		d.mu.Unlock()
	})
	defer timer.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if e, ok := d.seen[name]; ok {
			return e
		}
		if late || d.ended {
			ts.Fatalf("no event %q in:\n%s", name, d.log.String())
		}
		d.change.Wait()
	}
}

func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	daemonOf(ts, args[0]).await(ts, args[1])
}

func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	d := daemonOf(ts, args[0])
	sig := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP}[args[1]]
	ts.Check(d.cmd.Process.Signal(sig))
	if len(args) < 3 {
		return
	}
	began := time.Now()
	<-d.done
	_ = d.cmd.Wait()
	if took := time.Since(began); took > grace+time.Second {
		ts.Fatalf("took %s to stop", took)
	}
	if got := strconv.Itoa(d.cmd.ProcessState.ExitCode()); got != args[2] {
		ts.Fatalf("exit code %s, want %s:\n%s", got, args[2], d.log.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stderr"), []byte(d.log.String()), 0o644))
}

func cmdRandom(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(writeRandom(ts.MkAbs(args[0]), size))
}

func cmdPoke(ts *testscript.TestScript, _ bool, args []string) {
	at, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(filepath.FromSlash(args[0])), os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	ts.Check(err)
	b[0] ^= 0xff
	_, err = f.WriteAt(b[:], at)
	ts.Check(err)
}
