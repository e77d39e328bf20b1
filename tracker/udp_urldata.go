package tracker

import "bytes"

// Options of a UDP announce (BEP 41). From udpOptURLData on they have a byte of
// length.
const (
	udpOptEnd     = 0
	udpOptURLData = 2
)

// maxURLData bounds the path and query of a UDP tracker's URL, so that an announce
// fits into one packet.
const maxURLData = 1 << 10

// appendURLData appends a URL's path and query as options, in parts of 255 bytes.
func appendURLData(b []byte, data string) []byte {
	for len(data) > 0 {
		n := min(len(data), 255)
		b = append(append(b, udpOptURLData, byte(n)), data[:n]...)
		data = data[n:]
	}
	return b
}

// readURLData appends to b what the options hold of a URL. Unknown options are
// skipped; one that is cut off ends them.
func readURLData(b, options []byte) []byte {
	for len(options) > 0 && options[0] != udpOptEnd {
		kind := options[0]
		options = options[1:]
		if kind < udpOptURLData {
			continue
		}
		if len(options) == 0 || len(options)-1 < int(options[0]) {
			break
		}
		n := 1 + int(options[0])
		if kind == udpOptURLData {
			b = append(b, options[1:n]...)
		}
		options = options[n:]
	}
	return b
}

// urlQuery is what follows the "?" of a URL's path and query.
func urlQuery(data []byte) []byte {
	if i := bytes.IndexByte(data, '?'); i >= 0 {
		return data[i+1:]
	}
	return nil
}
