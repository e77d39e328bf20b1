package tracker

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func newClient(t testing.TB, tiers ...[]string) *Client {
	t.Helper()
	c := NewClient(ClientConfig{Tiers: tiers, Rng: rand.New(rand.NewPCG(1, 2)), Floor: time.Second, UserAgent: "test"})
	t.Cleanup(c.Close)
	return c
}

// serve runs a foreign tracker.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/announce"
}

// TestClientWithOurTracker announces with bytes that an encoding could spoil.
func TestClientWithOurTracker(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	odd := [20]byte{0x00, 0x25, 0x2b, 0x20, 0x26, 0xff, '=', ';', '~', 0x80}
	a, b := newClient(t, []string{"http://" + s.addr + "/announce?passkey=a%2Bb+c"}), newClient(t, []string{"http://" + s.addr + "/announce"})
	req := Request{InfoHash: odd, PeerID: odd, Port: 7001, Left: 0, Event: EventStarted, NumWant: -1, Extra: []Param{{"x_node", "a b"}, {"x_metrics_port", "9"}}}
	first, err := a.Announce(t.Context(), req)
	if err != nil || first.Complete != 1 || first.Interval < time.Minute/2 || first.trackerID != s.trackerID || first.ExternalIP != loopback {
		t.Fatalf("%+v %v", first, err)
	}
	if c, ok := s.Counts(odd); !ok || c.Complete != 1 {
		t.Fatalf("the tracker has another infohash: %+v %v", c, ok)
	}
	req.PeerID[0], req.Port, req.Left, req.Extra = 1, 7002, -1, nil
	second, err := b.Announce(t.Context(), req)
	if err != nil || len(second.Peers) != 1 || second.Peers[0].Addr != "127.0.0.1:7001" || second.Interval > 6*time.Second || second.MinInterval < time.Second {
		t.Fatalf("%+v %v", second, err)
	}
	if l := s.discovery.list(); len(l) != 1 || l[0].Labels["__meta_starling_node"] != "a b" {
		t.Errorf("discovery: %v", l)
	}
}

func TestAnnounceURL(t *testing.T) {
	u, err := parseTrackerURL("http://t/a?pass=%2b+x&y;z#frag")
	if err != nil {
		t.Fatal(err)
	}
	u = announceURL(u, &Request{Port: 1, NumWant: 3, Key: 0xab, Event: EventPaused, InfoHash: [20]byte{'+'}}, nil, "i d")
	zero := strings.Repeat("%00", 19)
	want := "http://t/a?pass=%2b+x&y;z&info_hash=%2B" + zero + "&peer_id=%00" + zero +
		"&port=1&uploaded=0&downloaded=0&left=0&compact=1&key=000000AB&numwant=3&event=paused&trackerid=i%20d"
	if u.String() != want {
		t.Errorf("\n%s\n%s", u, want)
	}
	u, _ = parseTrackerURL("https://t/a")
	if q := announceURL(u, &Request{NumWant: 50, Left: -1, Event: EventStopped}, nil, "").Query(); q.Get("numwant") != "0" || q.Get("left") != "16384" || q.Get("event") != "stopped" {
		t.Errorf("stopped: %v", q)
	}
	for _, bad := range []string{"ftp://t/", "http:///x", "%", "wss://t", "udp://:1/announce"} {
		if _, err := parseTrackerURL(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// TestClientTiers has a dead tracker, a UDP one and a refusing one before the good
// one, which is asked first from then on.
func TestClientTiers(t *testing.T) {
	var asked []string
	bad := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, "bad")
		fmt.Fprint(w, "d14:failure reason2:no8:retry in1:5e")
	})
	good := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, "good "+r.URL.Query().Get("trackerid"))
		fmt.Fprint(w, "d8:intervali60e5:peers0:10:tracker id3:x ye")
	})
	dead := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	c := newClient(t)
	c.tiers = &Tiers{tiers: [][]string{{"udp://127.0.0.1:9/announce", dead, bad, good}}}
	for range 2 {
		if r, err := c.Announce(t.Context(), Request{}); err != nil || r.URL != good {
			t.Fatalf("%+v %v", r, err)
		}
	}
	if want := []string{"bad", "good ", "good x y"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	_, err := newClient(t, []string{bad + "?passkey=secret"}).Announce(t.Context(), Request{})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != "no" || refused.RetryIn != 5*time.Minute || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if _, err := newClient(t).Announce(t.Context(), Request{}); !errors.Is(err, ErrNoTracker) {
		t.Errorf("no tracker: %v", err)
	}
}

// TestHostileTrackers wants an error from each, soon and without much memory.
func TestHostileTrackers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"10 MB": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10<<20)) },
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 8<<20))
			_ = z.Close()
		},
		"HTML": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>404</html>") },
		"redirect loop": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.String(), http.StatusMovedPermanently)
		},
		"redirect away": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"500":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "d8:intervali60e5:peers0:e", 500) },
		"hang up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"empty":   func(http.ResponseWriter, *http.Request) {},
		"40,000 dicts": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "d5:peersl"+strings.Repeat("d2:ip7:6.6.6.64:porti80ee", 40_000)+"ee")
		},
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := newClient(t, []string{serve(t, h)}).Announce(t.Context(), Request{}); err == nil {
				t.Errorf("%+v", r)
			}
		})
	}
	t.Run("silent", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		u := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		if _, err := newClient(t, []string{u, u + "2"}).Announce(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Run("gzip", func(t *testing.T) {
		u := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			fmt.Fprint(z, "d8:intervali60e5:peers0:e")
			_ = z.Close()
		})
		if _, err := newClient(t, []string{u}).Announce(t.Context(), Request{}); err != nil {
			t.Error(err)
		}
	})
}

