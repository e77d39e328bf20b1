package tracker

import (
	"math"
	"strings"
	"testing"
)

// TestNewcomerOverHTTP: a client with a magnet link only, which says that it wants
// nothing and has fetched nothing, is told of a seed when it begins.
func TestNewcomerOverHTTP(t *testing.T) {
	for query, told := range map[string]bool{
		"&uploaded=0&downloaded=0&left=0&event=started": true,
		"&uploaded=0&downloaded=1&left=0&event=started": false,
		"&uploaded=0&left=0&event=started":              false,
		"&uploaded=0&downloaded=0&left=0":               false,
	} {
		l := newLocal(t, DefaultConfig(), 1)
		l.ask(0, 1, "&left=0")
		if got := l.ask(0, 2, query); strings.Contains(got, "5:peers6:") != told {
			t.Errorf("%s: told %v, want %v: %q", query, !told, told, got)
		}
	}
}

// TestUDPDownloaded: the same number in a packet.
func TestUDPDownloaded(t *testing.T) {
	for _, n := range []int64{0, 1, math.MaxInt64} {
		b := appendUDPAnnounce(nil, 1, 2, &Request{Port: 1, Downloaded: n})
		var q query
		if err := parseUDPAnnounce(b[udpHeadLen:], &q, nil); err != nil || q.Downloaded != n {
			t.Errorf("downloaded %d is read as %d, %v", n, q.Downloaded, err)
		}
	}
}
