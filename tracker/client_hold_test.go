package tracker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestRetryInIsKept runs a refusing tracker against a clock of the test's: it is
// asked when it said (BEP 31), and the one behind it meanwhile.
func TestRetryInIsKept(t *testing.T) {
	for hint, c := range map[string]struct{ before, at time.Duration }{
		"i5e":     {4*time.Minute + 59*time.Second, 5 * time.Minute},
		"1:5":     {4*time.Minute + 59*time.Second, 5 * time.Minute},
		"5:never": {1000 * time.Hour, 0},
	} {
		var asked atomic.Int32
		bad := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			fmt.Fprintf(w, "d14:failure reason2:no8:retry in%se", hint)
		})
		var good atomic.Int32
		next := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if good.Add(1); good.Load() == 2 {
				http.Error(w, "", http.StatusBadGateway)
				return
			}
			fmt.Fprint(w, "d8:intervali60ee")
		})
		client := newClient(t, []string{bad}, []string{next})
		clock := time.Unix(1e9, 0)
		client.now = func() time.Time { return clock }
		began := clock
		if r, err := client.Announce(t.Context(), Request{}); err != nil || r.URL != next || asked.Load() != 1 {
			t.Fatalf("%s: %+v %v", hint, r, err)
		}
		clock = began.Add(c.before)
		_, err := client.Announce(t.Context(), Request{})
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Reason != "no" || asked.Load() != 1 || good.Load() != 2 {
			t.Fatalf("%s: %v after %d requests", hint, err, asked.Load())
		}
		if want := c.at - c.before; c.at != 0 && refused.RetryIn != want || c.at == 0 && refused.RetryIn != Never {
			t.Errorf("%s: retry in %v", hint, refused.RetryIn)
		}
		req := Request{InfoHash: [20]byte{1}}
		if _, err := client.Announce(t.Context(), req); err != nil || asked.Load() != 2 {
			t.Errorf("%s: the other infohash of a hybrid: %v after %d requests", hint, err, asked.Load())
		}
		if c.at == 0 {
			continue
		}
		clock = began.Add(c.at)
		if _, err := client.Announce(t.Context(), Request{}); err != nil || asked.Load() != 3 {
			t.Errorf("%s: at its time: %v after %d requests", hint, err, asked.Load())
		}
	}
}

// TestSilentIsLeftAlone wants the times of BEP 15 between the bursts to a UDP
// tracker that says nothing, and none of it after it has answered.
func TestSilentIsLeftAlone(t *testing.T) {
	var answers atomic.Bool
	f := serveUDP(t, func(_ *foreign, _ int, p []byte, _ netip.AddrPort) [][]byte {
		if answers.Load() {
			return [][]byte{honest(p)}
		}
		return nil
	})
	c := newUDPClient(t, []string{f.url})
	c.ways[0].udp.first, c.ways[0].udp.tries = 5*time.Millisecond, 1
	clock := time.Unix(1e9, 0)
	c.now = func() time.Time { return clock }
	var bursts []string
	for s := range 241 {
		clock = time.Unix(1e9+int64(s), 0)
		before := f.asked()
		_, err := c.Announce(t.Context(), Request{})
		if !errors.Is(err, errSilent) {
			t.Fatal(err)
		}
		if f.asked() != before {
			bursts = append(bursts, fmt.Sprint(s))
		}
	}
	if got := strings.Join(bursts, " "); got != "0 15 45 105 225" {
		t.Errorf("bursts at %s s", got)
	}
	clock, _ = clock.Add(udpMaxQuiet), answers.Swap(true)
	if _, err := c.Announce(t.Context(), Request{}); err != nil {
		t.Fatal(err)
	}
	answers.Store(false)
	clock = clock.Add(udpIDLife)
	if _, err := c.Announce(t.Context(), Request{}); !errors.Is(err, errSilent) {
		t.Fatal(err)
	}
	if left := c.holds[holdKey{url: f.url, anything: true}].until.Sub(clock); left != udpQuiet {
		t.Errorf("after an answer and a silence: %v", left)
	}
}

// TestOneTrackerAtATime is what a private torrent needs (BEP 27): a tracker is
// asked only once the one before has failed, and nobody after the one that
// answered.
func TestOneTrackerAtATime(t *testing.T) {
	var order []string
	var under atomic.Int32
	down := map[string]bool{"a": true}
	get := func(_ context.Context, u *url.URL) (int, []byte, error) {
		if under.Add(1) != 1 {
			t.Error("two trackers are asked at once")
		}
		defer under.Add(-1)
		order = append(order, u.Host)
		if down[u.Host] {
			return 0, nil, errors.New("down")
		}
		return http.StatusOK, []byte("d8:intervali60ee"), nil
	}
	c := NewClient(ClientConfig{Get: get, Rng: newClient(t).cfg.Rng})
	c.tiers = &Tiers{tiers: [][]string{{"http://a/announce", "http://b/announce"}, {"http://c/announce"}}}
	for range 2 {
		if r, err := c.Announce(t.Context(), Request{}); err != nil || r.URL != "http://b/announce" {
			t.Fatalf("%+v %v", r, err)
		}
	}
	down["b"] = true
	if r, err := c.Announce(t.Context(), Request{}); err != nil || r.URL != "http://c/announce" {
		t.Fatalf("%+v %v", r, err)
	}
	if got := strings.Join(order, ""); got != "abbbac" {
		t.Errorf("asked %s", got)
	}
}
