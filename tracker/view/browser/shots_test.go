package browser

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"starling/tracker/fleet"
)

// TestShots takes the pictures of docs/web.md into the folder that STARLING_SHOTS names:
// of a rollout by real processes to 36 hosts, from pages that are open since before its
// beginning, when it has begun, in its middle, when only the slow ones lack some, and at
// its end; of the tables further down; and of the list.
func TestShots(t *testing.T) {
	dir := os.Getenv("STARLING_SHOTS")
	if dir == "" {
		t.Skip("STARLING_SHOTS names no folder")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := newFlock(t)
	f.seed("base-image", 12<<20, "--node-name", "store-1")
	for i := range 8 {
		f.leech("base-image", "--node-name", fmt.Sprintf("web-%02d", i+1), "--node-label", "zone="+string(rune('a'+i%2)))
	}
	f.seed("evaluation-set", 200<<20, "--node-name", "store-2", "--up-limit", "1MiB/s")
	for i := range 4 {
		f.leech("evaluation-set", "--node-name", fmt.Sprintf("eval-%02d", i+1), "--up-limit", "1MiB/s")
	}
	f.seed(liveName, liveSize, "--node-name", "store-1", "--up-limit", "6MiB/s")
	f.wait("the seed", func(s fleet.SwarmInfo) bool { return s.Hosts == 1 })
	page := f.url + "/swarms/" + f.swarm(liveName).InfoHash
	tabs := map[string]*tab{}
	for _, theme := range []string{"light", "dark"} {
		tabs["desktop-"+theme] = newTab(t, look{width: 1440, height: 900, dark: theme == "dark"})
		tabs["phone-"+theme] = newTab(t, look{width: 390, height: 844, phone: true, dark: theme == "dark"})
	}
	all := slices.Sorted(maps.Keys(tabs))
	tables := newTab(t, desktop)
	for _, tb := range tabs {
		tb.open(page)
		tb.until(`document.getElementById("live").dataset.state === "on"`)
	}
	shoot := func(moment string, names ...string) {
		for _, name := range names {
			tabs[name].shot(filepath.Join(dir, fmt.Sprintf("web-%s-%s.png", moment, name)))
		}
		s := f.swarm(liveName)
		t.Logf("%s: %.0f %% arrived, %d of %d done", moment, 100*s.Mean, s.Done, s.Hosts)
	}
	began := time.Now()
	f.roll()
	f.wait("15 %", func(s fleet.SwarmInfo) bool { return s.Hosts == liveHosts+1 && s.Mean > 0.15 })
	shoot("start", all...)
	f.wait("60 %", func(s fleet.SwarmInfo) bool { return s.Mean > 0.6 })
	shoot("middle", all...)
	tables.open(page)
	tables.until(`document.getElementById("host-count").innerText === "37 hosts"`)
	tables.do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".groups").scrollIntoView()`))
	tables.shot(filepath.Join(dir, "web-tables.png"))
	tables.open(f.url)
	tables.until(`document.querySelectorAll("#swarms tbody tr").length === 3 && document.getElementById("live").dataset.state === "on"`)
	tables.shot(filepath.Join(dir, "web-list.png"))
	f.wait("all but the slow ones", func(s fleet.SwarmInfo) bool { return s.Done >= s.Hosts-len(liveLimits) })
	time.Sleep(4 * time.Second) // what moves is of the last seconds
	shoot("late", all...)
	f.wait("all", func(s fleet.SwarmInfo) bool { return s.Done == s.Hosts })
	t.Logf("the rollout took %.0f s", time.Since(began).Seconds())
	for _, tb := range tabs {
		tb.until(`document.getElementById("ring").hasAttribute("data-done")`)
	}
	time.Sleep(4 * time.Second) // the ring has closed
	shoot("done", "desktop-light")
	for _, tb := range tabs {
		tb.quiet()
	}
}
