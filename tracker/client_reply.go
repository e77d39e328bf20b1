package tracker

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"starling/internal/benc"
)

// maxPeers bounds the peers taken from one reply; we never ask for that many.
const maxPeers = 1000

// maxText bounds a reason or a warning; what is longer is cut.
const maxText = 512

// reply is the dictionary that answers an announce (BEP 3, 7, 24, 31). A value
// of the wrong kind counts as none.
type reply struct {
	Failure     benc.Value `bencode:"failure reason"`
	Warning     benc.Value `bencode:"warning message"`
	Interval    benc.Value `bencode:"interval"`
	MinInterval benc.Value `bencode:"min interval"`
	RetryIn     benc.Value `bencode:"retry in"`
	TrackerID   benc.Value `bencode:"tracker id"`
	Complete    benc.Value `bencode:"complete"`
	Incomplete  benc.Value `bencode:"incomplete"`
	ExternalIP  benc.Value `bencode:"external ip"`
	Peers       benc.Value `bencode:"peers"`
	Peers6      benc.Value `bencode:"peers6"`
	XReport     benc.Value `bencode:"x_report"` // starling's: see docs/fleet.md
}

// parseReply reads a tracker's reply to an announce. It is lenient in what the
// trackers of the world get wrong and harmless (keys out of order, an empty list
// for no peers, a compact string of a strange length: see parseCompact), and strict
// in what costs memory. floor is the least interval to accept.
func parseReply(b []byte, floor time.Duration) (Response, error) {
	var d reply
	if err := benc.Decode(b, benc.TrackerReplyLimits(), &d); err != nil {
		return Response{}, fmt.Errorf("reply: %w", err)
	}
	if d.Failure != nil {
		return Response{}, &RefusedError{Reason: text(d.Failure), RetryIn: parseRetry(d.RetryIn)}
	}
	list := peerList{seen: make(map[string]bool)}
	list.add(d.Peers, 4)
	list.add(d.Peers6, 16)
	ip, _ := benc.Bytes(d.ExternalIP)
	external, _ := netip.AddrFromSlice(ip)
	interval := clampSeconds(number(d.Interval), unsaidInterval, floor, maxInterval)
	return Response{
		Interval:    interval,
		MinInterval: clampSeconds(number(d.MinInterval), floor, floor, interval),
		Peers:       list.peers,
		Complete:    count(d.Complete),
		Incomplete:  count(d.Incomplete),
		Warning:     text(d.Warning),
		ExternalIP:  external.Unmap(),
		ReportIn:    reportIn(number(d.XReport)),
		trackerID:   text(d.TrackerID),
	}, nil
}

// clampSeconds is n seconds within [lo, hi], or unsaid where n is not positive.
func clampSeconds(n int64, unsaid, lo, hi time.Duration) time.Duration {
	d := unsaid
	if n > 0 {
		d = time.Duration(min(n, int64(maxInterval/time.Second))) * time.Second
	}
	return max(lo, min(d, hi))
}

// reportIn is when a tracker wants a report again, within what is sensible; 0 if it
// wants none.
func reportIn(seconds int64) time.Duration {
	if seconds <= 0 {
		return 0
	}
	return clampSeconds(seconds, 0, minReport, maxReport)
}

// text is a string's value, or nothing, cut to maxText bytes.
func text(v []byte) string {
	b, _ := benc.Bytes(v)
	return strings.ToValidUTF8(string(b[:min(len(b), maxText)]), "\uFFFD")
}

// number is an integer's value; 0 for what is none or does not fit.
func number(v []byte) int64 {
	n, ok := benc.Int(v)
	if !ok {
		return 0
	}
	return n
}

// count is a number of peers; -1 is unknown.
func count(v []byte) int {
	n, ok := benc.Int(v)
	if !ok || n < 0 {
		return -1
	}
	return int(min(n, 1<<31-1))
}

// parseRetry reads BEP 31's minutes. The text of the BEP has a number, its examples
// a string of digits.
func parseRetry(v []byte) time.Duration {
	n, ok := benc.Int(v)
	if !ok {
		s := text(v)
		if s == "never" {
			return Never
		}
		n, _ = strconv.ParseInt(s, 10, 64)
	}
	return time.Duration(max(0, min(n, 7*24*60))) * time.Minute
}

// peerList collects peers, each address once.
type peerList struct {
	peers []Peer
	seen  map[string]bool
}

// add reads a "peers" or "peers6" value, in either form.
func (l *peerList) add(v []byte, ipLen int) {
	if s, ok := benc.Bytes(v); ok {
		l.addCompact(s, ipLen)
		return
	}
	if !benc.IsList(v) {
		return
	}
	for e := range benc.List(v) {
		l.addDict(e)
	}
}

// addCompact reads addresses of ipLen bytes, each with a port. If the length is
// not a multiple then nothing in it can be trusted.
func (l *peerList) addCompact(s []byte, ipLen int) {
	stride := ipLen + 2
	if len(s)%stride != 0 {
		return
	}
	for ; len(s) > 0; s = s[stride:] {
		ip, _ := netip.AddrFromSlice(s[:ipLen])
		l.addIP(ip, uint16(s[ipLen])<<8|uint16(s[ipLen+1]), Peer{})
	}
}

// addDict reads a peer in dictionary form.
func (l *peerList) addDict(e []byte) {
	if !benc.IsDict(e) {
		return
	}
	var p Peer
	var host string
	var port int64
	for key, v := range benc.Dict(e) {
		switch string(key) {
		case "ip":
			b, _ := benc.Bytes(v)
			host = string(b)
		case "port":
			port = number(v)
		case "peer id":
			if b, ok := benc.Bytes(v); ok && len(b) == len(p.ID) {
				p.ID, p.HasID = [20]byte(b), true
			}
		}
	}
	if port < 1 || port > 65535 {
		return
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		l.addIP(ip, uint16(port), p)
	} else if isHostName(host) {
		p.Addr = net.JoinHostPort(host, strconv.FormatInt(port, 10))
		l.put(p)
	}
}

// addIP takes a peer whose address can be dialed: a port, and one host.
func (l *peerList) addIP(ip netip.Addr, port uint16, p Peer) {
	ip = ip.Unmap().WithZone("")
	if port == 0 || ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return
	}
	p.Addr = netip.AddrPortFrom(ip, port).String()
	l.put(p)
}

func (l *peerList) put(p Peer) {
	if len(l.peers) < maxPeers && !l.seen[p.Addr] {
		l.seen[p.Addr] = true
		l.peers = append(l.peers, p)
	}
}

// isHostName says whether s looks like a DNS name: letters, digits, dots, hyphens.
func isHostName(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 253 && s[0] != '-' && s[0] != '.'
}
