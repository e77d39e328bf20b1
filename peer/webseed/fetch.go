package webseed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxRedirects = 5
	maxHead      = 64 << 10 // bytes of a response's head
)

// useless is why a URL is dropped: to try again would change nothing.
type useless struct{ why string }

func (e *useless) Error() string { return e.why }

func uselessf(format string, args ...any) error {
	return &useless{fmt.Sprintf(format, args...)}
}

// busy is a server that asks us to come back later.
type busy struct {
	status int
	after  time.Duration // 0: it does not say
}

func (e *busy) Error() string { return fmt.Sprintf("the server says %s", statusText(e.status)) }

func statusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

func newClient(t *times) *http.Client {
	return &http.Client{
		CheckRedirect: checkRedirect,
		Transport: &http.Transport{
			Proxy:                  nil, // as for trackers: the environment has no say
			DialContext:            (&net.Dialer{Timeout: t.connect}).DialContext,
			TLSHandshakeTimeout:    t.connect,
			ResponseHeaderTimeout:  t.header,
			IdleConnTimeout:        t.idle,
			MaxIdleConnsPerHost:    maxLanes,
			MaxResponseHeaderBytes: maxHead,
			DisableCompression:     true, // offsets count bytes of the file
		},
	}
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return uselessf("more than %d redirects", maxRedirects)
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return uselessf("redirected to a %q URL", r.URL.Scheme)
	case via[0].URL.Scheme == "https" && r.URL.Scheme == "http":
		return uselessf("redirected from https to http")
	}
	return nil
}

// stream is the body of one response: bytes of a file from pos up to end.
type stream struct {
	file     int
	pos, end int64
	got      int64 // bytes read
	body     io.ReadCloser
	cancel   context.CancelFunc
	quiet    *time.Timer // ends the request if no byte comes
	wait     time.Duration
}

// open asks for the bytes [off, end) of a file. What comes may begin earlier and
// end later if the server knows no ranges: then it is the whole file.
func (s *seed) open(ctx context.Context, file int, off, end int64) (*stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	st, err := s.ask(ctx, file, off, end)
	if err != nil {
		cancel()
		return nil, err
	}
	st.cancel, st.wait = cancel, s.g.times.body
	st.quiet = time.AfterFunc(st.wait, cancel)
	st.quiet.Stop()
	return st, nil
}

func (s *seed) ask(ctx context.Context, file int, off, end int64) (*stream, error) {
	in := s.g.cfg.Info
	u := fileURL(s.url, in, file)
	h := (&http.Request{Method: http.MethodGet, URL: u, Header: make(http.Header), Host: u.Host}).WithContext(ctx)
	h.Header.Set("User-Agent", userAgent)
	whole := s.whole.Load()
	if !whole {
		h.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, end-1))
	}
	resp, err := s.g.client.Do(h)
	if err != nil {
		return nil, bare(err)
	}
	size := in.Files[file].Length
	st := &stream{file: file, pos: off, end: end, body: resp.Body}
	switch {
	case resp.StatusCode == http.StatusPartialContent && !whole:
		err = checkRange(resp.Header.Get("Content-Range"), off, end, size)
	case resp.StatusCode == http.StatusOK:
		st.pos, st.end = 0, size
		if n := resp.ContentLength; n >= 0 && n != size {
			err = uselessf("%s has %d bytes there, not %d", s.shown(file), n, size)
		} else if off > 0 || end < size {
			s.whole.Store(true) // it knows no ranges
		}
	default:
		err = s.refusal(resp, file)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return st, nil
}

// refusal says what a status that brings no content means.
func (s *seed) refusal(resp *http.Response, file int) error {
	code := resp.StatusCode
	switch {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return &busy{code, min(retryAfter(resp.Header.Get("Retry-After"), time.Now()), s.g.times.maxRetry)}
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout:
		return uselessf("the server says %s of %s", statusText(code), s.shown(file))
	}
	return fmt.Errorf("the server says %s", statusText(code))
}

// shown names a file for an error.
func (s *seed) shown(file int) string { return strconv.Quote(s.g.cfg.Info.FilePath(file)) }

// checkRange holds a Content-Range against what was asked for.
func checkRange(h string, off, end, size int64) error {
	unit, rest, _ := strings.Cut(h, " ")
	bounds, total, _ := strings.Cut(rest, "/")
	asked := fmt.Sprintf("%d-%d", off, end-1)
	switch n, err := strconv.ParseInt(total, 10, 64); {
	case unit != "bytes" || err != nil && total != "*":
		return uselessf("a partial answer with Content-Range %.80q", h)
	case err == nil && n != size:
		return uselessf("a file there has %d bytes, not %d", n, size)
	case bounds != asked:
		return uselessf("asked for bytes %s, it answered with %.40q", asked, bounds)
	}
	return nil
}

// retryAfter reads seconds or a date; 0 if it is neither.
func retryAfter(h string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(h, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(h); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// bare takes the URL off an error of net/http: it may hold a secret.
func bare(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// read fills p. It fails where no byte comes for too long.
func (st *stream) read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		st.quiet.Reset(st.wait)
		var m int
		m, err = st.body.Read(p[n:])
		if !st.quiet.Stop() && err != nil {
			err = fmt.Errorf("no byte came for %v", st.wait)
		}
		n += m
		st.pos += int64(m)
		st.got += int64(m)
	}
	if n == len(p) {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// close ends the stream. One that was read to its end leaves its connection to
// the next request.
func (st *stream) close() {
	if st.pos == st.end {
		st.quiet.Reset(st.wait)
		_, _ = st.body.Read(make([]byte, 1)) // the end, which it has not been told yet
		st.quiet.Stop()
	}
	st.body.Close()
	st.cancel()
}
