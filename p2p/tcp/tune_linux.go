package tcp

import (
	"net"
	"syscall"
)

const (
	// tcpNotSentLowat is TCP_NOTSENT_LOWAT of linux/tcp.h, which package
	// syscall does not name.
	tcpNotSentLowat = 25
	// maxUnsent bounds the bytes that wait in the kernel without having been
	// sent once. Without it a socket takes megabytes, and a choke or a have
	// waits behind them for seconds on a slow link: the outbox's order counts
	// only for what is still in the outbox. On loopback it costs nothing that
	// can be told from noise.
	maxUnsent = 128 << 10
)

// tune sets what a connection's socket needs. TCP_NODELAY, which the writer
// relies on because it does its own gathering, is Go's default.
func tune(c net.Conn) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return // closed already; the reader will say so
	}
	_ = raw.Control(func(fd uintptr) {
		// Without it the connection works, only less promptly.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, maxUnsent)
	})
}
