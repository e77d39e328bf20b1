package tracker

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"starling/tracker/swarm"
)

func newLocal(t testing.TB, cfg Config, seed uint64) *Local {
	t.Helper()
	l, err := NewLocal(cfg, rand.New(rand.NewPCG(seed, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ask is an announce of peer p of swarm hash1.
func (l *Local) ask(now time.Duration, p int, more string) string {
	_, query, _ := strings.Cut(announcePath(hash1, p, more), "?")
	_, body := l.Get(now, netip.AddrFrom4([4]byte{10, 0, byte(p >> 8), byte(p)}), query)
	return string(body)
}

// ownID is the tracker's own name in a reply, the one thing in which two trackers
// must differ.
var ownID = regexp.MustCompile(`10:tracker id16:[0-9a-f]{16}`)

// TestLocalIsTheServer sends the same queries to a Server and a Local and wants
// the same replies but for what chance decides: the tracker's id, and jitter. (So
// nobody is given two peers here, which come in any order.)
func TestLocalIsTheServer(t *testing.T) {
	cfg := DefaultConfig()
	s, l := newServer(t, cfg, nil), newLocal(t, cfg, 1)
	jitter := regexp.MustCompile(`8:intervali\d+e`)
	plainly := func(b []byte) string {
		return jitter.ReplaceAllString(ownID.ReplaceAllString(string(b), ""), "")
	}
	sc := new(scratch)
	for _, query := range []string{
		"info_hash=" + hash1 + "&peer_id=-XX0001-000000000001&port=7001&left=0&event=started",
		"info_hash=" + hash1 + "&peer_id=-XX0001-000000000002&port=7002&left=9&event=started&compact=0",
		"info_hash=" + hash1 + "&peer_id=-XX0001-000000000001&port=7001&left=0&numwant=10",
		"info_hash=" + hash1 + "&peer_id=-XX0001-000000000002&port=7002&left=0&event=completed",
		"info_hash=" + hash1 + "&peer_id=short&port=7002",
		"peer_id=-XX0001-000000000002&port=7002",
		"info_hash=" + hash1 + "&peer_id=-XX0001-000000000002&port=0",
		"info_hash=" + hash1 + "&peer_id=-XX0001-000000000001&port=7001&left=0&event=stopped",
	} {
		s.announce(sc, []byte(query), loopback)
		status, body := l.Get(0, loopback, query)
		if got, want := plainly(body), plainly(sc.body); got != want || status != http.StatusOK {
			t.Errorf("%s:\nlocal  %d %q\nserver %q", query, status, got, want)
		}
	}
	for _, query := range []string{"info_hash=" + hash1, "", "info_hash=x"} {
		s.scrape(sc, []byte(query))
		if status, body := l.Scrape(0, query); !bytes.Equal(body, sc.body) || status != http.StatusOK {
			t.Errorf("scrape %q:\nlocal  %d %q\nserver %q", query, status, body, sc.body)
		}
	}
}

func TestLocalTimeAndMemory(t *testing.T) {
	cfg := DefaultConfig()
	l := newLocal(t, cfg, 1)
	l.ask(0, 1, "&left=0")
	if got := l.ask(cfg.Swarm.TTL/2, 2, "&left=1"); !strings.Contains(got, "8:completei1e") {
		t.Errorf("before the TTL: %q", got)
	}
	if got := l.ask(cfg.Swarm.TTL+2*time.Second, 3, "&left=1"); !strings.Contains(got, "8:completei0e") || !strings.Contains(got, "10:incompletei2e") {
		t.Errorf("after the TTL: %q", got)
	}
	before := ownID.FindString(l.ask(cfg.Swarm.TTL+20*time.Second, 3, "&left=1"))
	l.Forget()
	if got := l.Totals(); got != (swarm.Totals{}) {
		t.Errorf("after Forget: %+v", got)
	}
	after := l.ask(cfg.Swarm.TTL+21*time.Second, 2, "&left=1")
	if !strings.Contains(after, "5:peers0:") || before == "" || ownID.FindString(after) == before {
		t.Errorf("after Forget: %q, id before %q", after, before)
	}
}

// TestLocalRepeats: one seed of the random source, one sequence of replies.
func TestLocalRepeats(t *testing.T) {
	talk := func(seed uint64) (all []string) {
		l := newLocal(t, DefaultConfig(), seed)
		for i := range 200 {
			all = append(all, l.ask(time.Duration(i)*time.Second, i, "&left=1&numwant=5"))
		}
		return all
	}
	if a, b := talk(1), talk(1); !slices.Equal(a, b) {
		t.Error("the same seed gives two runs")
	}
	if a, b := talk(1), talk(2); slices.Equal(a[100:], b[100:]) {
		t.Error("chance does not come from the source given")
	}
}

func TestLocalBounds(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxPeers = 2
	l := newLocal(t, cfg, 1)
	l.ask(0, 1, "&left=0")
	l.ask(0, 2, "&left=1")
	if got := l.ask(0, 3, "&left=1"); !strings.Contains(got, "failure reason") {
		t.Errorf("a third of two peers: %q", got)
	}
	if got := l.Totals(); got.Seeders+got.Leechers != 2 {
		t.Errorf("%+v", got)
	}
	long := strings.Repeat("a", maxTarget)
	if status, _ := l.Get(0, loopback, long); status != http.StatusRequestURITooLong {
		t.Errorf("a long announce: status %d", status)
	}
	if status, _ := l.Scrape(0, long); status != http.StatusRequestURITooLong {
		t.Errorf("a long scrape: status %d", status)
	}
	for name, spoil := range map[string]func(*Config){
		"invalid":  func(c *Config) { c.Swarm.Interval = 0 },
		"closed":   func(c *Config) { c.Swarm.Open = false },
		"torrents": func(c *Config) { c.TorrentsDir = "x" },
		"snapshot": func(c *Config) { c.StatePath = "x" },
	} {
		bad := DefaultConfig()
		spoil(&bad)
		if _, err := NewLocal(bad, rand.New(rand.NewPCG(1, 2))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestClientGet runs a client over a Get of the test's own: its answers are
// bounded and judged like HTTP's.
func TestClientGet(t *testing.T) {
	l := newLocal(t, DefaultConfig(), 1)
	var answer func(u *url.URL) (int, []byte, error)
	asked := 0
	c := NewClient(ClientConfig{
		Tiers: [][]string{{"http://a/announce"}, {"http://b/announce"}}, Rng: rand.New(rand.NewPCG(1, 2)), Floor: 20 * time.Second,
		Get: func(_ context.Context, u *url.URL) (int, []byte, error) {
			asked++
			if u.Host == "a" {
				return 0, nil, errors.New("unreachable")
			}
			return answer(u)
		},
	})
	defer c.Close()
	req := Request{InfoHash: [20]byte{1}, PeerID: [20]byte{2}, Port: 7001, NumWant: -1}
	answer = func(u *url.URL) (int, []byte, error) {
		status, body := l.Get(0, loopback, u.RawQuery)
		return status, body, nil
	}
	r, err := c.Announce(t.Context(), req)
	if err != nil || r.URL != "http://b/announce" || r.Complete != 1 || r.trackerID != l.trackerID || r.Interval < 20*time.Second || asked != 2 {
		t.Errorf("%+v %v, %d asked", r, err, asked)
	}
	for want, a := range map[string]func(*url.URL) (int, []byte, error){
		"unreachable":     func(*url.URL) (int, []byte, error) { return 0, nil, errors.New("also unreachable") },
		"HTTP status 500": func(*url.URL) (int, []byte, error) { return 500, []byte("de"), nil },
		"more than":       func(*url.URL) (int, []byte, error) { return 200, make([]byte, maxReply+1), nil },
		"refused":         func(*url.URL) (int, []byte, error) { return 400, []byte("d14:failure reason2:noe"), nil },
	} {
		answer = a
		if _, err := c.Announce(t.Context(), req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestClientGetStartsNothing: in a bubble whose clock stands still while anything
// runs, an announce leaves neither a goroutine nor a timer.
func TestClientGetStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, before := time.Now(), runtime.NumGoroutine()
		c := NewClient(ClientConfig{
			Tiers: [][]string{{"http://a/announce"}}, Rng: rand.New(rand.NewPCG(1, 2)),
			Get: func(ctx context.Context, _ *url.URL) (int, []byte, error) {
				if _, limited := ctx.Deadline(); limited {
					t.Error("the client bounds somebody else's Get by the clock")
				}
				return 200, []byte("d8:intervali60ee"), nil
			},
		})
		if _, err := c.Announce(context.Background(), Request{}); err != nil {
			t.Error(err)
		}
		c.Close()
		if n := runtime.NumGoroutine(); n > before || !time.Now().Equal(began) {
			t.Errorf("%d goroutines, before %d; the clock moved %v", n, before, time.Since(began))
		}
	})
}
