package swarm

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// populated is a store with a bit of everything.
func populated(seed uint64) *Store {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := laxStore()
	var r Response
	for i := range 300 {
		q := randomRequest(rng)
		_ = s.Announce(rng, time.Duration(i)*time.Second/10, q, &r)
	}
	return s
}

// restoreAll hands a snapshot to a store record by record.
func restoreAll(s *Store, b []byte, withPeers bool) (peers int, err error) {
	for len(b) > 0 {
		_, n, err := NextSwarm(b)
		if err != nil {
			return peers, err
		}
		got, err := s.Restore(0, b[:n], withPeers)
		if err != nil {
			return peers, err
		}
		peers += got
		b = b[n:]
	}
	return peers, nil
}

func TestSnapshotRoundTrip(t *testing.T) {
	s := populated(1)
	b := s.AppendSnapshot(nil)
	back := laxStore()
	n, err := restoreAll(back, b, true)
	if want := s.Totals(); err != nil || n != want.Seeders+want.Leechers {
		t.Fatalf("restored %d of %+v: %v", n, want, err)
	}
	back.check(t)
	if again := back.AppendSnapshot(nil); !bytes.Equal(b, again) {
		t.Fatal("a restored store's snapshot differs")
	}
	if n, _ := restoreAll(back, b, true); n != 0 {
		t.Fatalf("restored twice, %d peers came twice", n)
	}
	counts := laxStore()
	if n, err := restoreAll(counts, b, false); n != 0 || err != nil {
		t.Fatalf("without peers: %d, %v", n, err)
	}
	counts.check(t)
	for h, w := range s.swarms {
		if c, _ := counts.Scrape(h); c.Downloaded != w.downloaded {
			t.Fatalf("downloads of %x: %d of %d", h, c.Downloaded, w.downloaded)
		}
	}
}

func TestSnapshotTruncated(t *testing.T) {
	b := populated(2).AppendSnapshot(nil)
	for n := range b {
		s := laxStore()
		_, _ = restoreAll(s, b[:n], true)
		s.check(t)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add(populated(3).AppendSnapshot(nil))
	f.Add(make([]byte, recordHeader+record4))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := laxStore()
		_, _ = restoreAll(s, b, true)
		s.check(t)
		s.Expire(s.cfg.LaxTTL)
		s.check(t)
		if got := s.Totals(); got.Seeders+got.Leechers != 0 {
			t.Fatalf("%+v outlived the TTL", got)
		}
	})
}
