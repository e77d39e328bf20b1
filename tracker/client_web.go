package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Bounds of one HTTP request of a client.
const (
	maxRedirects  = 5
	clientTimeout = 10 * time.Second // for one tracker, redirects included
)

// web is a client's way to its trackers over HTTP.
type web struct {
	http      *http.Client
	userAgent string
}

// newWeb dials over a network, "tcp", "tcp4" or "tcp6".
func newWeb(cfg *ClientConfig, network string) *web {
	dialer := &net.Dialer{Timeout: clientTimeout}
	if a := cfg.LocalAddr; a.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: a.AsSlice(), Zone: a.Zone()}
	}
	return &web{
		userAgent: cfg.UserAgent,
		http: &http.Client{
			Timeout:       clientTimeout,
			CheckRedirect: checkRedirect,
			Transport: &http.Transport{
				Proxy: nil, // the environment has no say in where a swarm meets
				DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
					return dialer.DialContext(ctx, network, addr)
				},
				TLSHandshakeTimeout:    clientTimeout,
				MaxIdleConnsPerHost:    1,
				IdleConnTimeout:        2 * idleTimeout,
				MaxResponseHeaderBytes: maxHead,
			},
		},
	}
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return fmt.Errorf("redirected to a %q URL", r.URL.Scheme)
	case via[0].URL.Scheme == "https" && r.URL.Scheme == "http":
		return errors.New("redirected from https to http")
	}
	return nil
}

// get is a ClientConfig.Get. It reads no more of a body than shows that it is too
// long.
func (w *web) get(ctx context.Context, u *url.URL) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	h := (&http.Request{Method: http.MethodGet, URL: u, Header: make(http.Header), Host: u.Host}).WithContext(ctx)
	h.Header.Set("User-Agent", w.userAgent)
	resp, err := w.http.Do(h)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the URL in the text
		}
		return 0, nil, err
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1)); err != nil {
		return 0, nil, fmt.Errorf("reply: %w", err)
	}
	return resp.StatusCode, body, nil
}
