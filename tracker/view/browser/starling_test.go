package browser

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"starling/internal/testutil"
)

func TestMain(m *testing.M) { os.Exit(testutil.Main(m)) }

// command is a starling that is not started yet; it dies with this process.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	file, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.Command(file, args...)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// once runs a starling to its end and returns what it printed.
func once(t testing.TB, args ...string) string {
	t.Helper()
	var out, bad strings.Builder
	cmd := command(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &bad
	if err := cmd.Run(); err != nil {
		t.Fatalf("starling %s: %v\n%s", strings.Join(args, " "), err, bad.String())
	}
	return out.String()
}

// start runs a starling until the test ends. The channel has where it listens, once it
// does, and is closed when it has ended.
func start(t testing.TB, args ...string) <-chan map[string]string {
	t.Helper()
	cmd := command(t, append(args, "--progress", "json")...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan map[string]string, 1)
	var all strings.Builder
	go func() {
		defer close(ready)
		lines := bufio.NewScanner(io.TeeReader(said, &all))
		for lines.Scan() {
			var d struct {
				Event     string
				Addresses map[string]string
			}
			if json.Unmarshal(lines.Bytes(), &d) == nil && d.Event == "ready" {
				ready <- d.Addresses // it says so once
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range ready { // until all it said is read
		}
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("starling %s\n%s", strings.Join(args, " "), all.String()[max(0, all.Len()-2000):])
		}
	})
	return ready
}

// serve starts a starling and waits until it listens.
func serve(t testing.TB, args ...string) map[string]string {
	t.Helper()
	select {
	case at, ok := <-start(t, args...):
		if ok {
			return at
		}
	case <-time.After(patience):
	}
	t.Fatalf("starling %s is not ready", strings.Join(args, " "))
	return nil
}
