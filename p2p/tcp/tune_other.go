//go:build !linux

package tcp

import "net"

// maxUnsent is what a shallow buffer would be.
const maxUnsent = 32 << 10

// tune sets what a connection's socket needs: here nothing, TCP_NODELAY being
// Go's default.
func tune(net.Conn) {}

// setUnsent has nothing to set.
func setUnsent(net.Conn, int) {}
