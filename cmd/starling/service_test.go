package main

import (
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"starling/cmd/starling/internal/service"
	"starling/p2p/monitor"
)

// TestOutlive: who waits for another program gives signs of life until that ends.
func TestOutlive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	ear, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	env := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}
	a := &app{service: service.Open(func(k string) string { return env[k] })}
	a.service.Ready("x")

	failed, ended := errors.New("the program failed"), make(chan error)
	got := make(chan error, 1)
	go func() { got <- a.outlive(ended) }()
	if err := ear.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	for _, want := range []string{"READY=1\nSTATUS=x", "WATCHDOG=1"} {
		n, err := ear.Read(b)
		if err != nil || string(b[:n]) != want {
			t.Fatalf("%q, %v; want %q", b[:n], err, want)
		}
	}
	ended <- failed
	if err := <-got; !errors.Is(err, failed) {
		t.Errorf("%v, want the program's end", err)
	}
}

// TestMonitorLives: a monitor gives a sign of life when the loop that takes the copies
// has answered, and none while that hangs.
func TestMonitorLives(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := (&app{log: slog.New(slog.DiscardHandler)}).watchCopies(ln, monitor.Config{})
	tick, signs, ended := make(chan time.Time), make(chan struct{}), make(chan struct{})
	go func() {
		w.live(tick, func() { signs <- struct{}{} })
		close(ended)
	}()
	tick <- time.Now()
	<-signs

	hangs, release := make(chan struct{}), make(chan struct{})
	go func() {
		_ = w.host.Do(func() { // it ends before the host does
			close(hangs)
			<-release
		})
	}()
	<-hangs
	tick <- time.Now()
	select {
	case <-signs:
		t.Fatal("a sign of life of a loop that hangs")
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	<-signs
	w.stop()
	<-ended
}
