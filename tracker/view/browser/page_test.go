package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestLiveUpdates(t *testing.T) {
	s := newSite(t)
	s.at(t, 30)
	tb := newTab(t, desktop)
	tb.open(s.path(s.rollouts[0]))
	tb.until(`document.getElementById("live").dataset.state === "on"`)
	tb.until(`document.querySelectorAll("#hosts [aria-rowindex]").length > 5`)
	tb.until(`/^[0-9.]+ % - llama-70b$/.test(document.title)`)
	before := tb.text("mean")
	s.at(t, 60)
	tb.until(`document.getElementById("mean").innerText !== "` + before + `"`)
	tb.until(drawn(1))
	if tb.text("late") == "" {
		t.Error("no straggler is named, though some hosts are slow")
	}
	s.at(t, 1e6)
	tb.until(`document.getElementById("ring").hasAttribute("data-done")`)
	tb.until(`document.title === "Done - llama-70b"`)
	tb.until(`document.getElementById("late-none").innerText === "None: every host has all of it."`)
	tb.until(`document.getElementById("say").innerText === "All 72 hosts have all of llama-70b."`)
	tb.quiet()
}

func TestListIsLive(t *testing.T) {
	s := newSite(t)
	s.at(t, 10)
	tb := newTab(t, desktop)
	tb.open(s.url)
	tb.until(`document.getElementById("live").dataset.state === "on"`)
	row := `document.querySelector('[data-hash] , #swarms tbody tr').innerText`
	before := eval[string](tb, row)
	s.at(t, 20)
	tb.until(row + ` !== ` + "`" + before + "`")
	tb.until(`[...document.querySelectorAll("#swarms tbody th")].map((e) => e.innerText).join() === "container-base,imagenet-22k,llama-70b"`)
	tb.quiet()
}

// A tracker with nothing says how to begin.
func TestEmptyList(t *testing.T) {
	s := newBareSite(t)
	tb := newTab(t, desktop)
	tb.open(s.url)
	tb.until(`document.getElementById("live").dataset.state === "on"`)
	if got := tb.text("blank"); !strings.Contains(got, "starling share PATH") {
		t.Errorf("the empty list says %q", got)
	}
	tb.quiet()
}

func TestFilters(t *testing.T) {
	s := newSite(t)
	s.at(t, 70)
	tb := newTab(t, desktop)
	tb.open(s.path(s.rollouts[0]))
	tb.until(`document.getElementById("host-count").innerText === "72 hosts"`)
	tb.set("value", "r02")
	tb.until(`document.getElementById("host-count").innerText === "12 hosts of 72"`)
	tb.set("value", "")
	tb.set("find", "R03-0")
	tb.until(`document.getElementById("host-count").innerText === "9 hosts of 72"`)
	tb.set("find", "")
	tb.set("sort", "node")
	tb.until(`document.querySelector("#hosts [aria-rowindex='2'] .who").innerText === "gpu-r01-02"`)
	tb.set("by", "zone")
	tb.until(`[...document.querySelectorAll("#groups tbody th")].map((e) => e.innerText).join() === "a,b,no zone"`)
	tb.set("by", "host")
	tb.until(`document.querySelectorAll("#groups tbody tr").length === 72`)
	tb.quiet()
}

