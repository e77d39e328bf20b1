//go:build unix

package descriptors

import (
	"errors"
	"math"
	"net"
	"os"
	"os/exec"
	"testing"
)

func TestAbove(t *testing.T) {
	for limit, want := range map[int]int{0: 0, 8: 6, 64: 48, 1024: 768, 20_000: 19_744, math.MaxInt: math.MaxInt - 256} {
		if got := above(limit); got != want {
			t.Errorf("of %d descriptors the first %d are for connections, want %d", limit, got, want)
		}
	}
}

// TestScarce opens connections in a process that may have 64 descriptors, until one is
// refused; files can still be opened then.
func TestScarce(t *testing.T) {
	if os.Getenv("DESCRIPTORS_CHILD") == "" {
		cmd := exec.Command("sh", "-c", `ulimit -n 64 && exec "$0" -test.run '^TestScarce$' -test.count 1`, os.Args[0])
		cmd.Env = append(os.Environ(), "DESCRIPTORS_CHILD=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if Limit() != 64 {
		t.Fatalf("the limit is %d, want 64", Limit())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	d := net.Dialer{Control: Spare}
	accepted := 0
	for {
		c, err := d.Dial("tcp", ln.Addr().String())
		if err != nil {
			if !errors.Is(err, ErrScarce) {
				t.Fatal(err)
			}
			break
		}
		defer c.Close()
		s, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if Scarce(s) {
			break
		}
		accepted++
	}
	if accepted < 10 {
		t.Errorf("scarce after %d connections", accepted)
	}
	for i := range 12 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatalf("file %d: %v", i, err)
		}
		defer f.Close()
	}
	a, b := net.Pipe()
	defer b.Close()
	if Scarce(a) {
		t.Error("a pipe within the process holds a descriptor")
	}
}
