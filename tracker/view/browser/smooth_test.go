package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

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
}

const seen = `JSON.stringify((() => { const f = seen.frames.sort((a, b) => a - b), at = (p) => f[Math.floor(p * (f.length - 1))];
	return { Frames: f.length, Median: at(0.5), P95: at(0.95), P99: at(0.99), Worst: at(1), Long: seen.long }; })())`

// smooth looks for so long at a page that is open.
func (tb *tab) smooth(d time.Duration) (m smoothness) {
	tb.t.Helper()
	tb.do(chromedp.Evaluate[chromedp.Void](watch))
	time.Sleep(d)
	if err := json.Unmarshal([]byte(eval[string](tb, seen)), &m); err != nil {
		tb.t.Fatal(err)
	}
	return m
}

// With 2,000 hosts that report every other second and 100 swarms the pages stay
// smooth. The bounds leave room for a machine that does other things too: what
// docs/web.md says was measured with STARLING_SMOOTH=20s on one that does not.
func TestSmooth(t *testing.T) {
	d := 5 * time.Second
	if v := os.Getenv("STARLING_SMOOTH"); v != "" {
		var err error
		if d, err = time.ParseDuration(v); err != nil {
			t.Fatal(err)
		}
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
		if m.Frames < int(d/time.Second)*20 || m.P95 > 60 {
			t.Errorf("%s: %d frames in %v, of 20 one took %.0f ms or more", page.name, m.Frames, d, m.P95)
		}
		for _, l := range m.Long {
			if l > 250 {
				t.Errorf("%s: a task took %.0f ms", page.name, l)
			}
		}
		tb.quiet()
		tb.close()
	}
}
