package lsd

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Options that package syscall does not name.
const (
	ipMulticastAll   = 49
	ipv6MulticastAll = 29
)

// tune has the other programs of this host hear what is sent, and the socket
// hear nothing from other interfaces: Linux otherwise gives it what any socket of
// the host has joined. Old kernels let only root bind to an interface, or know no
// ipv6MulticastAll: then sources are still checked against the link's networks.
func tune(c *net.UDPConn, l *link) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(handle uintptr) {
		fd := int(handle)
		if l.group.Addr().Is4() {
			failed = errors.Join(
				// Where nothing but the interface is named, what goes over
				// loopback has no source.
				syscall.SetsockoptIPMreqn(fd, syscall.IPPROTO_IP, syscall.IP_MULTICAST_IF, &syscall.IPMreqn{
					Address: l.prefixes[0].Addr().As4(), Ifindex: int32(l.index),
				}),
				syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_MULTICAST_LOOP, 1))
			_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, ipMulticastAll, 0)
		} else {
			failed = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_MULTICAST_LOOP, 1)
			_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, ipv6MulticastAll, 0)
		}
		_ = syscall.BindToDevice(fd, l.name)
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("options of a multicast socket: %w", failed)
	}
	return err
}
