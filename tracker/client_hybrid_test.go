package tracker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"starling/metainfo"
	"starling/tracker/swarm"
)

var (
	firstHash  = [20]byte{1}
	secondHash = [20]byte{2}
)

// twoNames is a foreign tracker with an answer for each infohash of a hybrid, "" is
// none; it notes what it is asked.
type twoNames struct {
	first, second string

	mu    sync.Mutex
	heard []string
}

// asked takes what it was asked.
func (n *twoNames) asked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	asked := n.heard
	n.heard = nil
	return asked
}

func (n *twoNames) serve(t *testing.T) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		n.mu.Lock()
		n.heard = append(n.heard, fmt.Sprintf("%d %s %s", q.Get("info_hash")[0], q.Get("event"), q.Get("uploaded")))
		n.mu.Unlock()
		answer := n.first
		if q.Get("info_hash") == string(secondHash[:]) {
			answer = n.second
		}
		if answer == "" {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, answer)
	})
}

func hybridRequest() Request {
	return Request{InfoHash: firstHash, InfoHashV2: secondHash, Port: 7, Uploaded: 5, Left: 1, Event: EventStarted, NumWant: -1}
}

// TestHybridAnswers asks one tracker under both infohashes, and wants of two answers
// what is right for both swarms; one is enough, whichever it is.
func TestHybridAnswers(t *testing.T) {
	const (
		one     = "d8:completei3e10:incompletei1e8:intervali60e12:min intervali5e5:peers12:\x0a\x00\x00\x01\x00\x01\x0a\x00\x00\x02\x00\x02e"
		two     = "d8:completei1e10:incompletei4e8:intervali90e12:min intervali2e5:peers12:\x0a\x00\x00\x02\x00\x02\x0a\x00\x00\x03\x00\x03e"
		refusal = "d14:failure reason4:nonee"
	)
	both := []string{"1 started 5", "2 started 5"}
	for name, c := range map[string]struct {
		first, second string
		want          Response // addresses apart
		peers, v2     string
		asked         []string
	}{
		"both":       {one, two, Response{Interval: 90 * time.Second, MinInterval: 5 * time.Second, Complete: 3, Incomplete: 4}, "10.0.0.1:1 10.0.0.2:2", "10.0.0.2:2 10.0.0.3:3", both},
		"the first":  {one, refusal, Response{Interval: time.Minute, MinInterval: 5 * time.Second, Complete: 3, Incomplete: 1}, "10.0.0.1:1 10.0.0.2:2", "", both},
		"the second": {refusal, two, Response{Interval: 90 * time.Second, MinInterval: 2 * time.Second, Complete: 1, Incomplete: 4}, "", "10.0.0.2:2 10.0.0.3:3", both},
		"and then nobody is there": {one, "", Response{Interval: time.Minute, MinInterval: 5 * time.Second, Complete: 3, Incomplete: 1},
			"10.0.0.1:1 10.0.0.2:2", "", both},
	} {
		n := &twoNames{first: c.first, second: c.second}
		r, err := newClient(t, []string{n.serve(t)}).Announce(t.Context(), hybridRequest())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sum := Response{Interval: r.Interval, MinInterval: r.MinInterval, Complete: r.Complete, Incomplete: r.Incomplete}
		if fmt.Sprint(sum) != fmt.Sprint(c.want) || addrs(r) != c.peers || addrs(Response{Peers: r.PeersV2}) != c.v2 {
			t.Errorf("%s: %+v", name, r)
		}
		got := n.asked()
		if c.second == "" {
			got = slices.Compact(got) // HTTP tries again where a connection breaks
		}
		if !slices.Equal(got, c.asked) {
			t.Errorf("%s: asked %q", name, got)
		}
	}
}

