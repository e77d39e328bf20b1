package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"starling/cmd/starling/internal/config"
)

// terminal opens a pseudo terminal: the end that a program has, and the end that closes.
func terminal(t *testing.T) (program, window *os.File) {
	t.Helper()
	window, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { window.Close() })
	if err := unix.IoctlSetPointerInt(int(window.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(window.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return program, window
}

// TestTerminalCloses: SIGHUP is a wish for a reload while the terminal is there, and the
// end once it has closed.
func TestTerminalCloses(t *testing.T) {
	program, window := terminal(t)
	a := &app{stdout: io.Discard, stderr: program}
	a.moreGrace(time.Hour) // nothing here may end the test
	asked := make(chan struct{}, 9)
	r := testReload(t, a)
	r.apply = func(*config.Config) error { asked <- struct{}{}; return nil }
	a.reloadable(r)
	ctx, stop := a.watchSignals(context.Background())
	defer stop()
	raise(t, syscall.SIGHUP)
	soon(t, "a reload", asked)
	window.Close()
	raise(t, syscall.SIGHUP)
	soon(t, "the end", ctx.Done())
	raise(t, syscall.SIGHUP) // a shell's, after the terminal's
	if s := stopped(ctx); s == nil || s.code() != exitHangup {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
	if len(asked) > 0 {
		t.Error("it was taken for a wish to reload")
	}
}
