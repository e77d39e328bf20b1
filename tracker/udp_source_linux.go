package tracker

import (
	"encoding/binary"
	"net"
	"syscall"
)

// askDestination has every packet of a socket come with the address it was sent
// to. Where that fails the system chooses what a reply comes from, which is wrong
// only on a host with several addresses.
func askDestination(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return // closed already; the reader will say so
	}
	_ = raw.Control(func(fd uintptr) {
		if syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1) != nil {
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
		}
	})
}

// cmsgHead is the length of a control message's head: its length, then level and
// type of 4 bytes each.
const cmsgHead = syscall.SizeofCmsghdr

// fromDestination turns the control message of a packet into that of its reply: it
// is to come from the address that the packet was sent to. The interface is left to
// the routes, but for a link-local address, which means nothing without. Clients
// take replies only from the address that they asked.
func fromDestination(oob []byte) []byte {
	if len(oob) < cmsgHead {
		return nil
	}
	level := binary.NativeEndian.Uint32(oob[cmsgHead-8:])
	kind := binary.NativeEndian.Uint32(oob[cmsgHead-4:])
	data := oob[cmsgHead:]
	switch {
	case level == syscall.IPPROTO_IP && kind == syscall.IP_PKTINFO && len(data) >= syscall.SizeofInet4Pktinfo:
		clear(data[:4])
		return oob[:cmsgHead+syscall.SizeofInet4Pktinfo]
	case level == syscall.IPPROTO_IPV6 && kind == syscall.IPV6_PKTINFO && len(data) >= syscall.SizeofInet6Pktinfo:
		if linkLocal := data[0] == 0xfe && data[1]&0xc0 == 0x80; !linkLocal {
			clear(data[16:20])
		}
		return oob[:cmsgHead+syscall.SizeofInet6Pktinfo]
	}
	return nil
}
