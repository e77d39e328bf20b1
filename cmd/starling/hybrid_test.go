package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"starling/cmd/starling/internal/report"
	"starling/internal/lsd"
	"starling/metainfo"
	"starling/peer"
	"starling/piece"
	"starling/piece/store"
)

// halves is a hybrid torrent of zeros, and the two torrents that it is to those who
// know one infohash only.
func halves(t *testing.T) (both, v1, v2 *metainfo.Torrent) {
	t.Helper()
	b, err := metainfo.NewBuilderOf(metainfo.Hybrid, "x", []metainfo.File{{Length: 100_000}}, 32<<10)
	if err == nil {
		err = b.HashReader(bytes.NewReader(make([]byte, 100_000)))
	}
	if err != nil {
		t.Fatal(err)
	}
	if both, err = b.Torrent(); err != nil {
		t.Fatal(err)
	}
	one, two := *both, *both
	one.InfoHashV2, two.InfoHash = metainfo.HashV2{}, metainfo.Hash{}
	return both, &one, &two
}

// quietApp is what commands need that print nothing.
func quietApp() *app {
	return &app{log: slog.New(slog.DiscardHandler), rep: report.New(report.Options{Mode: report.None, Out: io.Discard})}
}

// joinSwarm has a peer join that knows what meta says of the torrent, and has nothing
// of its content.
func joinSwarm(t *testing.T, meta *metainfo.Torrent, id byte, at string) (*peer.Session, *peer.Torrent) {
	t.Helper()
	cfg := peer.DefaultConfig()
	cfg.Listen, cfg.PeerID = "127.0.0.1:0", [20]byte{id}
	s, err := peer.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	st, err := quietApp().openStore(meta, t.TempDir(), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	c := peer.TorrentConfig{Meta: meta, Store: st, Have: piece.NewBitfield(meta.Info.NumPieces())}
	if at != "" {
		c.Announcer = newAnnouncer([][]string{{at}}, nil, netip.Addr{})
	}
	tor, err := s.Add(c)
	if err != nil {
		t.Fatal(err)
	}
	if at != "" {
		until(t, "it is announced", func() bool { return tor.Stats().TrackerIncomplete == 1 })
	}
	return s, tor
}

// until waits for what will soon be so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// TestMagnetOfTwoSwarms: a link with both infohashes of a hybrid finds the torrent in
// either swarm, by the link's own peers and by its tracker.
func TestMagnetOfTwoSwarms(t *testing.T) {
	both, v1, v2 := halves(t)
	for name, half := range map[string]*metainfo.Torrent{"v1": v1, "v2": v2} {
		d := &demo{a: quietApp()}
		stop, err := d.startTracker(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		s, _ := joinSwarm(t, half, 1, d.announce)
		peers, tracked := *both.Magnet(), *both.Magnet()
		peers.Peers = []string{s.Addr().String()}
		tracked.Trackers = []string{d.announce}
		for how, link := range map[string]*metainfo.Magnet{"its peers": &peers, "its tracker": &tracked} {
			got, _, err := quietApp().fetchMagnet(t.Context(), link, meeting{listen: "127.0.0.1:0", timeout: 30 * time.Second})
			if err != nil || got.InfoHash != both.InfoHash || got.InfoHashV2 != both.InfoHashV2 {
				t.Errorf("only %s is there, by %s: %v", name, how, err)
			}
		}
	}
	// Each swarm that is asked in vain is left.
	lost := *both.Magnet()
	lost.Peers = []string{"127.0.0.1:1"}
	if _, _, err := quietApp().fetchMagnet(t.Context(), &lost, meeting{listen: "127.0.0.1:0", timeout: 300 * time.Millisecond}); err == nil {
		t.Error("a torrent came from nowhere")
	}
}

// TestLocalPeersOfHybrid: both infohashes of a hybrid are announced in the local
// network, and who is found under one is called by it.
func TestLocalPeersOfHybrid(t *testing.T) {
	both, v1, v2 := halves(t)
	_, tor := joinSwarm(t, both, 1, "")
	l := &localPeers{}
	var err error
	if l.lsd, err = lsd.New(lsd.Config{Port: 1, Found: l.found}); err != nil {
		t.Fatal(err)
	}
	if err := l.add(tor, true); err != nil || l.knows() != 0 {
		t.Errorf("private: %d infohashes, %v", l.knows(), err)
	}
	if err := l.add(tor, false); err != nil || l.knows() != 2 {
		t.Errorf("%d infohashes, %v", l.knows(), err)
	}
	for i, half := range []*metainfo.Torrent{v1, v2} {
		s, other := joinSwarm(t, half, byte(2+i), "")
		l.found(half.WireHash(), s.Addr())
		until(t, "somebody calls "+half.WireHash().String(), func() bool { return other.Stats().Remotes == 1 })
	}
}

// knows is how many infohashes are announced.
func (l *localPeers) knows() (n int) {
	l.torrents.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}
