package tracker

import (
	"errors"
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

// parseReply reads a tracker's reply to an announce. It is lenient in what the
// trackers of the world get wrong and harmless (keys out of order, an empty list
// for no peers, a compact string of a strange length: see parseCompact), and strict
// in what costs memory. floor is the least interval to accept.
func parseReply(b []byte, floor time.Duration) (Response, error) {
	if err := benc.Scan(b, benc.TrackerReplyLimits()); err != nil {
		return Response{}, fmt.Errorf("reply: %w", err)
	}
	if !benc.IsDict(b) {
		return Response{}, errors.New("reply: not a dictionary")
	}
	r := Response{Complete: -1, Incomplete: -1}
	list := peerList{seen: make(map[string]bool)}
	var interval, least int64
	var refused *RefusedError
	var retry time.Duration
	for key, v := range benc.Dict(b) {
		switch string(key) {
		case "failure reason":
			refused = &RefusedError{Reason: text(v)}
		case "warning message":
			r.Warning = text(v)
		case "interval":
			interval = number(v)
		case "min interval":
			least = number(v)
		case "retry in":
			retry = parseRetry(v)
		case "tracker id":
			r.trackerID = text(v)
		case "complete":
			r.Complete = count(v)
		case "incomplete":
			r.Incomplete = count(v)
		case "external ip":
			ip, _ := benc.Bytes(v)
			r.ExternalIP, _ = netip.AddrFromSlice(ip)
		case "peers":
			list.add(v, 4)
		case "peers6":
			list.add(v, 16)
		}
	}
	if refused != nil {
		refused.RetryIn = retry
		return Response{}, refused
	}
	r.Peers = list.peers
	r.Interval = clampSeconds(interval, unsaidInterval, floor, maxInterval)
	r.MinInterval = clampSeconds(least, floor, floor, r.Interval)
	return r, nil
}

// clampSeconds is n seconds within [lo, hi], or unsaid where n is not positive.
func clampSeconds(n int64, unsaid, lo, hi time.Duration) time.Duration {
	d := unsaid
	if n > 0 {
		d = time.Duration(min(n, int64(maxInterval/time.Second))) * time.Second
	}
	return max(lo, min(d, hi))
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
