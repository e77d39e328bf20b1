package doctor

import (
	"net"
	"strconv"
	"strings"
)

const (
	// leastMTU is what IPv6 asks of every link (RFC 8200).
	leastMTU = 1280
	// lessMTU is below what any tunnel in use leaves of Ethernet's 1500.
	lessMTU = 1380
)

// link is a network interface.
type link struct {
	name string
	mtu  int
}

// interfaces are those that are up, without loopback.
func interfaces() []link {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var out []link
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			out = append(out, link{i.Name, i.MTU})
		}
	}
	return out
}

// judgeMTU judges the interfaces and the path to the tracker, 0 where that is not
// known.
func judgeMTU(links []link, path int) Finding {
	const check = "mtu"
	var texts []string
	least, where := 0, ""
	for _, l := range links {
		texts = append(texts, l.name+" "+strconv.Itoa(l.mtu))
		if least == 0 || l.mtu < least {
			least, where = l.mtu, l.name
		}
	}
	if path > 0 {
		texts = append(texts, "path to the tracker "+strconv.Itoa(path))
	}
	found := strings.Join(texts, ", ")
	switch {
	case len(links) == 0:
		if path > 0 {
			return ok(check, "no interface but loopback; %s", found)
		}
		return warning(check, "bring the network up", "no interface but loopback is up")
	case least < leastMTU:
		return problem(check, "ip link set "+where+" mtu 1500, or what its link carries", "%s: less than %d breaks IPv6", found, leastMTU)
	case path > 0 && path < leastMTU:
		return problem(check, "find the link on the way that carries so little: tracepath shows it", "%s: less than %d breaks IPv6", found, leastMTU)
	case least < lessMTU || path > 0 && path < lessMTU:
		return warning(check, "see that ICMP \"packet too big\" passes every firewall on the way, or lower the other hosts' MTU", "%s: larger packets are lost on the way unless that is told", found)
	}
	return ok(check, "%s", found)
}
