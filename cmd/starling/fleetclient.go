package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/metainfo"
	"starling/tracker/fleet"
)

const (
	// fleetTimeout is for one answer of a tracker, maxFleetAnswer for its bytes.
	fleetTimeout   = 10 * time.Second
	maxFleetAnswer = 16 << 20
)

// fleetView asks trackers for the fleet's view.
type fleetView struct {
	http  *http.Client
	bases []string // the first is the one that answered last
	// What is asked about: a swarm by one of its infohashes, or by its name at the
	// tracker. All empty: every swarm.
	hashes []string
	name   string
	title  string // what the torrent calls itself
}

var (
	errNoSwarm = errors.New("the tracker knows no such swarm")
	errNoView  = errors.New("it shows no fleet: it has --view off, or is no starling tracker")
)

// openFleet finds out what REF names and which trackers know of it. A REF is a name
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
	switch {
	case trackerURL != "":
		trackers = []string{trackerURL}
	case len(trackers) == 0:
		trackers = []string{config.LocalTracker}
	}
	for _, u := range trackers {
		if b := baseOf(u); b != "" && !slices.Contains(v.bases, b) {
			v.bases = append(v.bases, b)
		}
	}
	if len(v.bases) == 0 {
		return nil, &failure{code: exitUsage, what: "status", err: errors.New("none of the torrent's trackers can be asked over HTTP"), hint: "name one with --tracker"}
	}
	return v, nil
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
	if u.Scheme == "udp" {
		u.Scheme = "http"
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.EscapedPath(), "/"), "/announce")
	return u.Scheme + "://" + u.Host + path
}

// ask fetches a path of one tracker after the other until one answers.
func (v *fleetView) ask(ctx context.Context, path string, into any) error {
	var failed error
	for i, base := range v.bases {
		err := v.askOne(ctx, base+"/api/v1/"+path, into)
		if err == nil || errors.Is(err, errNoSwarm) {
			v.bases = append([]string{base}, slices.Delete(slices.Clone(v.bases), i, i+1)...)
			return err
		}
		failed = errors.Join(failed, fmt.Errorf("tracker %s: %w", base, err))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	f := fail("status", fmt.Errorf("%s", oneLine(failed))).withCode(exitUnreached).retryable()
	if errors.Is(failed, errNoView) {
		f.retry = false
	}
	return f
}

func (v *fleetView) askOne(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "starling/"+build().Version)
	resp, err := v.http.Do(req)
	if err != nil {
		var link *url.Error
		if errors.As(err, &link) {
			err = link.Err
		}
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFleetAnswer))
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusNotFound && string(body) == "no such swarm\n":
		return errNoSwarm
	case resp.StatusCode == http.StatusNotFound:
		return errNoView
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("it says %s", resp.Status)
	case kind != "application/json":
		return errNoView
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("its answer: %w", err)
	}
	return nil
}

// swarms lists every swarm.
func (v *fleetView) swarms(ctx context.Context) (all []fleet.SwarmInfo, err error) {
	for {
		var page fleet.Swarms
		if err := v.ask(ctx, fmt.Sprintf("swarms?offset=%d&limit=%d", len(all), fleet.MaxSwarmsPage), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Swarms...)
		if len(page.Swarms) == 0 || len(all) >= page.Total {
			return all, nil
		}
	}
}

// status asks for the swarm's groups.
func (v *fleetView) status(ctx context.Context, by string, labels []config.Label) (fleet.Status, error) {
	q := url.Values{"by": {by}}
	for _, l := range labels {
		q.Set("label."+l.Key, l.Value)
	}
	var st fleet.Status
	err := v.ofSwarm(ctx, "/status?"+q.Encode(), &st)
	st.Name = orElse(st.Name, v.title)
	return st, err
}

// hosts asks for all of the swarm's hosts.
func (v *fleetView) hosts(ctx context.Context, labels []config.Label) (all []fleet.HostInfo, err error) {
	q := url.Values{"limit": {strconv.Itoa(fleet.MaxHostsPage)}}
	for _, l := range labels {
		q.Set("label."+l.Key, l.Value)
	}
	for {
		q.Set("offset", strconv.Itoa(len(all)))
		var page fleet.Hosts
		if err := v.ofSwarm(ctx, "/hosts?"+q.Encode(), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Hosts...)
		if len(page.Hosts) == 0 || len(all) >= page.Total {
			return all, nil
		}
	}
}

// ofSwarm asks about the swarm, by the first of its infohashes that is known.
func (v *fleetView) ofSwarm(ctx context.Context, rest string, into any) error {
	if err := v.findName(ctx); err != nil {
		return err
	}
	err := errNoSwarm
	for _, h := range v.hashes {
		if err = v.ask(ctx, "swarms/"+h+rest, into); !errors.Is(err, errNoSwarm) {
			return err
		}
	}
	return err
}

// findName looks up the infohash of the swarm that goes by the name.
func (v *fleetView) findName(ctx context.Context) error {
	if len(v.hashes) > 0 {
		return nil
	}
	all, err := v.swarms(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Name == v.name {
			v.hashes = []string{all[i].InfoHash}
			return nil
		}
	}
	return errNoSwarm
}
