package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// newLargeRollouts are one to 2,000 hosts and 99 small ones.
func newLargeRollouts() []*rollout {
	var all []*rollout
	port := 10000
	add := func(name string, hosts, racks int, size int64, took float64) {
		raw, hash := torrentOf(name, size)
		r := newRollout(name, hash, hosts, racks, port, size, took)
		r.torrent = raw
		port += hosts
		all = append(all, r)
	}
	add("llama-405b", 2000, 16, 800<<30, 180)
	for i := range 99 {
		add(fmt.Sprintf("image-%02d", i), 5+i%11, 3, int64(1+i)<<30, 60+10*float64(i))
	}
	return all
}

// watch begins to count frames and tasks that keep a page from answering.
const watch = `window.seen = { frames: [], long: [] };
new PerformanceObserver((l) => seen.long.push(...l.getEntries().map((e) => e.duration))).observe({ type: "longtask" });
{ let last = 0; const f = (t) => { if (last) seen.frames.push(t - last); last = t; requestAnimationFrame(f); }; requestAnimationFrame(f); }`

// smoothness is what watch has seen, in milliseconds.
type smoothness struct {
	Frames                  int
	Median, P95, P99, Worst float64
	Long                    []float64 // tasks above 50 ms
	Busy                    float64   // share of a processor that the page's thread used
}

const seen = `JSON.stringify((() => { const f = seen.frames.sort((a, b) => a - b), at = (p) => f[Math.floor(p * (f.length - 1))];
	return { Frames: f.length, Median: at(0.5), P95: at(0.95), P99: at(0.99), Worst: at(1), Long: seen.long }; })())`

// smooth looks for so long at a page that is open.
func (tb *tab) smooth(d time.Duration) (m smoothness) {
	tb.t.Helper()
	tb.do(call(performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}),
		chromedp.Evaluate[chromedp.Void](watch))
	before, began := tb.taskSeconds(), time.Now()
	time.Sleep(d)
	busy := (tb.taskSeconds() - before) / time.Since(began).Seconds()
	if err := json.Unmarshal([]byte(eval[string](tb, seen)), &m); err != nil {
		tb.t.Fatal(err)
	}
	m.Busy = busy
	return m
}

// taskSeconds is the processor time that the page's main thread has used in tasks.
func (tb *tab) taskSeconds() (seconds float64) {
	tb.t.Helper()
	tb.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		r, err := cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range r.Metrics {
			if m.Name == "TaskDuration" {
				seconds = m.Value
			}
		}
		return nil
	}))
	return seconds
}

// With 2,000 hosts that report every other second and 100 swarms the pages stay
// smooth: their thread has little to do. When each frame comes depends on what else the
// machine does, so frames are held to a bound only where STARLING_SMOOTH says how
// long to look.
func TestSmooth(t *testing.T) {
	d, timed := 5*time.Second, false
	if v := os.Getenv("STARLING_SMOOTH"); v != "" {
		var err error
		if d, err = time.ParseDuration(v); err != nil {
			t.Fatal(err)
		}
		timed = true
	}
	s := newBareSite(t)
	for _, r := range newLargeRollouts() {
		s.give(t, r)
	}
	s.at(t, 40)
	s.run(t, 40)
	for _, page := range []struct{ name, url, ready string }{
		{"rollout", s.path(s.rollouts[0]), `document.getElementById("hosts").getAttribute("aria-rowcount") === "2001"`},
		{"list", s.url, `document.querySelectorAll("#swarms tbody tr").length === 100`},
	} {
		tb := newTab(t, desktop)
		tb.open(page.url)
		tb.until(page.ready)
		time.Sleep(time.Second)
		m := tb.smooth(d)
		t.Logf("%s over %v: %+v", page.name, d, m)
		if m.Busy <= 0 || m.Busy > 0.5 {
			t.Errorf("%s: its thread used %.0f %% of a processor", page.name, 100*m.Busy)
		}
		if m.Frames == 0 || timed && (m.P99 > 34 || m.Worst > 250) {
			t.Errorf("%s: %d frames in %v, of 100 one took %.0f ms or more, the longest %.0f ms", page.name, m.Frames, d, m.P99, m.Worst)
		}
		tb.quiet()
		tb.close()
	}
}
