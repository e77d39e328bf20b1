package tracker

import "bytes"

// route is where a request goes.
type route uint8

const (
	routeOther route = iota // net/http's
	routeAnnounce
	routeScrape
)

var (
	announcePrefix = []byte("GET /announce?")
	scrapePrefix   = []byte("GET /scrape?")
	versionSuffix  = []byte(" HTTP/1.1")
)

// maybeOurs says whether a request that begins with b may still be one for the
// loop. A single wrong byte sends it to net/http.
func maybeOurs(b []byte) bool {
	for _, p := range [][]byte{announcePrefix, scrapePrefix} {
		n := min(len(b), len(p))
		if bytes.Equal(b[:n], p[:n]) {
			return true
		}
	}
	return false
}

// parseHead reads a whole request head, which ends with an empty line. It knows
// one kind of request: GET of /announce or /scrape with a query, HTTP/1.1, one
// Host, no body, headers of plain characters. For anything else it returns
// routeOther, and the caller gives the same bytes to net/http. It changes nothing
// in head and allocates nothing.
func parseHead(head []byte) (to route, query []byte, closing bool) {
	line, rest, ok := cutLine(head)
	if !ok {
		return routeOther, nil, false
	}
	target, ok := bytes.CutSuffix(line, versionSuffix)
	if !ok || len(target) > len("GET ")+maxTarget {
		return routeOther, nil, false
	}
	switch {
	case bytes.HasPrefix(target, announcePrefix):
		to, query = routeAnnounce, target[len(announcePrefix):]
	case bytes.HasPrefix(target, scrapePrefix):
		to, query = routeScrape, target[len(scrapePrefix):]
	default:
		return routeOther, nil, false
	}
	for _, c := range query {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return routeOther, nil, false
		}
	}
	hosts := 0
	for {
		line, rest, ok = cutLine(rest)
		switch {
		case !ok:
			return routeOther, nil, false
		case len(line) == 0:
			if hosts != 1 || len(rest) != 0 {
				return routeOther, nil, false
			}
			return to, query, closing
		}
		switch parseHeader(line) {
		case headerHost:
			hosts++
		case headerClose:
			closing = true
		case headerUnusual:
			return routeOther, nil, false
		}
	}
}

// cutLine cuts b after its first CRLF. A line with a control character in it,
// a bare CR or LF among them, is no line.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 1 || b[i-1] != '\r' {
		return nil, nil, false
	}
	line = b[:i-1]
	for _, c := range line {
		if c < ' ' && c != '\t' || c >= 0x7f {
			return nil, nil, false
		}
	}
	return line, b[i+1:], true
}

// header is what the loop needs to know of a header line.
type header uint8

const (
	headerPlain header = iota
	headerHost
	headerClose
	headerUnusual
)

// parseHeader looks at one header line. Headers that bring a body, ask for
// another protocol or an interim answer, and lines that are not NAME: VALUE, are
// unusual.
func parseHeader(line []byte) header {
	i := bytes.IndexByte(line, ':')
	if i < 1 {
		return headerUnusual
	}
	name, value := line[:i], bytes.Trim(line[i+1:], " \t")
	for _, c := range name {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return headerUnusual
		}
	}
	switch {
	case is(name, "host"):
		if len(value) == 0 || bytes.ContainsAny(value, " \t,/@\\") {
			return headerUnusual
		}
		return headerHost
	case is(name, "connection"):
		switch {
		case is(value, "close"):
			return headerClose
		case is(value, "keep-alive"):
			return headerPlain
		}
		return headerUnusual
	case is(name, "content-length"), is(name, "transfer-encoding"), is(name, "expect"),
		is(name, "upgrade"), is(name, "trailer"), is(name, "te"):
		return headerUnusual
	}
	return headerPlain
}

// is compares a name with a lower-case one, whatever its case.
func is(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
