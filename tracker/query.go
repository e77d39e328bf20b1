package tracker

import (
	"bytes"
	"errors"

	"starling/tracker/swarm"
)

// query is an announce as it stands in a URL. Its slices point into the query
// string and are still percent-encoded.
type query struct {
	swarm.Request
	port     uint16
	compact  bool
	noPeerID bool

	// What a peer says of itself for service discovery.
	metricsPort uint16
	node        []byte
	labels      [maxLabels]rawLabel
	numLabels   int

	told rawReport
}

// rawLabel is an x_label_NAME=VALUE; both within maxLabelBytes, VALUE encoded.
type rawLabel struct{ name, value []byte }

const (
	maxLabels     = 8
	maxLabelBytes = 128
)

// Faults of a query; the text goes to the peer as the failure reason.
var (
	errInfoHash = errors.New("info_hash is missing or is not 20 bytes")
	errPeerID   = errors.New("peer_id is missing or is not 20 bytes")
	errPort     = errors.New("port is missing or is not in 1-65535")
)

// parseAnnounce reads the raw query string of an announce into q. It decodes by
// hand because the hash is bytes, not text: "+" is a plus sign, ";" separates
// nothing, and a pair is never dropped for its value. Unknown keys are ignored, a
// repeated key counts the last time, numbers too large are cut to the largest.
func parseAnnounce(raw []byte, q *query) error {
	*q = query{compact: true}
	q.NumWant, q.Left, q.Downloaded = -1, -1, -1
	var hash, id bool
	for len(raw) > 0 {
		var key, value []byte
		key, value, raw = nextPair(raw)
		switch string(key) {
		case "info_hash":
			hash = unescape20(&q.InfoHash, value)
		case "peer_id":
			id = unescape20(&q.PeerID, value)
		case "port":
			q.port = parsePort(value)
		case "left":
			q.Left = parseInt(value)
		case "downloaded":
			q.Downloaded = parseInt(value)
		case "numwant":
			q.NumWant = int(min(parseInt(value), 1<<30))
		case "event":
			q.Event = swarm.ParseEvent(value)
		case "compact":
			q.compact = string(value) != "0"
		case "no_peer_id":
			q.noPeerID = string(value) == "1"
		default:
			q.hint(key, value)
		}
	}
	q.WantIDs = !q.compact && !q.noPeerID
	switch {
	case !hash:
		return errInfoHash
	case !id:
		return errPeerID
	case q.port == 0:
		return errPort
	}
	return nil
}

// readHints takes what a raw query says of the host, and nothing else.
func (q *query) readHints(raw []byte) {
	for len(raw) > 0 {
		var key, value []byte
		key, value, raw = nextPair(raw)
		q.hint(key, value)
	}
}

// hint keeps a pair if it is about the host: for service discovery or a report.
func (q *query) hint(key, value []byte) {
	if len(key) < 3 || key[0] != 'x' || key[1] != '_' {
		return
	}
	switch string(key) {
	case "x_metrics_port":
		q.metricsPort = parsePort(value)
	case "x_node":
		if len(value) <= 3*maxLabelBytes {
			q.node = value
		}
	default:
		if !q.told.add(key, value) {
			q.addLabel(key, value)
		}
	}
}

// addLabel keeps an x_label_NAME pair; more than maxLabels or longer are ignored.
func (q *query) addLabel(key, value []byte) {
	name, ok := bytes.CutPrefix(key, []byte("x_label_"))
	if !ok || len(name) == 0 || len(name) > maxLabelBytes || len(value) > 3*maxLabelBytes || q.numLabels == maxLabels {
		return
	}
	q.labels[q.numLabels] = rawLabel{name, value}
	q.numLabels++
}

// nextPair cuts the first key=value off a raw query.
func nextPair(raw []byte) (key, value, rest []byte) {
	pair := raw
	if i := bytes.IndexByte(raw, '&'); i >= 0 {
		pair, rest = raw[:i], raw[i+1:]
	}
	key = pair
	if i := bytes.IndexByte(pair, '='); i >= 0 {
		key, value = pair[:i], pair[i+1:]
	}
	return key, value, rest
}

// unescape20 decodes value, which must give exactly 20 bytes.
func unescape20(dst *[20]byte, value []byte) bool {
	n, ok := unescape(dst[:], value)
	return ok && n == len(dst)
}

// unescape percent-decodes value into dst and returns the number of bytes. It
// fails where an escape is not two hexadecimal digits or dst is too short.
func unescape(dst, value []byte) (n int, ok bool) {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '%' {
			if i+2 >= len(value) {
				return n, false
			}
			hi, lo := unhex[value[i+1]], unhex[value[i+2]]
			if hi|lo > 15 {
				return n, false
			}
			c = hi<<4 | lo
			i += 2
		}
		if n == len(dst) {
			return n, false
		}
		dst[n] = c
		n++
	}
	return n, true
}

// unhex gives a hexadecimal digit's value, and 255 for any other byte.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()

// parseInt reads a decimal number. What is none, or negative, is -1; what is too
// large is the largest.
func parseInt(b []byte) int64 {
	if len(b) == 0 {
		return -1
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		if n > (1<<63-1-9)/10 {
			n = 1<<63 - 1
			continue
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// parsePort reads a port; 0 is no valid one.
func parsePort(b []byte) uint16 {
	if n := parseInt(b); n > 0 && n <= 65535 {
		return uint16(n)
	}
	return 0
}
