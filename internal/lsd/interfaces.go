package lsd

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Interface is a network interface.
type Interface struct {
	Name  string
	Index int
	// Prefixes are its addresses, each with the length of its network's prefix.
	Prefixes []netip.Prefix
}

// maxInterfaces bounds the interfaces that an Announcer uses: hosts of containers
// have hundreds.
const maxInterfaces = 16

// Interfaces returns the interfaces of the host that reach a local network: those
// that are up and do multicast, without loopback and point-to-point ones.
func Interfaces() ([]Interface, error) {
	return list(func(i *net.Interface) bool { return i.Flags&(net.FlagLoopback|net.FlagPointToPoint) == 0 })
}

// Only returns a function like Interfaces for the interfaces of these names, of
// whatever kind. Those that are not there, not up or without multicast are left
// out: they may be one day. Linux has no IPv6 multicast over loopback, and IPv4
// only after `ip link set lo multicast on`.
func Only(names ...string) func() ([]Interface, error) {
	names = slices.Clone(names)
	return func() ([]Interface, error) {
		return list(func(i *net.Interface) bool { return slices.Contains(names, i.Name) })
	}
}

func list(use func(*net.Interface) bool) ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("lsd: %w", err)
	}
	var out []Interface
	for i := range all {
		ifi := &all[i]
		const need = net.FlagUp | net.FlagMulticast
		if ifi.Flags&need != need || !use(ifi) {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it has gone since
		}
		one := Interface{Name: ifi.Name, Index: ifi.Index}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				one.Prefixes = append(one.Prefixes, prefixOf(n))
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func prefixOf(n *net.IPNet) netip.Prefix {
	addr, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), bits)
}
