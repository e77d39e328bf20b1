//go:build linux

package monitoring

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// repeat asks the tracker for some paths again and again, until it is stopped.
func (tr *trial) repeat(every time.Duration, paths ...string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			for _, path := range paths {
				if resp, err := client.Get("http://" + tr.at["tracker"] + "/" + path); err == nil {
					resp.Body.Close()
				}
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// absent are the announces of so many peers at whose metrics ports nobody listens.
func (tr *trial) absent(n int) (paths []string) {
	tr.t.Helper()
	for i := range n {
		_, port, err := net.SplitHostPort(freePort(tr.t))
		if err != nil {
			tr.t.Fatal(err)
		}
		paths = append(paths, fmt.Sprintf("announce?info_hash=%020d&peer_id=%020d&port=%d&left=0&x_metrics_port=%s&x_node=absent", 1, i, i+1, port))
	}
	return paths
}

// starve takes the tracker nearly all of its CPU, until it is stopped: it runs for
// a moment at a time.
func (tr *trial) starve() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	process := tr.tracker.cmd.Process
	go func() {
		defer close(ended)
		for {
			_ = process.Signal(syscall.SIGSTOP) // it runs until it is killed below
			select {
			case <-done:
				_ = process.Signal(syscall.SIGCONT)
				return
			case <-time.After(2 * time.Second):
			}
			_ = process.Signal(syscall.SIGCONT)
			time.Sleep(time.Millisecond)
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// slowRate is in bytes a second: a piece of 256 KiB takes more than half a second.
const slowRate = "400k"

// mountSlow mounts a folder that is written to at slowRate, and says whether this
// machine lets it. The peer knows nothing of it: its own system calls take that long.
func mountSlow(t *testing.T, dir string) bool {
	t.Helper()
	program, err := exec.LookPath("bindfs")
	if err != nil && os.Getenv("CI") == "" {
		t.Logf("StarlingDiskSlow is not staged: %v: install the package bindfs", err)
		return false
	} else if err != nil {
		t.Fatalf("%v: install the package bindfs", err)
	}
	for _, d := range []string{dir, dir + ".real"} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := launch(t, program, "-f", "--write-rate="+slowRate, dir+".real", dir)
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it unmounts, or has ended by itself
		select {
		case <-p.ended:
		case <-time.After(patience):
			t.Errorf("bindfs does not end:\n%s", p.tail())
		}
	})
	mounted := false
	eventually(t, "a slow disk is mounted", patience, func() error {
		select {
		case <-p.ended:
			return nil
		default:
		}
		var fs syscall.Statfs_t
		if err := syscall.Statfs(dir, &fs); err != nil {
			return err
		}
		const fuse = 0x65735546
		if mounted = fs.Type == fuse; !mounted {
			return errors.New("not yet")
		}
		return nil
	})
	if !mounted && os.Getenv("CI") == "true" && os.Geteuid() == 0 {
		t.Fatalf("CI as root must be able to mount by FUSE:\n%s", p.tail())
	}
	if !mounted {
		t.Logf("StarlingDiskSlow is not staged: %s", p.tail())
	}
	return mounted
}
