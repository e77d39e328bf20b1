package webseed

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"starling/metainfo"
)

// parseURL reads the URL of a web seed: http or https, with a host.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("not a URL") // the error of net/url repeats it, password and all
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("its scheme is neither http nor https")
	case u.Host == "":
		return nil, fmt.Errorf("it names no host")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// nameOf is what a URL is called in logs and in the engine's books: without the
// user, and without the query, for either may be a secret. It is not one of the
// names in use.
func nameOf(u *url.URL, used []string) string {
	base := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
	name := base
	for n := 2; slices.Contains(used, name); n++ {
		name = fmt.Sprintf("%s#%d", base, n)
	}
	return name
}

// fileURL is where file i of a torrent is to be had (BEP 19). The URL of a torrent
// of one file is that file, or the folder that it is in if it ends with a slash.
// That of several files is the folder in which the torrent's folder is.
func fileURL(base *url.URL, in *metainfo.Info, i int) *url.URL {
	u := *base
	path := base.EscapedPath()
	folder := strings.HasSuffix(path, "/")
	if !in.Multi && !folder && path != "" {
		return &u
	}
	var parts []string
	for _, c := range append([]string{in.Name}, in.Files[i].Path...) {
		parts = append(parts, url.PathEscape(c))
	}
	path = strings.TrimSuffix(path, "/") + "/" + strings.Join(parts, "/")
	u.RawPath = path
	u.Path, _ = url.PathUnescape(path) // it was escaped just now
	return &u
}