// All hosts can be reached in the table, though few rows exist.
func TestHostTableIsVirtual(t *testing.T) {
	s := newBareSite(t)
	r := s.add(t, "large", 1500, 10, 1<<40, 100)
	s.at(t, 50)
	tb := newTab(t, desktop)
	tb.open(s.path(r))
	tb.until(`document.getElementById("hosts").getAttribute("aria-rowcount") === "1501"`)
	if n := eval[int](tb, `document.querySelectorAll("#hosts tbody tr").length`); n > 60 {
		t.Errorf("%d rows exist", n)
	}
	tb.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("host-box").scrollTo(0, 1e9)`))
	tb.until(`document.querySelector("#hosts [aria-rowindex='1501']") !== null`)
	tb.until(`(() => { const r = document.querySelector("#hosts [aria-rowindex='1501']").getBoundingClientRect(), b = document.getElementById("host-box").getBoundingClientRect(); return r.bottom <= b.bottom + 2 && r.top > b.top; })()`)
	tb.quiet()
}

func TestThemeIsKept(t *testing.T) {
	s := newSite(t)
	s.at(t, 10)
	tb := newTab(t, look{width: 1440, height: 900, dark: true})
	paper := `getComputedStyle(document.documentElement).backgroundColor`
	tb.open(s.url)
	dark := eval[string](tb, paper)
	tb.do(chromedp.Click("#theme"))
	tb.until(paper + ` !== "` + dark + `"`)
	tb.open(s.path(s.rollouts[0]))
	if got := eval[string](tb, paper); got == dark {
		t.Error("the chosen theme is forgotten on the next page")
	}
	if got := tb.text("theme"); got != "Dark theme" {
		t.Errorf("the switch says %q", got)
	}
	tb.quiet()
}

// Everything that can be operated is reached with the tab key, in the page's order,
// and the focus can be seen.
func TestKeyboard(t *testing.T) {
	s := newSite(t)
	s.at(t, 70)
	tb := newTab(t, desktop)
	tb.open(s.path(s.rollouts[0]))
	tb.until(settled)
	var order []string
	for range 11 {
		tb.do(chromedp.KeyEvent(kb.Tab))
		order = append(order, eval[string](tb, `(() => { const e = document.activeElement; const o = getComputedStyle(e); return (e.id || e.className || e.tagName) + (o.outlineStyle === "none" ? " unseen" : ""); })()`))
	}
	want := "skip mark theme by groups-box sort label value find host-box SUMMARY"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("the focus goes\n%s\nwant\n%s", got, want)
	}
	tb.quiet()
}

// drawn is whether there is anything on one of the ring's canvases: 0 is what stands,
// 1 what moves.
func drawn(canvas int) string {
	return fmt.Sprintf(`(() => { const g = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
		g.drawImage(document.querySelectorAll("#ring canvas")[%d], 0, 0, 300, 150);
		return g.getImageData(0, 0, 300, 150).data.some((v) => v > 0); })()`, canvas)
}

// Who wants no motion gets none; the numbers arrive all the same.
func TestNoMotion(t *testing.T) {
	s := newSite(t)
	s.at(t, 50)
	tb := newTab(t, look{width: 1440, height: 900, still: true})
	tb.open(s.path(s.rollouts[0]))
	tb.until(`document.getElementById("host-count").innerText === "72 hosts"`)
	tb.until(`document.querySelectorAll("#ring canvas").length === 2`)
	tb.until(drawn(0))
	if eval[bool](tb, drawn(1)) {
		t.Error("something moves")
	}
	if n := eval[int](tb, `document.getAnimations().length`); n != 0 {
		t.Errorf("%d animations run", n)
	}
	tb.quiet()
}

// TestChosenBeforeHosts: what the address chooses holds for hosts that come later.
func TestChosenBeforeHosts(t *testing.T) {
	s := newSite(t)
	tb := newTab(t, desktop)
	tb.open(s.path(s.rollouts[0]) + "?by=zone&label=zone&value=b&sort=node")
	tb.until(`document.getElementById("live").dataset.state === "on" && document.getElementById("done").innerText === "0 of 0"`)
	s.at(t, 50)
	tb.until(`document.getElementById("host-count").innerText === "36 hosts of 72" && document.getElementById("by-name").innerText === "zone"`)
	if got := tb.text("hosts"); strings.Contains(got, "zone a") || strings.Index(got, "gpu-r02-01") > strings.Index(got, "gpu-r02-02") {
		t.Errorf("the hosts of zone b by name:\n%s", got)
	}
	if got := eval[string](tb, `["by", "label", "value", "sort"].map((id) => document.getElementById(id).value).join()`); got != "zone,zone,b,node" {
		t.Errorf("the controls say %s", got)
	}
	tb.quiet()
}
