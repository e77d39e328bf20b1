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
	// only for what is still in the outbox. See depth.go for fast paths.
	maxUnsent = 32 << 10
)

// tune sets what a connection's socket needs. TCP_NODELAY, which the writer
// relies on because it does its own gathering, is Go's default.
func tune(c net.Conn) { setUnsent(c, maxUnsent) }

// setUnsent changes the bound on what waits unsent in the kernel. Where that
// fails the connection works, only less promptly.
func setUnsent(c net.Conn, n int) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return // closed already; the reader will say so
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, n)
	})
}
