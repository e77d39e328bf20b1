package main

import (
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"starling/cmd/starling/internal/service"
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
