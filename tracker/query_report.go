package tracker

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/netip"

	"starling/tracker/fleet"
)

// rawReport is what an announce says of how its host does, its lists still encoded.
type rawReport struct {
	able                       bool // it could report: see appendReply
	sized                      bool // it does
	size, done, down, up, left int64
	state                      fleet.State
	why                        fleet.Why
	from, have                 []byte
}

// add keeps a pair that belongs to a report, and says whether it does.
func (r *rawReport) add(key, value []byte) bool {
	switch string(key) {
	case "x_report":
		r.able = string(value) == "1"
	case "x_size":
		r.size = parseInt(value)
		r.sized = true
	case "x_done":
		r.done = parseInt(value)
	case "x_down":
		r.down = parseInt(value)
	case "x_up":
		r.up = parseInt(value)
	case "x_left_s":
		r.left = 1 + parseInt(value) // 0 is unsaid; see report
	case "x_state":
		r.state = fleet.ParseState(value)
	case "x_why":
		r.why = fleet.ParseWhy(value)
	case "x_from":
		r.from = value
	case "x_have":
		r.have = value
	default:
		return false
	}
	return true
}

// reporting is room for the report of one announce.
type reporting struct {
	fleet.Report
	from   [fleet.MaxFrom]fleet.Source
	labels [fleet.MaxLabels]fleet.RawLabel
	text   [(fleet.MaxLabels + 1) * fleet.MaxText]byte
}

// report decodes what q says of its host into r. A part that is not what it should be
// is left out; numbers that cannot be are for fleet.Store to refuse.
func (r *reporting) report(q *query) *fleet.Report {
	t := &q.told
	r.Report = fleet.Report{
		Hash: q.InfoHash, ID: q.PeerID, Addr: q.Addr, State: t.state, Why: t.why,
		Size: t.size, Done: t.done, Down: t.down, Up: t.up, LeftS: -1,
	}
	if t.left > 0 && t.left <= maxLeftS {
		r.LeftS = t.left - 1
	}
	decodeHave(&r.Have, t.have)
	r.From = decodeFrom(r.from[:0], t.from)
	text := r.text[:0]
	text, r.Node = decodeText(text, q.node)
	r.Labels = r.labels[:0]
	for _, l := range q.labels[:q.numLabels] {
		var value []byte
		if !isLabelName(l.name) {
			continue
		}
		if text, value = decodeText(text, l.value); value != nil {
			r.Labels = append(r.Labels, fleet.RawLabel{Name: l.name, Value: value})
		}
	}
	return &r.Report
}

// maxLeftS is the longest time left that is believed: a year, and the one that add
// puts on top.
const maxLeftS = 366*24*3600 + 1

// decodeText appends the text of an encoded value to b and returns both; what nobody
// may be called, and nothing at all, is nil.
func decodeText(b, value []byte) (longer, text []byte) {
	n, ok := unescape(b[len(b):min(cap(b), len(b)+fleet.MaxText)], value)
	text = b[len(b) : len(b)+n]
	if !ok || n == 0 || !fleet.ValidText(text) {
		return b, nil
	}
	return b[:len(b)+n], text
}

// decodeHave reads the base64url of one byte for each part of the content.
func decodeHave(have *[fleet.Buckets]byte, value []byte) {
	var b [fleet.Buckets + 2]byte
	if base64.RawURLEncoding.DecodedLen(len(value)) != fleet.Buckets {
		return
	}
	if n, err := base64.RawURLEncoding.Decode(b[:], value); err == nil && n == fleet.Buckets {
		copy(have[:], b[:])
	}
}

// decodeFrom reads sources: ADDR-RATE with dots between them, ADDR an address and a
// port in hexadecimal, or "web". One that is malformed ends the list.
func decodeFrom(out []fleet.Source, value []byte) []fleet.Source {
	for len(value) > 0 && len(out) < fleet.MaxFrom {
		one, rest, _ := bytes.Cut(value, []byte{'.'})
		value = rest
		addr, rate, ok := bytes.Cut(one, []byte{'-'})
		s := fleet.Source{BPS: parseInt(rate)}
		if !ok || s.BPS < 0 || !decodeAddr(&s.Addr, addr) {
			break
		}
		out = append(out, s)
	}
	return out
}

// decodeAddr reads an address and a port in hexadecimal, or the word for a web seed,
// which has none.
func decodeAddr(to *netip.AddrPort, value []byte) bool {
	if string(value) == fleet.WebSeed {
		return true
	}
	var b [18]byte
	if len(value) != 2*6 && len(value) != 2*18 {
		return false
	}
	n, err := hex.Decode(b[:], value)
	if err != nil {
		return false
	}
	ip, _ := netip.AddrFromSlice(b[:n-2])
	*to = netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(b[n-2:]))
	return true
}