// TestHybridGoesOn: a tracker that refuses both, or is not there, leaves it to the
// next one; who cannot be asked of one infohash is not asked of the other.
func TestHybridGoesOn(t *testing.T) {
	refusing := &twoNames{first: "d14:failure reason3:onee", second: "d14:failure reason3:twoe"}
	dead := &twoNames{}
	good := &twoNames{first: "d8:intervali60ee", second: "d8:intervali60ee"}
	a, b, c := refusing.serve(t), dead.serve(t), good.serve(t)
	client := newClient(t, []string{a}, []string{b}, []string{c})
	if r, err := client.Announce(t.Context(), hybridRequest()); err != nil || r.URL != c {
		t.Fatalf("%+v %v", r, err)
	}
	if r, d, g := refusing.asked(), dead.asked(), good.asked(); len(r) != 2 || len(slices.Compact(d)) != 1 || len(g) != 2 {
		t.Errorf("asked %q, %q, %q", r, d, g)
	}
	_, err := newClient(t, []string{a}).Announce(t.Context(), hybridRequest())
	var refused *RefusedError
	if want := `: tracker refused: "one"; of the v2 infohash: tracker refused: "two"`; !errors.As(err, &refused) || refused.Reason != "one" ||
		err.Error() != "tracker "+redact(a)+want {
		t.Errorf("refused both: %v", err)
	}
	// A torrent with one infohash is told of once.
	req := hybridRequest()
	req.InfoHashV2 = req.InfoHash
	_, err = newClient(t, []string{c}).Announce(t.Context(), req)
	if got := good.asked(); err != nil || !slices.Equal(got, []string{"1 started 5"}) {
		t.Errorf("one infohash: asked %q, %v", got, err)
	}
}

// TestHybridWaits: an answer is not kept back by a tracker that never answers under
// the other infohash.
func TestHybridWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(ClientConfig{
			Tiers: [][]string{{"http://a/announce"}}, Rng: rand.New(rand.NewPCG(1, 2)),
			Get: func(ctx context.Context, u *url.URL) (int, []byte, error) {
				if u.Query().Get("info_hash") == string(firstHash[:]) {
					return http.StatusOK, []byte("d8:intervali60ee"), nil
				}
				<-ctx.Done()
				return 0, nil, ctx.Err()
			},
		})
		c.now = time.Now
		began := time.Now()
		if r, err := c.Announce(t.Context(), hybridRequest()); err != nil || r.Interval != time.Minute {
			t.Errorf("%+v %v", r, err)
		}
		if took := time.Since(began); took != otherHash {
			t.Errorf("it took %v, want %v", took, otherHash)
		}
	})
}

// TestHybridCounts: who is in both swarms of a hybrid counts once where torrents are
// listed, and an infohash that only others know counts there too.
func TestHybridCounts(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	b, err := metainfo.NewBuilderOf(metainfo.Hybrid, "x", []metainfo.File{{Length: 100}}, 16<<10)
	if err == nil {
		err = b.HashReader(bytes.NewReader(make([]byte, 100)))
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := b.Torrent()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Torrents().Add("x", made.Marshal()); err != nil {
		t.Fatal(err)
	}
	m := s.Torrents().byName["x"]
	say := func(id byte, left int64, event Event, hash, v2 [20]byte) {
		t.Helper()
		client := newClient(t, []string{"http://" + s.addr + "/announce"})
		req := Request{InfoHash: hash, InfoHashV2: v2, PeerID: [20]byte{id}, Port: 7000 + uint16(id), Left: left, Event: event}
		if _, err := client.Announce(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	say(1, 0, EventStarted, m.hash, m.short)
	say(2, 9, EventStarted, m.hash, m.short)
	say(2, 0, EventCompleted, m.hash, m.short)
	say(3, 9, EventStarted, m.short, m.short)
	l := s.Torrents().list()[0]
	if l.Complete != 2 || l.Incomplete != 1 || l.Downloaded != 1 {
		t.Errorf("listed %+v", l)
	}
	for _, h := range m.hashes() {
		if c, ok := s.Counts(swarm.InfoHash(h)); !ok || c.Complete != 2 || c.Downloaded != 1 {
			t.Errorf("swarm %s: %+v", h, c)
		}
	}
	say(2, 0, EventStopped, m.hash, m.short)
	if l := s.Torrents().list()[0]; l.Complete != 1 || l.Downloaded != 1 {
		t.Errorf("after it stopped: %+v", l)
	}
}
