package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestShots takes the pictures of docs/web.md into the folder that STARLING_SHOTS
// names: pages that are open during a live rollout of three minutes, at its start, in
// its middle and at its end; the list; and the tables further down.
func TestShots(t *testing.T) {
	dir := os.Getenv("STARLING_SHOTS")
	if dir == "" {
		t.Skip("STARLING_SHOTS names no folder")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newBareSite(t)
	r := s.add(t, "llama-70b", 72, 6, 131<<30, 75)
	s.add(t, "imagenet-22k", 24, 3, 1200<<30, 400)
	s.add(t, "container-base", 40, 4, 3<<30, 30)
	s.add(t, "genome-index", 12, 2, 84<<30, 240)
	s.at(t, 1)
	stop := s.run(t, 1)
	tabs := map[string]*tab{}
	for _, dark := range []bool{false, true} {
		theme := map[bool]string{false: "light", true: "dark"}[dark]
		tabs["desktop-"+theme] = newTab(t, look{width: 1440, height: 900, dark: dark})
		tabs["phone-"+theme] = newTab(t, look{width: 390, height: 844, phone: true, dark: dark})
	}
	began := time.Now()
	for _, tb := range tabs {
		tb.open(s.path(r))
	}
	for _, m := range []struct {
		name  string
		after time.Duration
	}{{"start", 9 * time.Second}, {"middle", 52 * time.Second}} {
		time.Sleep(time.Until(began.Add(m.after)))
		for name, tb := range tabs {
			tb.shot(filepath.Join(dir, fmt.Sprintf("web-%s-%s.png", m.name, name)))
		}
	}
	list := newTab(t, desktop)
	list.open(s.url)
	list.until(`document.getElementById("live").dataset.state === "on"`)
	time.Sleep(2 * time.Second)
	list.shot(filepath.Join(dir, "web-list.png"))
	list.open(s.path(r))
	list.until(`document.getElementById("host-count").innerText === "72 hosts"`)
	list.do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".groups").scrollIntoView()`))
	time.Sleep(2 * time.Second)
	list.shot(filepath.Join(dir, "web-tables.png"))
	for name, tb := range tabs {
		for end := time.Now().Add(4 * time.Minute); !eval[bool](tb, `document.getElementById("ring").hasAttribute("data-done")`); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the rollout does not end")
			}
		}
		time.Sleep(3 * time.Second)
		tb.shot(filepath.Join(dir, fmt.Sprintf("web-done-%s.png", name)))
		tb.quiet()
	}
	t.Logf("done at second %.0f", stop())
}
