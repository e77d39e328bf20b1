package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"starling/tracker/swarm"
)

const (
	okHash = "info_hash=aaaaaaaaaaaaaaaaaaaa"
	okID   = "peer_id=-XX0001-000000000000"
)

func TestParseAnnounce(t *testing.T) {
	odd := [20]byte{0x00, 0x25, 0x2b, 0x20, 0x26, 0xff, 'a', ';', '=', '#', 0x7f, 0x80}
	for _, encoded := range []string{
		"%00%25%2B%20%26%FFa%3B%3D%23%7F%80%00%00%00%00%00%00%00%00",
		"%00%25+%20%26%ffa;=%23%7f%80%00%00%00%00%00%00%00%00", // raw "+", ";" and "=" are themselves
	} {
		var q query
		if err := parseAnnounce([]byte("port=1&x=1&"+okID+"&info_hash="+encoded), &q); err != nil || q.InfoHash != odd {
			t.Errorf("%s: %x, %v", encoded, q.InfoHash, err)
		}
	}
	var q query
	raw := okHash + "&" + okID + "&port=6881&uploaded=1&downloaded=2&left=3&event=completed&compact=0&no_peer_id=1" +
		"&numwant=17&key=ABCD&supportcrypto=1&x_metrics_port=9464&x_node=n%201&x_label_rack=r1&x_label_=no&;=;&&="
	if err := parseAnnounce([]byte(raw), &q); err != nil {
		t.Fatal(err)
	}
	if q.port != 6881 || q.Left != 3 || q.Downloaded != 2 || q.Event != swarm.Completed || q.NumWant != 17 || q.compact || !q.noPeerID || q.WantIDs {
		t.Errorf("%+v", q)
	}
	if q.metricsPort != 9464 || string(q.node) != "n%201" || q.numLabels != 1 || string(q.labels[0].name) != "rack" {
		t.Errorf("discovery: %d %q %d", q.metricsPort, q.node, q.numLabels)
	}
}

func TestParseAnnounceRefuses(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want error
	}{
		{"", errInfoHash},
		{"port=1&" + okID, errInfoHash},
		{"info_hash=aaaaaaaaaaaaaaaaaaa&port=1&" + okID, errInfoHash},
		{"info_hash=aaaaaaaaaaaaaaaaaaaaa&port=1&" + okID, errInfoHash},
		{"info_hash=aaaaaaaaaaaaaaaaaaa%4&port=1&" + okID, errInfoHash},
		{"info_hash=aaaaaaaaaaaaaaaaaaa%4g&port=1&" + okID, errInfoHash},
		{okHash + "&port=1&peer_id=short", errPeerID},
		{okHash + "&" + okID, errPort},
		{okHash + "&" + okID + "&port=0", errPort},
		{okHash + "&" + okID + "&port=65536", errPort},
		{okHash + "&" + okID + "&port=-1", errPort},
		{okHash + "&" + okID + "&port=99999999999999999999", errPort},
	} {
		var q query
		if err := parseAnnounce([]byte(c.raw), &q); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.raw, err, c.want)
		}
	}
}

func TestParseAnnounceNumbers(t *testing.T) {
	for _, c := range []struct {
		raw        string
		left, done int64
		want       int
	}{
		{"", -1, -1, -1}, {"&left=-5&numwant=-1&downloaded=-1", -1, -1, -1}, {"&left=x&numwant=1e9&downloaded=", -1, -1, -1},
		{"&left=99999999999999999999&numwant=99999999999999999999&downloaded=7", 1<<63 - 1, 7, 1 << 30},
		{"&left=0&numwant=0&downloaded=0", 0, 0, 0},
	} {
		var q query
		if err := parseAnnounce([]byte(okHash+"&"+okID+"&port=1"+c.raw), &q); err != nil || q.Left != c.left || q.Downloaded != c.done || q.NumWant != c.want {
			t.Errorf("%q: left %d numwant %d, %v", c.raw, q.Left, q.NumWant, err)
		}
	}
}

func TestParseScrape(t *testing.T) {
	many := strings.Repeat("&info_hash=aaaaaaaaaaaaaaaaaaaa", maxScrape)[1:]
	if h, err := parseScrape([]byte(many)); err != nil || len(h) != 1 {
		t.Errorf("the same hash %d times: %d, %v", maxScrape, len(h), err)
	}
	if _, err := parseScrape([]byte(many + "&info_hash=aaaaaaaaaaaaaaaaaaaa")); !errors.Is(err, errBigScrape) {
		t.Errorf("one too many: %v", err)
	}
	if _, err := parseScrape([]byte("x=y")); !errors.Is(err, errFullScrape) {
		t.Errorf("full scrape: %v", err)
	}
	if _, err := parseScrape([]byte("info_hash=%zz")); !errors.Is(err, errInfoHash) {
		t.Errorf("bad hash: %v", err)
	}
}

// FuzzAnnounceQuery wants no panic, the fields in their ranges, and the hash that
// net/url's own unescaping gives.
func FuzzAnnounceQuery(f *testing.F) {
	f.Add([]byte(okHash + "&" + okID + "&port=6881&left=0&event=started&compact=1&numwant=50"))
	f.Add([]byte("info_hash=%00%25%2b%20%26%ff%;;&&==&x_label_a=%"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var q query
		err := parseAnnounce(raw, &q)
		if q.Left < -1 || q.NumWant < -1 || q.NumWant > 1<<30 || q.numLabels > maxLabels || int(q.Event) >= swarm.NumEvents {
			t.Fatalf("out of range: %+v", q)
		}
		if err != nil {
			return
		}
		var last string
		for _, pair := range strings.Split(string(raw), "&") {
			if v, ok := strings.CutPrefix(pair, "info_hash="); ok {
				last = v
			}
		}
		if want, err := url.PathUnescape(last); err != nil || !bytes.Equal(q.InfoHash[:], []byte(want)) {
			t.Fatalf("hash %x of %q, net/url says %x, %v", q.InfoHash, last, want, err)
		}
	})
}

func BenchmarkParseAnnounce(b *testing.B) {
	raw := []byte("info_hash=" + strings.Repeat("%a7", 20) + "&" + okID +
		"&port=6881&uploaded=0&downloaded=0&left=1000000&compact=1&numwant=50&event=started")
	var q query
	b.ReportAllocs()
	for b.Loop() {
		if err := parseAnnounce(raw, &q); err != nil {
			b.Fatal(fmt.Sprint(err))
		}
	}
}
