//go:build linux

package interop

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"starling/internal/testutil"
)

const (
	// wantEnv is set where the suite is to run: to 1, or to the path of a
	// starling that is to be tried instead of one that is built.
	wantEnv = "STARLING_INTEROP"
	// binaryEnv has the path of the starling binary for the test process in the
	// network namespace; that it is set says that we are in it.
	binaryEnv = "STARLING_INTEROP_BINARY"
	// capNetAdmin is the capability to set up network interfaces (capabilities(7)).
	capNetAdmin = 12
)

var (
	// starlingBinary is the starling that the trials run.
	starlingBinary = os.Getenv(binaryEnv)
	// unable says why no trial can run here; nil if they can.
	unable error
)

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(wantEnv) == "" || starlingBinary != "" {
		if starlingBinary != "" {
			unable = makeLoopback()
		}
		os.Exit(m.Run())
	}
	os.Exit(outside(m))
}

// outside builds the binary and runs this program again in a new namespace.
func outside(m *testing.M) int {
	defer testutil.Remove()
	binary := os.Getenv(wantEnv)
	if binary == "1" {
		var err error
		if binary, err = testutil.Program(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	inner := exec.Command("/proc/self/exe", os.Args[1:]...)
	inner.Env = append(os.Environ(), binaryEnv+"="+binary)
	inner.Stdin, inner.Stdout, inner.Stderr = os.Stdin, os.Stdout, os.Stderr
	inner.SysProcAttr = namespace()
	if err := inner.Start(); err != nil {
		unable = fmt.Errorf("no network namespace of our own: %w", err)
		return m.Run()
	}
	if err := inner.Wait(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() > 0 {
			return exit.ExitCode()
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// namespace says how the inner process is cloned. Who is not root stays who he
// is in a user namespace, and may change its network.
func namespace() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNET}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		attr.AmbientCaps = []uintptr{capNetAdmin}
	}
	return attr
}

// makeLoopback brings up the namespace's loopback interface, with all addresses
// of the sites on it.
func makeLoopback() error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"addr", "add", "10.77.0.1/16", "dev", "lo"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	return nil
}

// inCI says that a trial that cannot be made is a failure.
func inCI() bool { return os.Getenv("CI") != "" }

// cannot ends a trial that this machine is not fit for.
func cannot(t *testing.T, format string, args ...any) {
	t.Helper()
	if inCI() {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// needs ends a trial that is not wanted or not possible here.
func needs(t *testing.T, programs ...*program) {
	t.Helper()
	if os.Getenv(wantEnv) == "" {
		t.Skip("make interop runs this; " + wantEnv + " is not set")
	}
	if unable != nil {
		cannot(t, "%v", unable)
	}
	for _, p := range programs {
		if err := p.missing(); err != nil {
			cannot(t, "%s: %v; Debian has it in the package %s", p.name, err, p.pkg)
		}
	}
}
