package webseed_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"starling/peer"
)

// TestBadServers has each of them beside one that is good: the torrent completes,
// and what cannot become better is dropped, in one line that says why.
func TestBadServers(t *testing.T) {
	t.Parallel()
	status := func(code int) func(int, http.ResponseWriter, *http.Request) bool {
		return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		}
	}
	for _, c := range []struct {
		name string
		say  func(n int, w http.ResponseWriter, r *http.Request) bool
		log  string
	}{
		{"not found", status(404), `web seed dropped.*404 Not Found of \\"file.bin\\"`},
		{"no such range", status(416), "web seed dropped.*416 "},
		{"forbidden", status(403), "web seed dropped.*403 "},
		{"broken", status(500), "web seed failed.*500 Internal"},
		{"another file", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(make([]byte, 5000)))
			return true
		}, "web seed dropped.*5000 bytes, not 2097152"},
		{"another range", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Range", "bytes 5-9/2097152")
			w.WriteHeader(http.StatusPartialContent)
			return true
		}, `web seed dropped.*asked for bytes 0-0, it answered with \\"5-9\\"`},
		{"a circle", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return true
		}, "web seed dropped.*more than 5 redirects"},
		{"another scheme", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			return true
		}, `web seed dropped.*redirected to a \\"file\\" URL`},
		{"hangs up", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			panic(http.ErrAbortHandler)
		}, "web seed failed.*EOF"},
		{"cuts short", func(_ int, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", "2097152")
			io.WriteString(w, "short")
			return true
		}, "web seed failed.*(unexpected EOF|reset)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			content := single(t, 2*mib, 64*kib)
			bad, good := serve(t, content, c.say), serve(t, content, nil)
			good.rate = 4 * mib
			l := leech(t, content, 1, []string{bad.URL + "/file.bin", good.URL + "/file.bin"})
			l.said(c.log)
			l.complete()
			if dropped := strings.Count(l.log.String(), "web seed dropped"); dropped > 1 {
				t.Errorf("%d lines say that it was dropped", dropped)
			}
		})
	}
}

// TestWrongBytes: who sends what fails its hash is banned, dropped, and said so once.
func TestWrongBytes(t *testing.T) {
	t.Parallel()
	c := single(t, 4*mib, 64*kib)
	wrong := single(t, 4*mib, 64*kib)
	wrong.files = map[string][]byte{"/file.bin": bytes.Clone(c.all)}
	for i := range c.all {
		if i%(512*kib) < 300*kib {
			wrong.files["/file.bin"][i]++
		}
	}
	liar, good := serve(t, wrong, nil), serve(t, c, nil)
	good.rate = 4 * mib
	l := leech(t, c, 1, []string{liar.URL + "/file.bin", good.URL + "/file.bin"})
	l.complete()
	l.said("web seed dropped.*url=" + liar.URL + "/file.bin.*it sent corrupt pieces")
	if n := strings.Count(l.log.String(), "web seed dropped"); n != 1 {
		t.Errorf("%d URLs were dropped, want 1", n)
	}
	if st := l.Stats(); st.CorruptPieces < 2 {
		t.Errorf("%d pieces were corrupt", st.CorruptPieces)
	}
	l.heard(peer.Banned, liar.URL)
}

// TestNoRanges: a server that knows no ranges is read from the beginning to the end.
func TestNoRanges(t *testing.T) {
	t.Parallel()
	c := single(t, 8*mib+5, 64*kib)
	s := serve(t, c, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(c.all)))
		_, _ = w.Write(c.all) // it hangs up after the first byte, too
		return true
	})
	l := leech(t, c, 1, []string{s.URL + "/file.bin"})
	l.complete()
	if n, _ := s.count(); n > 2 {
		t.Errorf("%d requests, one to try and one to read would do", n)
	}
}

// TestBusy: a server that is busy is asked again when it said, and not before.
func TestBusy(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		c := single(t, mib, 64*kib)
		var refused, again atomic.Int64
		s := serve(t, c, func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n == 0 {
				refused.Store(time.Now().UnixNano())
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(code)
				return true
			}
			again.CompareAndSwap(0, time.Now().UnixNano())
			return false
		})
		l := leech(t, c, 1, []string{s.URL + "/file.bin"})
		l.complete()
		if wait := time.Duration(again.Load() - refused.Load()); wait < time.Second {
			t.Errorf("%d: asked again after %v", code, wait)
		}
		l.said(fmt.Sprintf("web seed failed.*says %d .*retry_in=1s", code))
	}
}

// TestOneConnection: a server that bears one connection gets no more in the end.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	c := single(t, 4*mib, 64*kib)
	var open, refused atomic.Int32
	s := serve(t, c, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		defer open.Add(-1)
		if open.Add(1) > 1 {
			refused.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(c.all))
		return true
	})
	s.rate = 8 * mib
	l := leech(t, c, 1, []string{s.URL + "/file.bin"})
	l.complete()
	t.Logf("%d requests were refused", refused.Load())
}

// TestBreaksOff: a response that ends early is taken up where it ended.
func TestBreaksOff(t *testing.T) {
	t.Parallel()
	c := single(t, 8*mib, 256*kib)
	s := serve(t, c, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		http.ServeContent(&cutter{w, 100 * kib}, r, "", time.Time{}, bytes.NewReader(c.all))
		return true
	})
	l := leech(t, c, 1, []string{s.URL + "/file.bin"})
	l.complete()
	if strings.Contains(l.log.String(), "failed") {
		t.Error("it was taken for a failure")
	}
}

// cutter breaks a response off after left bytes.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// TestRedirect: the content may be elsewhere.
func TestRedirect(t *testing.T) {
	t.Parallel()
	c := single(t, 2*mib, 64*kib)
	good := serve(t, c, nil)
	s := serve(t, c, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, good.URL+"/file.bin", http.StatusTemporaryRedirect)
		return true
	})
	l := leech(t, c, 1, []string{s.URL + "/somewhere"})
	l.complete()
	if l.Stats().FromWebSeeds != 2*mib {
		t.Errorf("%d bytes from web seeds", l.Stats().FromWebSeeds)
	}
}

// TestStandstill: a server whose bodies stop is left for one that goes on.
func TestStandstill(t *testing.T) {
	t.Parallel()
	c := single(t, 4*mib, 64*kib)
	stuck := serve(t, c, func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 0 {
			return false // it is there
		}
		w.Header().Set("Content-Length", "1")
		if rg := r.Header.Get("Range"); rg != "" {
			var from, to int64
			fmt.Sscanf(rg, "bytes=%d-%d", &from, &to)
			w.Header().Set("Content-Length", strconv.FormatInt(to-from+1, 10))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(c.all)))
			w.WriteHeader(http.StatusPartialContent)
		}
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	})
	good := serve(t, c, nil)
	good.rate = 2 * mib
	l := leech(t, c, 1, []string{stuck.URL + "/file.bin", good.URL + "/file.bin"})
	l.complete()
	l.said("web seed failed.*url=" + stuck.URL + ".*no byte came for 1s")
}

// TestSlow: a slow server beside a faster one holds nothing up.
func TestSlow(t *testing.T) {
	t.Parallel()
	c := single(t, 4*mib, 64*kib)
	slow, good := serve(t, c, nil), serve(t, c, nil)
	slow.rate, good.rate = 64*kib, 4*mib
	begun := time.Now()
	l := leech(t, c, 1, []string{slow.URL + "/file.bin", good.URL + "/file.bin"})
	l.complete()
	// The slow one alone would take more than a minute.
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
