package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"starling/metainfo"
)

const (
	fetchTimeout   = 60 * time.Second // for a whole torrent file of 64 MiB
	connectTimeout = 10 * time.Second
	maxRedirects   = 5
)

// loadRef reads the torrent that a file or an http(s) URL holds.
func loadRef(ctx context.Context, ref string) (*metainfo.Torrent, error) {
	raw, err := readRef(ctx, ref)
	if err != nil {
		return nil, err
	}
	t, err := metainfo.Parse(raw)
	if err != nil {
		return nil, fail("read "+ref, err)
	}
	return t, nil
}

func readRef(ctx context.Context, ref string) ([]byte, error) {
	if isURL(ref) {
		return fetchTorrent(ctx, ref)
	}
	f, err := os.Open(ref)
	if err != nil {
		return nil, fail("read "+ref, bare(err))
	}
	defer f.Close()
	raw, err := readBounded(f)
	if err != nil {
		return nil, fail("read "+ref, bare(err))
	}
	return raw, nil
}

// resolve reads the torrent that REF names: a file, an http(s) URL, or a magnet
// link. The torrent of a link is where the link says that its file is, or with the
// peers of its swarm; of those it returns the addresses.
func (a *app) resolve(ctx context.Context, ref string, how meeting) (*metainfo.Torrent, []string, error) {
	if !isMagnet(ref) {
		t, err := loadRef(ctx, ref)
		return t, nil, err
	}
	m, err := metainfo.ParseMagnet(ref)
	if err != nil {
		return nil, nil, fail("magnet link", err)
	}
	source := magnetSource(ref)
	if source == "" {
		return a.fetchMagnet(ctx, m, how)
	}
	t, err := loadRef(ctx, source)
	if err != nil {
		return nil, nil, err
	}
	if err := checkInfo(m, t.InfoBytes); err != nil {
		return nil, nil, fail("magnet link", fmt.Errorf("the torrent at %s is another: %w", source, err)).withCode(exitIntegrity)
	}
	return t, nil, nil
}

// magnetSource finds an exact (xs) or acceptable (as) source that is a URL.
func magnetSource(link string) string {
	_, query, _ := strings.Cut(link, "?")
	for _, pair := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if u, err := url.QueryUnescape(value); (key == "xs" || key == "as") && err == nil && isURL(u) {
			return u
		}
	}
	return ""
}

// webSeedsOf lists the web seeds of a torrent: those that were asked for, those of
// the magnet link, and its own.
func webSeedsOf(asked []string, ref string, t *metainfo.Torrent) []string {
	urls := slices.Clone(asked)
	if m, err := metainfo.ParseMagnet(ref); err == nil {
		urls = append(urls, m.WebSeeds...)
	}
	return append(urls, t.URLList...)
}

func isMagnet(ref string) bool {
	return len(ref) >= 7 && strings.EqualFold(ref[:7], "magnet:")
}

func isURL(ref string) bool {
	return strings.HasPrefix(ref, "http://") || strings.HasPrefix(ref, "https://")
}

// isRef says whether an argument that may also be content to hash is a REF.
func isRef(arg string) bool {
	return isMagnet(arg) || isURL(arg) || filepath.Ext(arg) == ".torrent"
}

// fetchTorrent gets a torrent file by HTTP. No proxy is used: the host that
// shares it is one of ours.
func fetchTorrent(ctx context.Context, ref string) ([]byte, error) {
	what := "fetch " + ref
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: connectTimeout,
		DisableKeepAlives:     true,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		return nil
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, ref, nil)
	if err != nil {
		return nil, fail(what, err).withCode(exitUsage)
	}
	req.Header.Set("User-Agent", "starling/"+build().Version)
	resp, err := client.Do(req)
	if err != nil {
		var link *url.Error // repeats the method and the URL, which what has
		if errors.As(err, &link) {
			err = link.Err
		}
		f := fail(what, err)
		if f.code == exitOther {
			f.code = exitUnreached
		}
		return nil, f
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, httpFailure(what, resp.StatusCode)
	}
	raw, err := readBounded(resp.Body)
	if err != nil {
		return nil, fail(what, err)
	}
	return raw, nil
}

func httpFailure(what string, status int) error {
	f := fail(what, fmt.Errorf("the server says %d %s", status, http.StatusText(status)))
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		f.code = exitNotFound
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		f.code = exitUntrusted
	default:
		f.code, f.retry = exitUnreached, status >= 500 || status == http.StatusTooManyRequests
	}
	return f
}

// readBounded reads a torrent file, and not more than one may have.
func readBounded(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, metainfo.MaxSize+1))
	if err == nil && len(raw) > metainfo.MaxSize {
		err = &metainfo.Error{What: "metainfo", Err: fmt.Errorf("more than %d MiB", metainfo.MaxSize>>20)}
	}
	return raw, err
}

// bare drops the "open PATH:" of a file error whose path is already said.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
