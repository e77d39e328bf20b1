//go:build !linux

package tcp

import "net"

// tune sets what a connection's socket needs: here nothing, TCP_NODELAY being
// Go's default.
func tune(net.Conn) {}
