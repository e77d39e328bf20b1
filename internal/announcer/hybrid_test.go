package announcer

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/metainfo"
	"starling/peer"
	"starling/piece"
	"starling/piece/store"
	"starling/tracker"
	"starling/tracker/swarm"
)

const patience = 30 * time.Second

// hybrid is a hybrid torrent with its content, and what those make of it that know
// one half only.
type hybrid struct {
	both, v1, v2 *metainfo.Torrent
	data         []byte
	dir          string // holds it
}

func newHybrid(t *testing.T) *hybrid {
	t.Helper()
	h := &hybrid{data: make([]byte, 1<<20), dir: t.TempDir()}
	rand.NewChaCha8([32]byte{52}).Read(h.data)
	if err := os.WriteFile(filepath.Join(h.dir, "x"), h.data, 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := metainfo.NewBuilderOf(metainfo.Hybrid, "x", []metainfo.File{{Length: int64(len(h.data))}}, 64<<10)
	if err == nil {
		err = b.HashReader(bytes.NewReader(h.data))
	}
	if err != nil {
		t.Fatal(err)
	}
	if h.both, err = b.Torrent(); err != nil {
		t.Fatal(err)
	}
	one, two := *h.both, *h.both
	one.InfoHashV2, two.InfoHash = metainfo.HashV2{}, metainfo.Hash{}
	h.v1, h.v2 = &one, &two
	return h
}

// swarms is a tracker on loopback, over HTTP and UDP.
type swarms struct {
	*hybrid
	t         *testing.T
	server    *tracker.Server
	http, udp string
	next      byte
}

func newSwarms(t *testing.T) *swarms {
	t.Helper()
	cfg := tracker.DefaultConfig()
	cfg.Swarm.Interval, cfg.Swarm.MinInterval, cfg.Swarm.Young = time.Second, time.Second, time.Second
	srv, err := tracker.New(cfg, slog.New(slog.DiscardHandler), tracker.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tracker.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := tracker.ListenUDP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv.AddUDP(udp)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, ln, nil, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	s := &swarms{hybrid: newHybrid(t), t: t, server: srv}
	s.http, s.udp = "http://"+ln.Addr().String()+"/announce", "udp://"+udp.LocalAddr().String()
	return s
}

// one is a peer of a swarm, or of two.
type one struct {
	*peer.Torrent
	session *peer.Session
	dir     string
}

// join has a peer with all or with nothing join, which knows what meta says and
// nobody but a tracker.
func (s *swarms) join(meta *metainfo.Torrent, at string, seeds bool, change func(*peer.Config)) *one {
	t := s.t
	t.Helper()
	s.next++
	cfg := peer.DefaultConfig()
	cfg.Listen, cfg.PeerID, cfg.Seed = "127.0.0.1:0", [20]byte{s.next}, uint64(s.next)
	if change != nil {
		change(&cfg)
	}
	session, err := peer.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := &one{session: session, dir: s.dir}
	if !seeds {
		o.dir = t.TempDir()
	}
	in := &s.both.Info
	st, err := store.Open(store.Config{
		Dir: o.dir, Name: in.Name, InfoHash: meta.WireHash(), PieceLength: in.PieceLength, Hashes: in.Pieces,
		Files: []store.File{{Path: in.Name, Length: in.TotalLength(), Wanted: true}}, ReadOnly: seeds, NoState: seeds,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	bits, err := st.Check(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	have, err := piece.BitfieldFromBytes(bits, in.NumPieces())
	if err != nil || have.All() != seeds {
		t.Fatalf("it has %d pieces; %v", have.Count(), err)
	}
	o.Torrent, err = session.Add(peer.TorrentConfig{Meta: meta, Store: st, Have: have, Announcer: &Announcer{
		Client: tracker.NewClient(tracker.ClientConfig{
			Tiers: [][]string{{at}}, Rng: rand.New(rand.NewPCG(uint64(s.next), 1)), Floor: time.Second,
		}),
		Key: uint32(s.next),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := session.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return o
}

// complete waits until a peer has all, and compares.
func (s *swarms) complete(o *one) {
	s.t.Helper()
	select {
	case <-o.Completed():
	case <-time.After(patience):
		s.t.Fatalf("not complete after %v: %+v", patience, o.Stats())
	}
	f, err := os.Open(filepath.Join(o.dir, "x"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, s.data) {
		s.t.Errorf("it has other bytes; %v", err)
	}
}

// listed waits until the tracker counts so many seeds and others in a swarm.
func (s *swarms) listed(h metainfo.Hash, complete, incomplete int32) swarm.Counts {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c, _ := s.server.Counts(swarm.InfoHash(h))
		if int32(c.Complete) == complete && int32(c.Incomplete) == incomplete {
			return c
		}
		if time.Now().After(end) {
			s.t.Fatalf("the swarm %v: %+v, want %d and %d", h, c, complete, incomplete)
		}
	}
}

// TestHybridSwarms: peers that know one infohash only, and have only a tracker, get
// all from one that knows both: each begins before it and is dialed, or after it and
// dials. Those of one swarm are told nothing of the other's.
func TestHybridSwarms(t *testing.T) {
	for name, c := range map[string]struct {
		udp       bool
		seedFirst bool
		hide      peer.Encryption
	}{
		"the seed is first, HTTP":         {false, true, ""},
		"the seed is last, UDP":           {true, false, ""},
		"the seed is last, all encrypted": {false, false, peer.EncryptionRequire},
		"the leechers are encrypted":      {true, false, "leechers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSwarms(t)
			at := s.http
			if c.udp {
				at = s.udp
			}
			quiet := func(seeds bool) func(*peer.Config) {
				return func(cfg *peer.Config) {
					switch {
					case c.hide == "":
					case c.hide != "leechers":
						cfg.Encryption = c.hide
					case !seeds:
						cfg.Encryption = peer.EncryptionRequire
					}
				}
			}
			first, second := s.both.InfoHash, s.both.InfoHashV2.Short()
			var seed, l1, l2, both *one
			if c.seedFirst {
				seed = s.join(s.both, at, true, quiet(true))
				s.listed(first, 1, 0)
				s.listed(second, 1, 0)
			}
			l1 = s.join(s.v1, at, false, quiet(false))
			l2 = s.join(s.v2, at, false, quiet(false))
			if !c.seedFirst {
				s.listed(first, 0, 1)
				s.listed(second, 0, 1)
				seed = s.join(s.both, at, true, quiet(true))
			}
			both = s.join(s.both, at, false, quiet(true))
			for _, o := range []*one{l1, l2, both} {
				s.complete(o)
			}
			if got := both.InfoHashes(); !slices.Equal(got, []metainfo.Hash{first, second}) {
				t.Errorf("a hybrid is called %v", got)
			}
			// Two hybrids and one of its own kind in each swarm; what was told to
			// both is counted in each, once.
			for _, h := range []metainfo.Hash{first, second} {
				if c := s.listed(h, 3, 0); c.Downloaded != 2 {
					t.Errorf("the swarm %v: %+v", h, c)
				}
			}
			// Who met under both names is one.
			if n := len(both.Accounts()); n > 3 {
				t.Errorf("a hybrid has dealt with %d peers: %+v", n, both.Accounts())
			}
			if got := seed.Stats().SentPayload; got < uint64(len(s.data)) {
				t.Errorf("the seed sent %d bytes", got)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := seed.Stop(ctx); err != nil {
				t.Error(err)
			}
			s.listed(first, 2, 0)
			s.listed(second, 2, 0)
		})
	}
}
