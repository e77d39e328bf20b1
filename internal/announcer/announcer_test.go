package announcer

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"time"

	"starling/peer"
	"starling/tracker"
	"starling/tracker/swarm"
)

// TestAnnouncer takes two peers through the events, over a tracker in memory.
func TestAnnouncer(t *testing.T) {
	local, err := tracker.NewLocal(tracker.DefaultConfig(), rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	now, extra := time.Duration(0), ""
	join := func(host byte) *Announcer {
		return &Announcer{Key: 0xab, Extra: []tracker.Param{{Name: "x_node", Value: "a b"}}, Client: tracker.NewClient(tracker.ClientConfig{
			Tiers: [][]string{{"http://tracker/announce"}}, Rng: rand.New(rand.NewPCG(3, 4)), Floor: time.Second,
			Get: func(_ context.Context, u *url.URL) (int, []byte, error) {
				extra = u.Query().Get("key") + " " + u.Query().Get("x_node")
				status, body := local.Get(now, netip.AddrFrom4([4]byte{10, 0, 0, host}), u.RawQuery)
				return status, body, nil
			},
		})}
	}
	a, b := join(1), join(2)
	hash := [20]byte{7}
	say := func(who *Announcer, id byte, left int64, e peer.AnnounceEvent, want ...string) peer.Announced {
		t.Helper()
		now += time.Minute
		out, err := who.Announce(t.Context(), peer.Announce{
			InfoHash: hash, PeerID: [20]byte{id}, Port: 6881, Left: left, Event: e, NumWant: 50,
		})
		if err != nil || !slices.Equal(out.Peers, want) {
			t.Errorf("%q: peers %q, want %q; %v", e, out.Peers, want, err)
		}
		if out.Interval < time.Second || out.MinInterval < time.Second || out.MinInterval > out.Interval {
			t.Errorf("%q: intervals %v and %v", e, out.Interval, out.MinInterval)
		}
		return out
	}
	say(a, 1, 0, peer.EventStarted)
	if extra != "000000AB a b" {
		t.Errorf("key and extra %q", extra)
	}
	if out := say(b, 2, 5, peer.EventStarted, "10.0.0.1:6881"); out.Complete != 1 || out.Incomplete != 1 {
		t.Errorf("%+v", out)
	}
	if out := say(b, 2, 0, peer.EventCompleted); out.Complete != 2 {
		t.Errorf("completed: %+v", out)
	}
	say(a, 1, 0, peer.EventStopped)
	if got := local.Totals(); got != (swarm.Totals{Swarms: 1, Seeders: 1}) {
		t.Errorf("after stopped: %+v", got)
	}
	say(b, 2, 0, peer.EventNone)
	now++
	var refused *tracker.RefusedError
	if _, err := b.Announce(t.Context(), peer.Announce{InfoHash: hash}); !errors.As(err, &refused) {
		t.Errorf("a refusal: %v", err)
	}
}
