package tracker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

func newBothClient(t *testing.T, tracker string) *Client {
	t.Helper()
	c := NewClient(ClientConfig{Tiers: [][]string{{tracker}}, Rng: rand.New(rand.NewPCG(1, 2)), Floor: time.Second, BothFamilies: true})
	for i := range c.ways {
		c.ways[i].udp.lookup = resolver("::1", "127.0.0.1")
	}
	t.Cleanup(c.Close)
	return c
}

// TestClientBothFamilies announces twice where a tracker has two addresses (BEP 7)
// and once where it has one, over UDP and over HTTP.
func TestClientBothFamilies(t *testing.T) {
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 loopback here")
	}
	s, at := startUDP(t, DefaultConfig(), ":0")
	web := &http.Server{Handler: s.Handler()}
	go func() { _ = web.Serve(six) }()
	defer web.Close()
	on := func(ip string) *Client {
		c := newBothClient(t, fmt.Sprintf("udp://tracker.test:%d", at.Port()))
		for i := range c.ways {
			c.ways[i].udp.lookup = resolver(ip)
		}
		return c
	}
	for i, c := range []struct {
		client *Client
		want   string
	}{
		{newBothClient(t, fmt.Sprintf("udp://tracker.test:%d", at.Port())), "127.0.0.1:7 [::1]:7"},
		{on("127.0.0.1"), "127.0.0.1:7"},
		{on("::1"), "[::1]:7"},
		{newBothClient(t, "http://"+s.addr+"/announce"), "127.0.0.1:7"},
		{newBothClient(t, "http://"+six.Addr().String()+"/announce"), "[::1]:7"},
	} {
		req := Request{InfoHash: [20]byte{byte(i)}, Port: 7, Left: 1, NumWant: -1}
		if _, err := c.client.Announce(t.Context(), req); err != nil {
			t.Fatalf("%s: %v", c.want, err)
		}
		other := newClient(t, []string{"http://" + s.addr + "/announce"})
		req.PeerID, req.Port = [20]byte{1}, 8
		if r, err := other.Announce(t.Context(), req); err != nil || addrs(r) != c.want {
			t.Errorf("listed are %q, want %q; %v", addrs(r), c.want, err)
		}
	}
}

// TestClientFamilyMerge puts answers together, and does without one that is late or
// an error.
func TestClientFamilyMerge(t *testing.T) {
	answer := func(peers string) way {
		return way{get: func(context.Context, *url.URL) (int, []byte, error) {
			return http.StatusOK, fmt.Appendf(nil, "d8:intervali60e5:peers%d:%se", len(peers), peers), nil
		}}
	}
	fail := func(err error) way {
		return way{get: func(context.Context, *url.URL) (int, []byte, error) { return 0, nil, err }}
	}
	late := way{get: func(ctx context.Context, _ *url.URL) (int, []byte, error) {
		<-ctx.Done()
		return 0, nil, ctx.Err()
	}}
	refused := errors.New("refused")
	noAddr := &net.DNSError{IsNotFound: true}
	a, b := "\x0a\x00\x00\x01\x00\x01", "\x0a\x00\x00\x02\x00\x01"
	for name, c := range map[string]struct {
		ways  []way
		peers string
		err   error
	}{
		"both":        {[]way{answer(a), answer(a + b)}, "10.0.0.1:1 10.0.0.2:1", nil},
		"first late":  {[]way{late, answer(b)}, "10.0.0.2:1", nil},
		"second late": {[]way{answer(a), late}, "10.0.0.1:1", nil},
		"one error":   {[]way{fail(refused), answer(b)}, "10.0.0.2:1", nil},
		"two errors":  {[]way{fail(noAddr), fail(refused)}, "", refused},
		"and turned":  {[]way{fail(refused), fail(noAddr)}, "", refused},
	} {
		client := newBothClient(t, "http://t/announce")
		client.ways = c.ways
		r, err := client.Announce(t.Context(), Request{})
		if addrs(r) != c.peers || !errors.Is(err, c.err) {
			t.Errorf("%s: %q %v", name, addrs(r), err)
		}
	}
	c := NewClient(ClientConfig{BothFamilies: true, LocalAddr: netip.IPv6Loopback(), Rng: rand.New(rand.NewPCG(1, 2))})
	if n := len(c.ways); n != 1 {
		t.Errorf("%d ways from one address", n)
	}
}
