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
	named  bool   // bases are what REF or --tracker says
}

var (
	errNoSwarm = errors.New("the tracker knows no such swarm")
	errNoView  = errors.New("it shows no fleet: it has --view off, or is no starling tracker")
	errDenied  = errors.New("it lets nobody see its fleet without leave")
)

// ask fetches a path of one tracker after the other until one knows what is asked for.
func (v *fleetView) ask(ctx context.Context, path string, into any) error {
	var failed error
	unknown := false
	for i, base := range v.bases {
		err := v.askOne(ctx, base+"/api/v1/"+path, into)
		switch {
		case err == nil:
			v.bases = append([]string{base}, slices.Delete(slices.Clone(v.bases), i, i+1)...)
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errNoSwarm):
			unknown = true
		default:
			failed = errors.Join(failed, fmt.Errorf("tracker %s: %w", base, err))
		}
	}
	if unknown {
		return errNoSwarm
	}
	f := fail("", errors.New(oneLine(failed))).withCode(exitUnreached).retryable()
	if code, _, _ := classify(failed); code == exitUntrusted || errors.Is(failed, errDenied) {
		f.code, f.retry = exitUntrusted, false
	}
	if errors.Is(failed, errNoView) {
		f.retry = false
	}
	if !v.named {
		f.hint = "name the tracker: --tracker http://HOST:6969"
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
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFleetAnswer+1))
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return err
	case len(body) > maxFleetAnswer:
		return fmt.Errorf("its answer is more than %d MiB", maxFleetAnswer>>20)
	case resp.StatusCode == http.StatusNotFound && string(body) == "no such swarm\n":
		return errNoSwarm
	case resp.StatusCode == http.StatusNotFound:
		return errNoView
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: it says %s", errDenied, resp.Status)
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
	all = []fleet.SwarmInfo{}
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
	all = []fleet.HostInfo{}
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
	var found fleet.Swarms
	if err := v.ask(ctx, "swarms?name="+url.QueryEscape(v.name), &found); err != nil {
		return err
	}
	var hashes []string
	for i := range found.Swarms {
		if s := &found.Swarms[i]; s.Name == v.name || s.Title == v.name {
			hashes = append(hashes, s.InfoHash)
		}
	}
	switch len(hashes) {
	case 0:
		return errNoSwarm
	case 1:
		v.hashes = hashes
		return nil
	}
	return &ambiguousError{hashes, found.Total}
}

// ambiguousError is a name that several swarms have.
type ambiguousError struct {
	hashes []string
	total  int
}

// saidHashes is how many of them are listed.
const saidHashes = 8

func (e *ambiguousError) Error() string {
	said := e.hashes[:min(len(e.hashes), saidHashes)]
	text := plural(e.total, "torrent") + " call themselves so: " + strings.Join(said, ", ")
	if more := e.total - len(said); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
