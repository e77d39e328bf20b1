package browser

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// weight is what a page holds once all that it does not need is gone.
type weight struct {
	Heap             float64 // bytes of the scripts
	Nodes, Listeners int64
}

func (tb *tab) weight() (w weight) {
	tb.t.Helper()
	tb.do(call(heapprofiler.CollectGarbage, cdp.Empty{}), call(heapprofiler.CollectGarbage, cdp.Empty{}),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			heap, err := cdp.Call(ctx, t, runtime.GetHeapUsage, cdp.Empty{})
			if err != nil {
				return err
			}
			dom, err := cdp.Call(ctx, t, memory.GetDOMCounters, cdp.Empty{})
			if err != nil {
				return err
			}
			w = weight{heap.UsedSize, int64(dom.Nodes), int64(dom.JsEventListeners)}
			return nil
		}))
	return w
}

// TestMemory: a page that is left open under a rollout to 2,000 hosts holds no more after
// STARLING_MEMORY (a duration) than soon after its beginning.
func TestMemory(t *testing.T) {
	v := os.Getenv("STARLING_MEMORY")
	if v == "" {
		t.Skip("STARLING_MEMORY is not set")
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		t.Fatal(err)
	}
	s := newBareSite(t)
	for _, r := range newLargeRollouts() {
		s.give(t, r)
	}
	s.at(t, 20)
	s.run(t, 20)
	tb := newTab(t, desktop)
	tb.open(s.path(s.rollouts[0]))
	tb.until(`document.getElementById("hosts").getAttribute("aria-rowcount") === "2001"`)
	time.Sleep(10 * time.Second)
	first := tb.weight()
	last := first
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(time.Minute, d))
		last = tb.weight()
		t.Logf("at %s: %.1f MB, %d nodes, %d listeners", tb.text("mean"), last.Heap/1e6, last.Nodes, last.Listeners)
	}
	t.Logf("first %.1f MB, %d nodes, %d listeners", first.Heap/1e6, first.Nodes, first.Listeners)
	if last.Heap > 1.2*first.Heap+1e6 || last.Nodes > first.Nodes+500 || last.Listeners > first.Listeners+20 {
		t.Errorf("the page grows: from %+v to %+v", first, last)
	}
	tb.quiet()
}
