//go:build linux

package e2e

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// TestKilledLeecher kills a leecher at random moments. It goes on each time from
// what it had, less at most what it had not checkpointed: 64 MiB or 5 s of work.
func TestKilledLeecher(t *testing.T) {
	long(t)
	t.Parallel()
	const seed = 4711
	var (
		kills = choose(5, 50)
		size  = choose[int64](96*mib, 2048*mib)
		rate  = choose("24MiB/s", "64MiB/s")
		rng   = rand.New(rand.NewPCG(seed, 0))
	)
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), size, 1)
	s := newSwarm(t, dir, "d")
	var loss losses
	done := 0
	for ; done < kills && loss.reached < size; done++ {
		p := s.leech("out", "--down-limit", rate)
		at := p.ready()
		began := time.Now()
		loss.resumed(t, p.resumed())
		life := time.Duration(100+rng.IntN(1900)) * time.Millisecond
		time.Sleep(life)
		m, err := scrape(at["metrics"])
		p.kill()
		if err != nil {
			t.Fatalf("before kill %d: %v", done+1, err)
		}
		loss.killed(int64(m.value(t, doneBytes)), time.Since(began))
	}
	p := s.leech("out", "--no-seed")
	p.wait(0, 2*time.Minute)
	s.arrived("out")
	loss.resumed(t, p.summary().BytesFrom.Disk)
	sent := int64(mustScrape(t, s.seedMetrics).value(t, sentPayload))
	t.Logf("%d kills of a %d MiB transfer at %s, rng seed %d: %.1f MiB of verified pieces lost in all, %.1f MiB the most at once; the seed sent %.1f MiB more than one copy",
		done, size/mib, rate, seed, float64(loss.total)/mib, float64(loss.worst)/mib, float64(sent-size)/mib)
	// What is on its way at a kill is lost too: at most what may be unverified.
	const underway = 64 * mib
	if extra := sent - size; extra > loss.total+int64(done)*underway {
		t.Errorf("the seed sent %d MiB again for %d kills", extra/mib, done)
	}
}

// losses follow what a leecher has through its kills, in bytes verified.
type losses struct {
	began, reached int64 // of the latest life: at its start, and when it was killed
	life           time.Duration
	total, worst   int64
}

// killed notes the end of a life.
func (l *losses) killed(reached int64, life time.Duration) { l.reached, l.life = reached, life }

// resumed notes the start of the next one, and checks what the kill has cost.
func (l *losses) resumed(t *testing.T, bytes int64) {
	t.Helper()
	lost := max(l.reached-bytes, 0)
	l.total, l.worst = l.total+lost, max(l.worst, lost)
	// A life's first reading may have some of its own pieces already.
	const fresh = 4 * mib
	if bytes < l.began-fresh {
		t.Errorf("%.1f MiB were durable and %.1f MiB are left", float64(l.began)/mib, float64(bytes)/mib)
	}
	// In a life shorter than 5 s all of its work is younger than that.
	if lost > 64*mib && l.life >= 5*time.Second {
		t.Errorf("%.1f MiB lost after %s, from %.1f MiB at its start", float64(lost)/mib, l.life, float64(l.began)/mib)
	}
	l.began = bytes
}
