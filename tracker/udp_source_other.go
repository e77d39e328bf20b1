//go:build !linux

package tracker

import "net"

// askDestination has nothing to ask: the system chooses what a reply comes from,
// which is wrong only on a host with several addresses.
func askDestination(*net.UDPConn) {}

// fromDestination has no address to give to a reply.
func fromDestination([]byte) []byte { return nil }
