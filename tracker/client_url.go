package tracker

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// parseTrackerURL reads a tracker's announce URL and refuses what no Client can use.
func parseTrackerURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("bad URL")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "udp":
		return nil, fmt.Errorf("%q URLs are not supported", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("URL without a host")
	}
	return u, nil
}

// urlData is what a UDP announce holds of the URL of its tracker (BEP 41): path and
// query, to which extra is added where there is room.
func urlData(u *url.URL, extra []Param) (string, error) {
	var b strings.Builder
	b.WriteString(u.EscapedPath())
	sep := byte('?')
	if u.RawQuery != "" {
		b.WriteByte(sep)
		b.WriteString(u.RawQuery)
		sep = '&'
	}
	if b.Len() > maxURLData {
		return "", fmt.Errorf("URL with a path and query of %d bytes, at most %d go over UDP", b.Len(), maxURLData)
	}
	data := b.String()
	for _, p := range extra {
		b.WriteByte(sep)
		sep = '&'
		escape(&b, p.Name)
		b.WriteByte('=')
		escape(&b, p.Value)
		if b.Len() > maxURLData {
			break
		}
		data = b.String()
	}
	return data, nil
}

// announceURL adds an announce's parameters and extra ones to the URL u of an HTTP
// tracker, whose own query stays as it is, byte for byte. It changes u.
func announceURL(u *url.URL, req *Request, extra []Param, trackerID string) *url.URL {
	var b strings.Builder
	if b.WriteString(u.RawQuery); b.Len() > 0 {
		b.WriteByte('&')
	}
	b.WriteString("info_hash=")
	escape(&b, string(req.InfoHash[:]))
	b.WriteString("&peer_id=")
	escape(&b, string(req.PeerID[:]))
	fmt.Fprintf(&b, "&port=%d&uploaded=%d&downloaded=%d&left=%d&compact=1&key=%08X",
		req.Port, max(req.Uploaded, 0), max(req.Downloaded, 0), req.left(), req.Key)
	if n := req.numWant(); n >= 0 {
		fmt.Fprintf(&b, "&numwant=%d", n)
	}
	if req.Event != EventNone {
		b.WriteString("&event=" + req.Event.String())
	}
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
	return u
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
