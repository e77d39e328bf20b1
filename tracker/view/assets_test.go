package view

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"starling/tracker/fleet"
)

// inline finds what the page's policy would refuse, and what comes from elsewhere.
var inline = regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|javascript:|<script(\s+type="module")?>|https?://|=\s*"//`)

func TestPolicy(t *testing.T) {
	src := newMade(t, 1, 3, none)
	for _, path := range []string{"/", "/swarms/" + "a0" + strings.Repeat("0", 38), "/nothing"} {
		resp, body := page(t, src, path)
		h := resp.Header
		if h.Get("Content-Security-Policy") != policy || strings.Contains(policy, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: headers %v", path, h)
		}
		if m := inline.FindString(body); m != "" {
			t.Errorf("%s has %q", path, m)
		}
	}
}

// What the pages name is there, and the assets need nothing from outside.
func TestAssets(t *testing.T) {
	v := New(newMade(t, 1, 3, none)).(*view)
	link := regexp.MustCompile(`"(?:/assets/|\./)([^"]+)"`)
	named := map[string]bool{}
	for _, path := range []string{"/", "/swarms/" + "a0" + strings.Repeat("0", 38)} {
		_, body := page(t, v.src, path)
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			named[m[1]] = true
		}
	}
	for name, a := range v.assets {
		if a.kind == "" || len(a.body) == 0 || len(a.body) > 32<<10 {
			t.Errorf("%s: type %q, %d bytes", name, a.kind, len(a.body))
		}
		text := strings.ReplaceAll(string(a.body), "http://www.w3.org/2000/svg", "")
		if strings.Contains(text, "://") || strings.Contains(text, "innerHTML") || strings.Contains(text, "eval(") {
			t.Errorf("%s reaches outside, or makes code or markup of text", name)
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			named[m[1]] = true
		}
	}
	for name := range named {
		if _, ok := v.assets[name]; !ok {
			t.Errorf("%s is named and not there", name)
		}
		delete(v.assets, name)
	}
	for name := range v.assets {
		t.Errorf("%s is not used", name)
	}
}

func TestAssetIsKept(t *testing.T) {
	v := New(newMade(t, 0, 0, none))
	w := httptest.NewRecorder()
	v.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/assets/page.css", nil))
	tag := w.Header().Get("ETag")
	if w.Code != http.StatusOK || tag == "" || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Fatalf("status %d, ETag %q", w.Code, tag)
	}
	for sent, want := range map[string]int{tag: http.StatusNotModified, "W/" + tag: http.StatusNotModified, `"other"`: http.StatusOK} {
		again := httptest.NewRequest(http.MethodGet, "/assets/page.css", nil)
		again.Header.Set("If-None-Match", sent)
		w = httptest.NewRecorder()
		if v.ServeHTTP(w, again); w.Code != want || (w.Body.Len() == 0) != (want == http.StatusNotModified) {
			t.Errorf("%s: status %d, %d bytes", sent, w.Code, w.Body.Len())
		}
	}
}

// The words that a person reads. A test in browser/ has the same table for the scripts.
func TestWords(t *testing.T) {
	secs := func(n int64) *int64 { return &n }
	for _, c := range []struct{ got, want string }{
		{bytesText(-1), "0 B"}, {bytesText(999), "999 B"}, {bytesText(1000), "1.0 KiB"}, {bytesText(131 << 30), "131 GiB"},
		{bytesText(1.5 * (1 << 20)), "1.5 MiB"}, {bytesText(99.96 * (1 << 20)), "100 MiB"}, {bytesText(1 << 62), "4096 PiB"}, {rateText(512), "512 B/s"},
		{percent(0), "0 %"}, {percent(-1), "0 %"}, {percent(0.99999), "99.9 %"}, {percent(1), "100 %"}, {percent(0.314), "31.4 %"},
		{percent(0.57), "57.0 %"}, {percent(1 - 1e-12), "99.9 %"}, {bytesText(9 << 18), "2.2 MiB"}, {bytesText(15 << 18), "3.8 MiB"},
		{leftText(nil), ""}, {leftText(secs(0)), ""}, {leftText(secs(-5)), ""}, {leftText(secs(99)), "99 s"}, {leftText(secs(100)), "2 min"},
		{leftText(secs(5999)), "100 min"}, {leftText(secs(7500)), "2 h 05 min"}, {leftText(secs(400000)), "4 d"},
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(1234567), "1,234,567"}, {plural(1, "host"), "1 host"}, {plural(2000, "host"), "2,000 hosts"},
		{copiesText(3), "3"}, {copiesText(3.29), "3.2"}, {copiesText(1570.1), "1,570"},
		{reason("disk", "downloading"), "its disk is slow"}, {reason("", "stalled"), "gets nothing at the moment"}, {reason("none", "stalled"), "gets nothing at the moment"},
		{reason("peers", "stalled"), "stalled: its peers send no more"}, {reason("none", "downloading"), "nothing holds it back"},
		{lateText(fleet.Straggler{Slow: fleet.Slow{Why: "disk", LeftS: secs(9)}, SeenS: 89}), "its disk is slow, 9 s left"},
		{lateText(fleet.Straggler{Slow: fleet.Slow{Why: "disk", LeftS: secs(9)}, SeenS: 120}), "nothing was heard of it for 2 min"},
		{reason("new", ""), "does not say why"}, {reason("disk", "error"), "stopped by an error on the host"}, {reason("", "checking"), "checks what is on its disk"},
		{rarestText(nil), "Nobody has told which parts it has."}, {rarestText([]float64{0, 2}), "There is a part that no host has."},
		{rarestText([]float64{2, 2}), "Every part is on 2 hosts."}, {rarestText([]float64{2, 3.5}), "The rarest part is on 2 hosts, the commonest on 3.5."},
		{rarestText([]float64{1, 1}), "Every part is on 1 host."}, {rarestText([]float64{1, 3}), "The rarest part is on 1 host, the commonest on 3."},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// The page of a large swarm is made quickly, and is small.
func TestRolloutIsBounded(t *testing.T) {
	src := newMade(t, 1, 20000, none)
	began := time.Now()
	body := rollout(t, src, "?by=host")
	if len(body) > 256<<10 {
		t.Errorf("%d bytes", len(body))
	}
	t.Logf("%d bytes in %v", len(body), time.Since(began))
}