func TestParseReply(t *testing.T) {
	victim := strings.Repeat("\x06\x06\x06\x06\x00\x50", 100_000)
	for _, c := range []struct {
		name, in string
		peers    string // separated by spaces
		interval time.Duration
		fails    bool
	}{
		{"both families", "d8:intervali60e5:peers6:\x0a\x00\x00\x01\x1a\xe16:peers618:\xfd" + strings.Repeat("\x00", 14) + "\x01\x00\x07e",
			"10.0.0.1:6881 [fd00::1]:7", time.Minute, false},
		{"dictionaries", "d8:intervali60e5:peersld2:ip11:host.domain4:porti1eed2:ip3:::14:porti2eed2:ip5:a b/c4:porti3eed2:ip7:9.9.9.94:porti0eeee",
			"host.domain:1 [::1]:2", time.Minute, false},
		{"empty list", "d8:intervali60e5:peerslee", "", time.Minute, false},
		{"no peers", "d8:intervali60ee", "", time.Minute, false},
		{"keys in any order", "d5:peers0:8:intervali60ee", "", time.Minute, false},
		{"odd length", "d8:intervali60e5:peers7:abcdefge", "", time.Minute, false},
		{"port 0, 0.0.0.0, multicast", "d5:peers18:\x09\x09\x09\x09\x00\x00\x00\x00\x00\x00\x00\x01\xe0\x00\x00\x01\x00\x01e", "", unsaidInterval, false},
		{"one victim", fmt.Sprintf("d5:peers%d:%se", len(victim), victim), "6.6.6.6:80", unsaidInterval, false},
		{"interval 0", "d8:intervali0ee", "", unsaidInterval, false},
		{"interval -1", "d8:intervali-1ee", "", unsaidInterval, false},
		{"interval huge", "d8:intervali9223372036854775807ee", "", time.Hour, false},
		{"interval 2^63", "d8:intervali9223372036854775808ee", "", unsaidInterval, false},
		{"interval small", "d8:intervali1ee", "", minInterval, false},
		{"failure beats all", "d14:failure reason1:x8:intervali60e5:peers6:\x0a\x00\x00\x01\x1a\xe1e", "", 0, true},
		{"wrong types", "d8:interval1:x5:peersi5ee", "", unsaidInterval, false},
		{"trailing bytes", "d8:intervali60eex", "", 0, true},
		{"a list", "le", "", 0, true},
		{"the same key twice", "d8:intervali60e8:intervali60ee", "", 0, true},
	} {
		r, err := parseReply([]byte(c.in), minInterval)
		var peers []string
		for _, p := range r.Peers {
			peers = append(peers, p.Addr)
		}
		if (err != nil) != c.fails || strings.Join(peers, " ") != c.peers || r.Interval != c.interval {
			t.Errorf("%s: %v %v %v", c.name, peers, r.Interval, err)
		}
		if err == nil && (r.MinInterval < minInterval || r.MinInterval > r.Interval) {
			t.Errorf("%s: min interval %v", c.name, r.MinInterval)
		}
	}
}

// TestExternalIP reads what BEP 24 has: 4 or 16 bytes.
func TestExternalIP(t *testing.T) {
	for in, want := range map[string]string{
		"4:\x0a\x00\x00\x01": "10.0.0.1", "16:\xfd" + strings.Repeat("\x00", 14) + "\x01": "fd00::1",
		"16:" + strings.Repeat("\x00", 10) + "\xff\xff\x0a\x00\x00\x01": "10.0.0.1", "5:abcde": "invalid IP", "i5e": "invalid IP",
	} {
		r, err := parseReply([]byte("d11:external ip"+in+"8:intervali60ee"), time.Second)
		if err != nil || r.ExternalIP.String() != want {
			t.Errorf("%q: %v %v, want %s", in, r.ExternalIP, err, want)
		}
	}
}

func TestRetryIn(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"i5e": 5 * time.Minute, "1:5": 5 * time.Minute, "5:never": Never, "i-1e": 0, "1:x": 0, "i999999999e": 7 * 24 * time.Hour,
	} {
		_, err := parseReply([]byte("d14:failure reason1:x8:retry in"+in+"e"), time.Second)
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.RetryIn != want {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// FuzzReply wants bounds kept and every peer to be one that can be dialed.
func FuzzReply(f *testing.F) {
	f.Add([]byte("d8:completei1e8:intervali60e12:min intervali10e5:peers6:\x0a\x00\x00\x01\x1a\xe16:peers60:e"))
	f.Add([]byte("d5:peersld2:ip4:host7:peer id20:-XX0001-0000000000004:porti1eeee"))
	f.Add([]byte("d14:failure reason1:x8:retry in5:nevere"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseReply(b, time.Second)
		if err != nil {
			return
		}
		if r.Interval < time.Second || r.Interval > maxInterval || r.MinInterval > r.Interval || len(r.Peers) > maxPeers {
			t.Fatalf("%+v", r)
		}
		for _, p := range r.Peers {
			if u, err := url.Parse("tcp://" + p.Addr); err != nil || u.Port() == "" || u.Port() == "0" || u.Host != p.Addr {
				t.Fatalf("peer %q: %v", p.Addr, err)
			}
		}
	})
}
