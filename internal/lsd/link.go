package lsd

import (
	"net"
	"net/netip"
	"slices"
)

// Port is the UDP port of the groups.
const Port = 6771

// groups are the multicast groups, IPv4 and IPv6.
var groups = [...]netip.AddrPort{
	netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 192, 152, 143}), Port),
	netip.MustParseAddrPort("[ff15::efc0:988f]:6771"),
}

// conn is a UDP socket that is in a group.
type conn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

// link is a conn on one interface.
type link struct {
	name  string
	index int
	group netip.AddrPort
	// prefixes are those of the interface in the group's family.
	prefixes []netip.Prefix
	conn     conn
}

// same says whether both are about one interface that is as it was.
func (l *link) same(o *link) bool {
	return l.name == o.name && l.index == o.index && l.group == o.group && slices.Equal(l.prefixes, o.prefixes)
}

// local says whether an address is in a network of the interface.
func (l *link) local(a netip.Addr) bool {
	a = a.WithZone("")
	return slices.ContainsFunc(l.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// linksOf returns the links that these interfaces ask for, without sockets.
func linksOf(ifis []Interface) []*link {
	var all []*link
	for _, i := range ifis[:min(len(ifis), maxInterfaces)] {
		for _, g := range groups {
			l := &link{name: i.Name, index: i.Index, group: g}
			for _, p := range i.Prefixes {
				if p.Addr().Is4() == g.Addr().Is4() {
					l.prefixes = append(l.prefixes, p)
				}
			}
			if len(l.prefixes) > 0 {
				all = append(all, l)
			}
		}
	}
	return all
}

// open joins the link's group. The socket may share its port with those of other
// programs, which hear the same.
func open(l *link) (conn, error) {
	network := "udp4"
	if !l.group.Addr().Is4() {
		network = "udp6"
	}
	c, err := net.ListenMulticastUDP(network, &net.Interface{Index: l.index, Name: l.name}, net.UDPAddrFromAddrPort(l.group))
	if err != nil {
		return nil, err
	}
	if err := tune(c, l); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}
