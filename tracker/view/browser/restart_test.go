package browser

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// before runs a script in each page that is opened from now on, before its own.
func (tb *tab) before(js string) {
	tb.t.Helper()
	tb.do(call(page.Enable, page.EnableParams{}), call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: js}))
}

// same waits until a page says what one says that is opened now.
func (tb *tab) same(url string) {
	tb.t.Helper()
	fresh := newTab(tb.t, desktop)
	defer fresh.close()
	fresh.open(url)
	fresh.until(settled)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		want, got := fresh.said(), tb.said()
		if slices.Equal(want, got) {
			return
		}
		if time.Now().After(end) {
			tb.t.Fatalf("the page that was open says\n%s\none that is new\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestTrackerRestarts: a page says that the tracker is gone, that one which has come back
// knows nothing yet, and then has the numbers of a page that is opened anew, with what
// was chosen.
func TestTrackerRestarts(t *testing.T) {
	s := newSite(t)
	r := s.rollouts[0]
	s.at(t, 50)
	tb := newTab(t, desktop)
	tb.open(s.path(r))
	tb.until(settled)
	tb.set("by", "zone")
	tb.set("label", "zone")
	tb.set("value", "b")
	chosen := s.path(r) + "?by=zone&label=zone&sort=done&value=b"
	tb.same(chosen)

	s.halt(t)
	tb.until(`document.getElementById("live").dataset.state === "lost"`)
	if got := tb.text("live-text"); !strings.HasPrefix(got, "No connection; numbers of ") {
		t.Errorf("the page says %q", got)
	}
	if got := tb.text("say"); !strings.HasPrefix(got, "The connection to the tracker is lost.") {
		t.Errorf("a screen reader hears %q", got)
	}
	s.serve(t)
	tb.until(`document.getElementById("live").dataset.state === "on" && document.getElementById("done").innerText === "0 of 0"`)
	if got := tb.text("late-none"); got != "Nobody is in this swarm now." {
		t.Errorf("of a swarm that nobody has come back to it says %q", got)
	}
	if got := tb.text("say"); got != "The connection is back." {
		t.Errorf("a screen reader hears %q", got)
	}
	s.tell(t, r.reports(60)[:40])
	tb.same(chosen)
	s.at(t, 60)
	tb.same(chosen)

	// One that does not serve the torrent knows of no swarm until a host announces.
	s.halt(t)
	s.rollouts = nil
	s.serve(t)
	tb.until(`document.getElementById("live").dataset.state === "lost" && document.getElementById("live-text").innerText.startsWith("The tracker does not know this swarm now; numbers of ")`)
	s.tell(t, r.reports(70))
	tb.until(`document.getElementById("live").dataset.state === "on"`)
	tb.same(chosen)
}

// TestDoneStaysDone: a tracker that restarts after the end does not move the time of the
// end, nor is it told again.
func TestDoneStaysDone(t *testing.T) {
	s := newSite(t)
	r := s.rollouts[0]
	s.at(t, 80)
	tb := newTab(t, desktop)
	tb.before(`Date.prototype.toLocaleTimeString = function () { return "at " + (window.hour || "noon"); };`)
	tb.open(s.path(r))
	tb.until(settled)
	s.at(t, 1e6)
	tb.until(`document.getElementById("left").innerText === "at noon" && document.getElementById("left-name").innerText === "Last one done"`)
	tb.do(chromedp.Evaluate[chromedp.Void](`window.hour = "night"`))
	s.halt(t)
	s.serve(t)
	tb.until(`document.getElementById("done").innerText === "0 of 0"`)
	s.tell(t, r.reports(1e6)[:30])
	tb.until(`document.getElementById("done").innerText === "30 of 30"`)
	s.at(t, 1e6)
	tb.until(`document.getElementById("done").innerText === "72 of 72"`)
	if got := tb.text("left-name") + " " + tb.text("left"); got != "Until the last done" {
		t.Errorf("the page says %q of an end that it did not see", got)
	}
	if got := tb.text("say"); got != "The connection is back." {
		t.Errorf("a screen reader hears %q", got)
	}
}

// pipe forwards connections to a tracker until it is frozen: then they stay open and
// nothing comes through them.
func pipe(t *testing.T, to string) (addr string, frozen *atomic.Bool) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	frozen = new(atomic.Bool)
	forward := func(from, to net.Conn) {
		defer to.Close()
		b := make([]byte, 32<<10)
		for {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			if frozen.Load() {
				continue
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			go forward(in, out)
			go forward(out, in)
		}
	}()
	return ln.Addr().String(), frozen
}

// TestSilentConnection: a connection that is dead and does not say so is noticed, and one
// without news is not taken for a dead one.
func TestSilentConnection(t *testing.T) {
	s := newSite(t)
	s.at(t, 50)
	s.run(t, 50)
	addr, frozen := pipe(t, s.addr)
	tb := newTab(t, desktop)
	tb.before(`{ const real = setTimeout; window.setTimeout = (f, ms, ...a) => real(f, ms === 40000 ? 4000 : ms, ...a); }`)
	tb.open(strings.Replace(s.path(s.rollouts[0]), s.addr, addr, 1))
	tb.until(settled)
	time.Sleep(6 * time.Second)
	if got := tb.text("live-text"); got != "live" {
		t.Fatalf("of a connection that lives the page says %q", got)
	}
	frozen.Store(true)
	tb.until(`document.getElementById("live-text").innerText.startsWith("No connection; numbers of ")`)
	frozen.Store(false)
	tb.until(`document.getElementById("live-text").innerText === "live"`)
}

// TestAlive: a stream without news tells the page that it is one.
func TestAlive(t *testing.T) {
	s := newBareSite(t)
	tb := newTab(t, desktop)
	tb.open(s.url)
	tb.until(`document.getElementById("live").dataset.state === "on"`)
	if got := eval[string](tb, `new Promise((done) => new EventSource("/api/v1/events").addEventListener("alive", (e) => done(e.data)))`); got != `{"v":1}` {
		t.Errorf("it says %s", got)
	}
}

// TestUnseen: a page that nobody looks at has no stream, but says in its title how far
// the rollout is; looked at again it has all numbers.
func TestUnseen(t *testing.T) {
	s := newSite(t)
	r := s.rollouts[0]
	s.at(t, 30)
	tb := newTab(t, desktop)
	tb.before(`{ const real = setInterval; window.setInterval = (f, ms, ...a) => real(f, ms === 30000 ? 200 : ms, ...a); }
		Object.defineProperty(document, "hidden", { get: () => window.away === true });`)
	tb.open(s.path(r))
	tb.until(settled)
	look := func(away string) {
		tb.do(chromedp.Evaluate[chromedp.Void](`window.away = ` + away + `; document.dispatchEvent(new Event("visibilitychange"))`))
	}
	look("true")
	before := tb.text("mean")
	s.at(t, 60)
	tb.until(`!document.title.startsWith("` + before + `")`)
	if got := tb.text("mean"); got != before {
		t.Errorf("the page that nobody sees went from %s to %s", before, got)
	}
	s.at(t, 1e6)
	tb.until(`document.title === "Done - llama-70b"`)
	look("false")
	tb.until(`document.getElementById("mean").innerText === "100 %" && document.getElementById("left-name").innerText === "Last one done"`)
	tb.quiet()
}

// TestRefused: a page for which the tracker has no stream left says so, has the numbers
// that it came with, and goes on when there is one.
func TestRefused(t *testing.T) {
	s := newSite(t)
	s.at(t, 50)
	var streams []net.Conn
	for range 64 {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /api/v1/events HTTP/1.1\r\nHost: t\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 16)); err != nil { // the answer has begun
			t.Fatal(err)
		}
		streams = append(streams, c)
	}
	tb := newTab(t, desktop)
	tb.open(s.path(s.rollouts[0]))
	tb.until(`document.getElementById("live-text").innerText === "Refused by the tracker"`)
	if got := tb.text("done"); got != "1 of 72" {
		t.Errorf("the page says that %s are done", got)
	}
	if !eval[bool](tb, `document.getElementById("ring-still") !== null && !document.getElementById("host-pager").hidden && !document.getElementById("host-go").hidden`) {
		t.Error("without a stream the ring, or the way to the other hosts, is not there")
	}
	for _, c := range streams {
		c.Close()
	}
	tb.until(settled)
	if !eval[bool](tb, `document.getElementById("ring-still") === null && document.getElementById("host-pager").hidden`) {
		t.Error("with a stream it still has the still ring, or pages")
	}
}
