package metainfo

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// Magnet is a link that names a torrent without its metainfo (BEP 9).
type Magnet struct {
	// InfoHash is the v1 infohash; zero in a link that has only V2.
	InfoHash Hash
	// V2 is the infohash of BitTorrent v2 (BEP 52); zero in a link that has
	// only InfoHash.
	V2 HashV2
	// Name is what the content is called until its metainfo is known; ""
	// if not said. It has passed CheckComponent.
	Name string
	// Trackers and WebSeeds are URLs.
	Trackers, WebSeeds []string
	// Peers is addresses to try at once, "host:port".
	Peers []string
	// Select is the files to fetch (BEP 53), all if it is empty.
	Select []Range
}

// Range is a range of file indices from 0, both ends included.
type Range struct{ From, To int }

const (
	magnetPrefix = "magnet:?"
	urnV1        = "urn:btih:"
	urnV2        = "urn:btmh:"
	// sha256Prefix begins the multihash of a SHA-256: its code and length.
	sha256Prefix = "1220"
)

// ParseMagnet reads a magnet link. Parameters that it does not know, and URLs
// and peers that cannot be used or are over the limits, are left out. The error
// is an *Error.
func ParseMagnet(s string) (*Magnet, error) {
	if len(s) > MaxMagnet {
		return nil, badMagnet("", "%d bytes are more than %d", len(s), MaxMagnet)
	}
	if len(s) < len(magnetPrefix) || !strings.EqualFold(s[:len(magnetPrefix)], magnetPrefix) {
		return nil, badMagnet("", "it does not begin with %q", magnetPrefix)
	}
	m := &Magnet{}
	for pair := range strings.SplitSeq(s[len(magnetPrefix):], "&") {
		key, value, _ := strings.Cut(pair, "=")
		// Some programs number what they repeat: tr.1, tr.2.
		if k, n, ok := strings.Cut(key, "."); ok && isNumber(n) {
			key = k
		}
		value, ok := unescape(value, key == "dn")
		if !ok {
			return nil, badMagnet(quote(key), "a %% is not followed by two hexadecimal digits")
		}
		if err := m.set(key, value); err != nil {
			return nil, err
		}
	}
	if m.InfoHash == (Hash{}) && m.V2 == (HashV2{}) {
		return nil, badMagnet("xt", "it has no infohash")
	}
	return m, nil
}

func (m *Magnet) set(key, value string) error {
	switch key {
	case "xt":
		return m.setTopic(value)
	case "dn":
		if value == "" {
			return nil
		}
		if err := CheckComponent(value); err != nil {
			return badMagnet("dn", "%w", err)
		}
		m.Name = value
	case "tr":
		if usableURL(value) && len(m.Trackers) < MaxTrackers {
			m.Trackers = append(m.Trackers, value)
		}
	case "ws":
		if usableURL(value) && len(m.WebSeeds) < MaxWebSeeds {
			m.WebSeeds = append(m.WebSeeds, value)
		}
	case "x.pe":
		if usablePeer(value) && len(m.Peers) < MaxMagnetPeers {
			m.Peers = append(m.Peers, value)
		}
	case "so":
		ranges, err := parseRanges(value)
		m.Select = ranges
		return err
	}
	return nil
}

// setTopic reads an exact topic. A link may have one of each kind; those of
// other networks are ignored.
func (m *Magnet) setTopic(value string) error {
	switch {
	case hasPrefixFold(value, urnV1):
		h, err := ParseHash(value[len(urnV1):])
		if err != nil {
			return badMagnet("xt", "%w", err)
		}
		if h == (Hash{}) {
			return badMagnet("xt", "the infohash is zero")
		}
		if m.InfoHash != (Hash{}) && m.InfoHash != h {
			return badMagnet("xt", "it has two infohashes")
		}
		m.InfoHash = h
	case hasPrefixFold(value, urnV2):
		digits := strings.ToLower(value[len(urnV2):])
		b, err := hex.DecodeString(strings.TrimPrefix(digits, sha256Prefix))
		if err != nil || len(b) != len(HashV2{}) || !strings.HasPrefix(digits, sha256Prefix) {
			return badMagnet("xt", "the btmh is not the multihash of a SHA-256")
		}
		h := HashV2(b)
		if h == (HashV2{}) {
			return badMagnet("xt", "the infohash is zero")
		}
		if m.V2 != (HashV2{}) && m.V2 != h {
			return badMagnet("xt", "it has two infohashes")
		}
		m.V2 = h
	}
	return nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// usablePeer reports whether s is a host and a port: host:port, or [v6]:port.
// A host that is a name is not resolved here.
func usablePeer(s string) bool {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		// A zone means an interface of the host that wrote it.
		return ap.Port() != 0 && ap.Addr().Zone() == ""
	}
	host, port, ok := strings.Cut(s, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	return ok && err == nil && n > 0 && isHostName(host)
}

func isHostName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

// parseRanges reads BEP 53's "0,2,4,6-8".
func parseRanges(s string) ([]Range, error) {
	if s == "" {
		return nil, nil
	}
	if strings.Count(s, ",") >= MaxRanges {
		return nil, badMagnet("so", "more than %d ranges", MaxRanges)
	}
	var out []Range
	for item := range strings.SplitSeq(s, ",") {
		from, to, ranged := strings.Cut(item, "-")
		if !ranged {
			to = from
		}
		a, errA := strconv.ParseUint(from, 10, 31)
		b, errB := strconv.ParseUint(to, 10, 31)
		if errA != nil || errB != nil || a > b {
			return nil, badMagnet("so", "%s is not a file index or a range", quote(item))
		}
		out = append(out, Range{int(a), int(b)})
	}
	return out, nil
}

// WireHash returns the name of the torrent in handshakes and for trackers: the
// v1 infohash, or the shortened one of v2 where there is no other.
func (m *Magnet) WireHash() Hash { return wireHash(m.InfoHash, m.V2) }

// String returns the link. ParseMagnet of it gives an equal Magnet, unless long
// URLs make it longer than MaxMagnet.
func (m *Magnet) String() string {
	b := []byte(magnetPrefix)
	put := func(key, value string) {
		if len(b) > len(magnetPrefix) {
			b = append(b, '&')
		}
		b = append(append(b, key...), '=')
		b = append(b, value...)
	}
	if m.InfoHash != (Hash{}) {
		put("xt", urnV1+m.InfoHash.String())
	}
	if m.V2 != (HashV2{}) {
		put("xt", urnV2+sha256Prefix+m.V2.String())
	}
	if m.Name != "" {
		put("dn", escape(m.Name))
	}
	for _, u := range m.Trackers {
		put("tr", escape(u))
	}
	for _, u := range m.WebSeeds {
		put("ws", escape(u))
	}
	for _, p := range m.Peers {
		put("x.pe", p) // other programs do not decode it, and it needs no escape
	}
	if len(m.Select) > 0 {
		put("so", FormatRanges(m.Select))
	}
	return string(b)
}

// FormatRanges returns the ranges as BEP 53 writes them: "0,2,4-6".
func FormatRanges(ranges []Range) string {
	var b []byte
	for i, r := range ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(r.From), 10)
		if r.To != r.From {
			b = strconv.AppendInt(append(b, '-'), int64(r.To), 10)
		}
	}
	return string(b)
}
