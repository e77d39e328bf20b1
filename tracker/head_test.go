package tracker

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

func TestParseHead(t *testing.T) {
	for _, c := range []struct {
		head    string
		to      route
		query   string
		closing bool
	}{
		{"GET /announce?a=b HTTP/1.1\r\nHost: x\r\n\r\n", routeAnnounce, "a=b", false},
		{"GET /scrape?a HTTP/1.1\r\nhost:x\r\nConnection: Close\r\n\r\n", routeScrape, "a", true},
		{"GET /announce? HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nUser-Agent: y/1 (z)\r\n\r\n", routeAnnounce, "", false},
		// All else is net/http's.
		{"GET /announce HTTP/1.1\r\nHost: x\r\n\r\n", routeOther, "", false},
		{"HEAD /announce?a HTTP/1.1\r\nHost: x\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.0\r\nHost: x\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\nHost: x\n\n", routeOther, "", false},
		{"GET /announce?a b HTTP/1.1\r\nHost: x\r\n\r\n", routeOther, "", false},
		{"GET /announce?a#b HTTP/1.1\r\nHost: x\r\n\r\n", routeOther, "", false},
		{"GET /announce?a\xff HTTP/1.1\r\nHost: x\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost : x\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost: x\r\nA: b\x00\r\n\r\n", routeOther, "", false},
		{"GET /announce?a HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", routeOther, "", false},
		{"GET /announce?" + strings.Repeat("a", maxTarget) + " HTTP/1.1\r\nHost: x\r\n\r\n", routeOther, "", false},
	} {
		to, query, closing := parseHead([]byte(c.head))
		if to != c.to || string(query) != c.query || closing != c.closing {
			t.Errorf("%.60q: %d %q %v", c.head, to, query, closing)
		}
	}
}

// FuzzHead is differential: what the loop takes for its own, net/http must read as
// the very same request, without a body.
func FuzzHead(f *testing.F) {
	f.Add([]byte("GET /announce?info_hash=%00 HTTP/1.1\r\nHost: 127.0.0.1:6969\r\nUser-Agent: x\r\n\r\n"))
	f.Add([]byte("GET /scrape?a=b HTTP/1.1\r\nhost: [::1]:1\r\nCONNECTION:close\r\nAccept: */*\r\n\r\n"))
	f.Add([]byte("GET /announce?a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		to, query, closing := parseHead(head)
		if to == routeOther {
			return
		}
		if !maybeOurs(head) {
			t.Fatal("ours, but the first bytes are said not to be")
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		path := map[route]string{routeAnnounce: "/announce", routeScrape: "/scrape"}[to]
		if r.URL.Path != path || r.URL.RawQuery != string(query) || r.ContentLength != 0 || r.Close != closing {
			t.Fatalf("net/http reads %+v", r)
		}
	})
}
