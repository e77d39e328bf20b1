package p2p

import (
	"strconv"
	"strings"
)

// The standard messages are lines of words. These are their parts, as strict as
// what a table may hold: everything here comes from strangers.

const (
	maxIDLen   = 255
	maxHostLen = 253 // of a DNS name
	// maxPeerLine bounds "id host port".
	maxPeerLine = maxIDLen + 1 + maxHostLen + 1 + 5
)

// validID reports whether s can name a peer: one word of printable ASCII.
func validID(s string) bool {
	if s == "" || len(s) > maxIDLen {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// validHost reports whether s could be a host name or an IP address without
// brackets. Whether it exists is for a dial to find out.
func validHost(s string) bool {
	if s == "" || len(s) > maxHostLen {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '-', c == '_', c == ':', c == '%':
		default:
			return false
		}
	}
	return true
}

// parsePort reads a port that can be dialed, 1 to 65535.
func parsePort(s string) (uint16, bool) {
	p, err := strconv.ParseUint(s, 10, 16)
	return uint16(p), err == nil && p != 0
}

// splitAddr cuts "host:port" or "[v6]:port".
func splitAddr(addr string) (host string, port uint16, ok bool) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return "", 0, false
	}
	host = addr[:i]
	if inner, v6 := strings.CutPrefix(host, "["); v6 {
		host, ok = strings.CutSuffix(inner, "]")
		if !ok || !strings.Contains(host, ":") {
			return "", 0, false
		}
	} else if strings.Contains(host, ":") {
		return "", 0, false
	}
	port, ok = parsePort(addr[i+1:])
	return host, port, ok && validHost(host)
}

// joinAddr is the inverse of splitAddr.
func joinAddr(host string, port uint16) string {
	p := strconv.Itoa(int(port))
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + p
	}
	return host + ":" + p
}

// appendPeer appends "id host port", the form of JOIN's data and of an entry
// of LIST. An IPv6 host goes without brackets.
func appendPeer(b []byte, p Peer) []byte {
	host, port, _ := splitAddr(p.Addr)
	b = append(b, p.ID...)
	b = append(b, ' ')
	b = append(b, host...)
	b = append(b, ' ')
	return strconv.AppendUint(b, uint64(port), 10)
}

// parsePeer reads what appendPeer wrote, with any white space between the
// words.
func parsePeer(data []byte) (p Peer, ok bool) {
	if len(data) > maxPeerLine {
		return Peer{}, false
	}
	words := strings.Fields(string(data))
	if len(words) != 3 {
		return Peer{}, false
	}
	port, ok := parsePort(words[2])
	if !ok || !validID(words[0]) || !validHost(words[1]) {
		return Peer{}, false
	}
	return Peer{ID: words[0], Addr: joinAddr(words[1], port)}, true
}

// ParseList reads the replies to LIST: a count, then so many peers. Entries
// that do not parse are passed over and a wrong count does no harm, for the
// entries are only hints; ok is false if it is no list at all.
func ParseList(replies []Message) (peers []Peer, ok bool) {
	if len(replies) == 0 || replies[0].Type != REPL {
		return nil, false
	}
	if _, err := strconv.ParseUint(string(replies[0].Head), 10, 32); err != nil {
		return nil, false
	}
	for _, m := range replies[1:] {
		if p, ok := parsePeer(m.Head); ok && m.Type == REPL {
			peers = append(peers, p)
		}
	}
	return peers, true
}
