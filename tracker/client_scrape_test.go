package tracker

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestScrapeURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://t/announce":                 "http://t/scrape",
		"http://t/x/announce":               "http://t/x/scrape",
		"https://t/announce.php":            "https://t/scrape.php",
		"http://t/announce?x2%0644":         "http://t/scrape?x2%0644",
		"http://t/announce.php?x=announce":  "http://t/scrape.php?x=announce",
		"http://t/announce/announce#frag":   "http://t/announce/scrape",
		"udp://t:1/x":                       "udp://t:1/x",
		"http://t/a":                        "",
		"http://t/announce?x=2/announce.cg": "http://t/scrape?x=2/announce.cg",
		"http://t/x%064announce":            "",
		"http://announce":                   "",
		"%":                                 "",
	} {
		got, err := ScrapeURL(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q %v, want %q", in, got, err, want)
		}
	}
}

// TestScrape asks our own tracker over HTTP, past one that has no scrape.
func TestScrape(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	hashes := [][20]byte{{0x00, 0x25, 0x2b, 0x20, 0x26, 0xff}, {2}, {1}}
	c := newClient(t, []string{"http://" + s.addr + "/a"}, []string{"http://" + s.addr + "/announce?k=v"})
	ours := newClient(t, []string{"http://" + s.addr + "/announce"})
	for i, h := range [][20]byte{hashes[0], hashes[0], hashes[2]} {
		if _, err := ours.Announce(t.Context(), Request{InfoHash: h, PeerID: [20]byte{byte(i)}, Port: uint16(1 + i), Left: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Scrape(t.Context(), hashes)
	if err != nil || got[0] != (Scraped{1, 1, 1, 0}) || got[1] != unknownScraped || got[2] != (Scraped{0, 1, 1, 0}) {
		t.Errorf("%+v %v", got, err)
	}
	if r, err := ours.Announce(t.Context(), Request{InfoHash: hashes[2], Port: 9, NumWant: 9}); err != nil || len(r.Peers) != 1 {
		t.Errorf("a scrape changed the swarm: %+v %v", r, err)
	}
	if _, err := newClient(t, []string{"http://" + s.addr + "/a"}).Scrape(t.Context(), hashes); !errors.Is(err, ErrNoScrape) {
		t.Errorf("%v", err)
	}
	for _, n := range []int{0, MaxScrape + 1} {
		if _, err := c.Scrape(t.Context(), make([][20]byte, n)); err == nil {
			t.Errorf("a scrape of %d", n)
		}
	}
}

func TestScrapeReplies(t *testing.T) {
	h := [20]byte{'h'}
	key := "20:" + string(h[:])
	for reply, want := range map[string]string{
		"d5:filesd" + key + "d8:completei5e10:downloadedi50e10:incompletei10eeee": "{5 10 -1 50}",
		"d5:filesd" + key + "d8:completei-5eeee":                                  "{-1 -1 -1 -1}",
		"d5:filesd" + key + "i5eee":                                               "{-1 -1 -1 -1}",
		"d5:filesdee":                                                             "{-1 -1 -1 -1}",
		"d5:filesi5ee":                                                            "",
		"de":                                                                      "",
		"d14:failure reason2:no5:filesdee":                                        `"no"`,
		"<html>":                                                                  "",
	} {
		u := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/scrape" || r.URL.RawQuery != "info_hash=h"+strings.Repeat("%00", 19) {
				t.Errorf("asked %s?%s", r.URL.Path, r.URL.RawQuery)
			}
			fmt.Fprint(w, reply)
		})
		got, err := newClient(t, []string{u}).Scrape(t.Context(), [][20]byte{h})
		switch {
		case err == nil && fmt.Sprint(got[0]) != want, err != nil && strings.HasPrefix(want, "{"),
			err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%q: %v %v", reply, got, err)
		}
	}
	f := serveUDP(t, func(_ *foreign, _ int, p []byte, _ netip.AddrPort) [][]byte { return [][]byte{honest(p)} })
	got, err := newUDPClient(t, []string{f.url}).Scrape(t.Context(), make([][20]byte, MaxScrape))
	if err != nil || len(got) != MaxScrape || got[MaxScrape-1] != (Scraped{Complete: 50, Downloaded: 51, Incomplete: 52, Downloaders: -1}) {
		t.Errorf("%v %v", got, err)
	}
}
