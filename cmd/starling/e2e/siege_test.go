//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// siege is connections that attackers hold at a port. Who is closed comes again after
// a second.
type siege struct {
	stop context.CancelFunc
	all  sync.WaitGroup
}

// attacker is what somebody does on a connection: he says something, and listens until
// he is closed, or for a while does not.
type attacker struct {
	words []byte
	deaf  bool
}

// besiege has n attackers connect to addr.
func besiege(t *testing.T, addr string, n int, who func(i int) attacker) *siege {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &siege{stop: stop}
	for i := range n {
		a := who(i)
		s.all.Go(func() {
			for ctx.Err() == nil {
				a.hold(ctx, addr)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	t.Cleanup(s.lift)
	return s
}

// lift ends the siege; its connections are closed when it returns.
func (s *siege) lift() {
	s.stop()
	s.all.Wait()
}

// hold keeps a connection until the other end closes it or ctx ends. What goes wrong
// with it is the attacker's loss.
func (a *attacker) hold(ctx context.Context, addr string) {
	d := net.Dialer{Timeout: 10 * time.Second}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	_, _ = c.Write(a.words)
	if a.deaf {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
		}
		return
	}
	_, _ = io.Copy(io.Discard, c)
}

// cpuTime is how much of the processors a process has used.
func (p *proc) cpuTime() time.Duration {
	p.t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	// The name of the command, in brackets, may have blanks in it. User and system
	// time are the 14th and 15th field, in hundredths of a second.
	_, rest, _ := strings.Cut(string(text), ") ")
	var ticks [2]int64
	for i, f := range strings.Fields(rest)[11:13] {
		if ticks[i], err = strconv.ParseInt(f, 10, 64); err != nil {
			p.t.Fatal(err)
		}
	}
	return time.Duration(ticks[0]+ticks[1]) * 10 * time.Millisecond
}

// greets says whether a peer's port answers who greets it.
func greets(addr string, hello []byte) error {
	c, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write(hello); err != nil {
		return err
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if string(b) != "HELO" {
		return fmt.Errorf("it says %q", b)
	}
	return nil
}
