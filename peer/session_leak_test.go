package peer

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// slack is how much more or less may be held in the end: what the runtime has.
const slack = 5

// held is what a process holds.
type held struct {
	goroutines, files int
	heap              int64 // bytes
}

func holds(t *testing.T) held {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return held{runtime.NumGoroutine(), openFiles(t), int64(m.HeapAlloc)}
}

// visit adds a torrent to two sessions and takes it out of both: as soon as one has
// fetched it from the other, or at once.
func (p *payload) visit(t *testing.T, from, to *Session, an Announcer, fetch bool) {
	t.Helper()
	var stops []func()
	add := func(s *Session, dir string, seed bool, peers ...string) *Torrent {
		t.Helper()
		st, have := p.open(t, dir, seed)
		tor, err := s.Add(TorrentConfig{Meta: p.meta, Store: st, Have: have, Peers: peers, Announcer: an})
		if err != nil {
			t.Fatal(err)
		}
		stops = append(stops, func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := tor.Stop(ctx); err != nil {
				t.Error(err)
			}
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
		return tor
	}
	add(from, p.dir, true)
	tor := add(to, t.TempDir(), false, from.Addr().String())
	if fetch {
		p.wait(t, tor)
	}
	for _, stop := range stops {
		stop()
	}
}

// deafTracker is one that answers when nobody wants to hear it any more.
type deafTracker struct{ asked atomic.Int64 }

func (d *deafTracker) Announce(ctx context.Context, a Announce) (Announced, error) {
	if a.Event == EventStopped {
		return Announced{}, nil
	}
	d.asked.Add(1)
	<-ctx.Done()
	return Announced{}, ctx.Err()
}

// TestTorrentsComeAndGo: after a thousand torrents that were added and removed, some of
// them while they connected, asked a tracker and fetched, a session holds what it held
// after the first few.
func TestTorrentsComeAndGo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes too long for -short")
	}
	// The collector closes files that were forgotten, so it is off at the end.
	const warm, all, uncollected = 20, 1000, 100
	measured := func(c *Config) { c.Metrics = NewMetrics(prometheus.NewRegistry()) }
	from, to := testSession(t, 1, measured), testSession(t, 2, measured)
	var an deafTracker
	var before held
	for i := range warm + all {
		switch i {
		case warm:
			before = settled(t, held{})
			t.Logf("after %d torrents: %+v", warm, before)
		case warm + all - uncollected:
			settled(t, before)
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
		}
		newPayload(t, fmt.Sprintf("content-%d", i), 20_000, 16<<10).visit(t, from, to, &an, i%10 == 0)
	}
	for deadline := time.Now().Add(patience); openFiles(t) > before.files+slack; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, and before there were %d", openFiles(t), before.files)
		}
	}
	after := settled(t, before)
	t.Logf("after %d more: %+v; %d announces were waited for", all, after, an.asked.Load())
	if an.asked.Load() < all/10 {
		t.Errorf("only %d announces for %d torrents", an.asked.Load(), all)
	}
	// Some bytes a torrent are the test's own: its directories are to be removed.
	if grown := (after.heap - before.heap) / all; grown > 2<<10 {
		t.Errorf("each torrent leaves %d bytes", grown)
	}
	if n := len(from.list()) + len(to.list()); n != 0 {
		t.Errorf("%d torrents are left", n)
	}
}

// settled waits until no more is held than at base, give or take 5; without base, until
// two looks in a row are the same.
func settled(t *testing.T, base held) (now held) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		last := now
		now = holds(t)
		if base == (held{}) {
			if now.goroutines == last.goroutines && now.files == last.files {
				return now
			}
		} else if max(now.goroutines-base.goroutines, base.goroutines-now.goroutines, now.files-base.files, base.files-now.files) <= slack {
			return now
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v are held, and before it was %+v", now, base)
		}
	}
}
