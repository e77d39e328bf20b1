//go:build linux

package e2e

import (
	"math"
	"path/filepath"
	"testing"
	"time"
)

// flowReading is what the seed, the leecher and the tracker said of one flow at
// one moment.
type flowReading struct {
	at                         time.Time
	sent, received, up, down   float64
	trackerSeeds, trackerLeech float64
}

// TestRates holds the gauges of a limited transfer against what was moved.
func TestRates(t *testing.T) {
	long(t) // and not beside others: it measures by the clock
	size := choose[int64](128*mib, 512*mib)
	const limit = 8 * mib
	dir := t.TempDir()
	writeRandom(t, filepath.Join(dir, "d", "file"), size, 2)
	s := newSwarm(t, dir, "d", "--up-limit", "8MiB/s")
	p := s.leech("out", "--seed-forever")
	leech := p.ready()["metrics"]
	p.event("first_byte", patience)

	var list []flowReading
	for began := time.Now(); time.Since(began) < choose(14*time.Second, 45*time.Second); time.Sleep(time.Second) {
		a, b, c := mustScrape(t, s.seedMetrics), mustScrape(t, leech), mustScrape(t, s.admin)
		list = append(list, flowReading{
			time.Now(), a.value(t, sentPayload), b.value(t, receivedPayload), a.value(t, uploadRate), b.value(t, downloadRate),
			c.value(t, trackedSeeders), c.value(t, trackedLeechers),
		})
	}
	judged := 0
	for i, now := range list {
		// The gauges average over the last 20 s: held against the reading of
		// about then, or the first one where there is none so old.
		then := list[max(0, i-20)]
		passed := now.at.Sub(then.at).Seconds()
		if passed < 8 {
			continue // the first readings' rounding still shows
		}
		judged++
		within(t, "upload rate", now.up, (now.sent-then.sent)/passed, 0.05)
		within(t, "download rate", now.down, (now.received-then.received)/passed, 0.05)
		within(t, "rate against its limit", now.up, limit, 0.05)
	}
	if judged == 0 {
		t.Error("too few readings to judge the rates by")
	}
	if last := list[len(list)-1]; last.trackerSeeds != 1 || last.trackerLeech != 1 {
		t.Errorf("the tracker counts %v seeders and %v leechers, want 1 and 1", last.trackerSeeds, last.trackerLeech)
	}
	p.event("complete", 2*time.Minute)
	a, b := mustScrape(t, s.seedMetrics), mustScrape(t, leech)
	for name, got := range map[string]float64{
		"sent": a.value(t, sentPayload), "received": b.value(t, receivedPayload), "done": b.value(t, doneBytes),
	} {
		if got != float64(size) {
			t.Errorf("%s: %.0f bytes, want the size, %d", name, got, size)
		}
	}
	last := list[len(list)-1]
	t.Logf("%d readings; last: up %.3f, down %.3f MiB/s", judged, last.up/mib, last.down/mib)
}

// within checks that got is want, give or take a share of it.
func within(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("%s: %.3f MiB/s, want %.3f ± %.0f %%", what, got/mib, want/mib, 100*share)
	}
}
