package tracker

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// announceURL adds an announce's parameters to a tracker's URL, whose own query
// stays as it is, byte for byte.
func announceURL(raw string, req *Request, trackerID string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("bad URL")
	}
	switch {
	case u.Scheme == "udp":
		return nil, errors.New("UDP trackers are not supported")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q URLs are not supported", u.Scheme)
	case u.Host == "":
		return nil, errors.New("URL without a host")
	}
	var b strings.Builder
	if b.WriteString(u.RawQuery); b.Len() > 0 {
		b.WriteByte('&')
	}
	b.WriteString("info_hash=")
	escape(&b, string(req.InfoHash[:]))
	b.WriteString("&peer_id=")
	escape(&b, string(req.PeerID[:]))
	left := req.Left
	if left < 0 {
		left = 16 << 10
	}
	fmt.Fprintf(&b, "&port=%d&uploaded=%d&downloaded=%d&left=%d&compact=1&key=%08X",
		req.Port, max(req.Uploaded, 0), max(req.Downloaded, 0), left, req.Key)
	if req.NumWant >= 0 {
		fmt.Fprintf(&b, "&numwant=%d", req.NumWant)
	}
	if req.Event != EventNone {
		b.WriteString("&event=" + req.Event.String())
	}
	extra := req.Extra
	if trackerID != "" {
		extra = append([]Param{{"trackerid", trackerID}}, extra...)
	}
	for _, p := range extra {
		b.WriteByte('&')
		escape(&b, p.Name)
		b.WriteByte('=')
		escape(&b, p.Value)
	}
	u.RawQuery, u.Fragment = b.String(), ""
	return u, nil
}

// escape percent-encodes every byte that RFC 3986 does not call unreserved. Form
// encoding would turn a space into "+", which many trackers take for a plus sign.
func escape(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
}
