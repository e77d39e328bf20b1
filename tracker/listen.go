package tracker

import (
	"context"
	"net"
)

// Listen opens the public listener on addr, "host:port". TCP keep-alive is off:
// the idle timeout is shorter than its first probe, and a peer that announces over
// a connection of its own is spared four system calls. Multipath TCP is off: an
// announce has no use for it, and refuseNew works on plain TCP only.
func Listen(ctx context.Context, addr string) (*net.TCPListener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return ln.(*net.TCPListener), nil
}
