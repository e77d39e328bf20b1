package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// point moves the pointer onto the ring, to the right of its middle.
const point = `{ const b = document.getElementById("ring").getBoundingClientRect();
	document.getElementById("ring").dispatchEvent(new PointerEvent("pointermove", { clientX: b.left + 0.9 * b.width, clientY: b.top + b.height / 2, bubbles: true })); }`

// TestChosenBar: what is said of the bar that a person points at, and what is drawn of it,
// goes on with the numbers.
func TestChosenBar(t *testing.T) {
	s := newSite(t)
	s.at(t, 50)
	tb := newTab(t, desktop)
	tb.open(s.path(s.rollouts[0]))
	tb.until(settled)
	tb.do(chromedp.Evaluate[chromedp.Void](point))
	before := tb.text("ring-note")
	who, _, ok := strings.Cut(before, ":")
	if !ok || !strings.HasPrefix(who, "gpu-r") || !strings.Contains(before, "gets") {
		t.Fatalf("of a bar that is pointed at the page says %q", before)
	}
	s.at(t, 70)
	tb.until(fmt.Sprintf(`(() => { const n = document.getElementById("ring-note").innerText; return n !== %q && n.startsWith(%q); })()`, before, who+":"))
	tb.until(drawn(1))
	tb.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#late li").dispatchEvent(new PointerEvent("pointerover", { bubbles: true }))`))
	if late, note := eval[string](tb, `document.querySelector("#late li .who").innerText`), tb.text("ring-note"); !strings.HasPrefix(note, late+":") {
		t.Errorf("pointing at %s in the list of the slowest shows %q", late, note)
	}
	tb.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("ring").dispatchEvent(new PointerEvent("pointerleave"))`))
	if got := tb.text("ring-note"); !strings.HasPrefix(got, "Each bar is a host, as long as what it has; a rim marks the slowest.") {
		t.Errorf("when nothing is pointed at the page says %q", got)
	}
	tb.quiet()
}

// TestRingIsBounded: with more groups than there is room for bars, hosts share bars.
func TestRingIsBounded(t *testing.T) {
	for _, c := range []struct {
		hosts, racks int
		legend       string
	}{{300, 300, "Each bar is up to 3 hosts"}, {300, 40, "Each bar is up to 4 hosts"}, {125, 50, "Each bar is up to 2 hosts"}} {
		s := newBareSite(t)
		r := s.add(t, "many", c.hosts, c.racks, 1<<40, 100)
		s.at(t, 50)
		tb := newTab(t, desktop)
		tb.open(s.path(r))
		tb.until(settled)
		tb.until(fmt.Sprintf(`document.getElementById("hosts").getAttribute("aria-rowcount") === "%d"`, c.hosts+1))
		if got := tb.text("ring-note"); !strings.HasPrefix(got, c.legend) {
			t.Errorf("%d hosts in %d racks: %q", c.hosts, c.racks, got)
		}
		tb.quiet()
		tb.close()
	}
}

// TestNarrow: on a phone nothing is wider than the page, whatever hosts are called.
func TestNarrow(t *testing.T) {
	s, r := newOdd(t)
	for _, width := range []int64{390, 320} {
		tb := newTab(t, look{width: width, height: 844, phone: true})
		for _, url := range []string{s.url, s.path(r), s.path(r) + "?by=host", s.path(r) + "x"} {
			tb.open(url)
			if strings.HasPrefix(url, s.path(r)) && !strings.HasSuffix(url, "x") {
				tb.until(settled)
				tb.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("flows-details").open = true`))
			}
			wide := eval[[]string](tb, fmt.Sprintf(`[...document.querySelectorAll("body *")].filter((e) => !e.closest(".skip, .unseen, .scroll") && e.getBoundingClientRect().right > %d + 1).map((e) => e.tagName + " " + (e.id || e.className || e.innerText)).slice(0, 5)`, width))
			if n := eval[int](tb, `document.scrollingElement.scrollWidth`); n > int(width) || len(wide) > 0 {
				t.Errorf("%s is %d wide on a screen of %d: %q", url, n, width, wide)
			}
		}
	}
}
