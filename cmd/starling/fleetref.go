package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/metainfo"
)

// openFleet finds out what REF names and which trackers may know of it. A REF is a name
// or an infohash too; of a torrent only the names and trackers matter.
func openFleet(ctx context.Context, ref, trackerURL string) (*fleetView, error) {
	v := &fleetView{http: &http.Client{
		Timeout:   fleetTimeout,
		Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
	}}
	var trackers []string
	switch {
	case ref == "":
	case isMagnet(ref):
		m, err := metainfo.ParseMagnet(ref)
		if err != nil {
			return nil, fail("magnet link", err)
		}
		v.hashes, v.title, trackers = hashesOf(m.InfoHash, m.V2), m.Name, m.Trackers
	case isRef(ref):
		t, err := loadRef(ctx, ref)
		if err != nil {
			return nil, err
		}
		v.hashes, v.title = hashesOf(t.InfoHash, t.InfoHashV2), t.Info.Name
		for _, tier := range t.Trackers() {
			trackers = append(trackers, tier...)
		}
	case isInfoHash(ref):
		v.hashes = []string{strings.ToLower(ref[:40])}
	default:
		v.name = ref
	}
	if trackerURL != "" {
		trackers = []string{trackerURL}
	}
	if v.named = len(trackers) > 0; !v.named {
		trackers = []string{config.LocalTracker}
	}
	for _, u := range trackers {
		if b := baseOf(u); b != "" && !slices.Contains(v.bases, b) {
			v.bases = append(v.bases, b)
		}
	}
	if len(v.bases) == 0 {
		return nil, &failure{code: exitUsage, err: errors.New("none of the torrent's trackers can be asked over HTTP"), hint: "name one with --tracker"}
	}
	return v, nil
}

// trackerFlag is what a command line needs to ask the same tracker.
func (v *fleetView) trackerFlag() string {
	if !v.named {
		return ""
	}
	return " --tracker " + shellWords(v.bases[0])
}

// hashesOf are the names that a torrent's swarms have, in hexadecimal.
func hashesOf(v1 metainfo.Hash, v2 metainfo.HashV2) (out []string) {
	if v1 != (metainfo.Hash{}) {
		out = append(out, v1.String())
	}
	if v2 != (metainfo.HashV2{}) {
		out = append(out, v2.Short().String())
	}
	return out
}

func isInfoHash(s string) bool {
	return (len(s) == 40 || len(s) == 64) && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'f')
	})
}

// baseOf is the URL of a tracker's HTTP interface, without a slash at its end; a UDP
// tracker of ours has it at the same port.
func baseOf(announce string) string {
	u, err := url.Parse(announce)
	if err != nil || u.Host == "" {
		return ""
	}
	switch u.Scheme {
	case "udp":
		u.Scheme = "http"
	case "http", "https":
	default:
		return ""
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.EscapedPath(), "/"), "/announce")
	return u.Scheme + "://" + u.Host + path
}
