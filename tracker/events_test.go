package tracker

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"starling/tracker/fleet"
)

// streamOf opens a stream of events.
func streamOf(t *testing.T, addr, query string) (*http.Response, *bufio.Scanner) {
	t.Helper()
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + addr + "/api/v1/events" + query)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return resp, lines
}

// next is the data of the next event of a name.
func next(t *testing.T, lines *bufio.Scanner, name string) []byte {
	t.Helper()
	for lines.Scan() {
		if lines.Text() != "event: "+name {
			continue
		}
		lines.Scan()
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			t.Fatalf("an event without data: %q", lines.Text())
		}
		return []byte(data)
	}
	t.Fatalf("the stream ended without %q: %v", name, lines.Err())
	return nil
}

// TestEvents: a stream has the swarms, its swarm, and then what changes; a tracker
// that stops ends it.
func TestEvents(t *testing.T) {
	srv := start(t, DefaultConfig(), nil)
	srv.report(t, 1, 100, "&x_left_s=9")
	resp, lines := streamOf(t, srv.addr, "?swarm="+hash1Hex)
	if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", resp.Header)
	}
	if !lines.Scan() || lines.Text() != "retry: 2000" {
		t.Errorf("it begins with %q", lines.Text())
	}
	var list fleet.Swarms
	if err := json.Unmarshal(next(t, lines, "swarms"), &list); err != nil || list.Total != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	var ev swarmEvent
	if err := json.Unmarshal(next(t, lines, "swarm"), &ev); err != nil || len(ev.Hosts) != 1 || ev.Swarm.Hosts != 1 || ev.Availability.Buckets != fleet.Buckets {
		t.Errorf("%+v, %v", ev, err)
	}
	srv.report(t, 2, 200, "&x_left_s=9&x_from=7f0000010001-5")
	for ev.Hosts = nil; len(ev.Hosts) == 0; { // what an event has may be a second old
		if err := json.Unmarshal(next(t, lines, "swarm"), &ev); err != nil {
			t.Fatal(err)
		}
	}
	if len(ev.Hosts) != 1 || ev.Hosts[0].Node != "n2" || ev.Status.Hosts != 2 || len(ev.Edges) != 1 {
		t.Errorf("%+v", ev)
	}
	if err := srv.stop(); err != nil {
		t.Error(err)
	}
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream did not end: %v", err)
	}
}

// TestTooManyStreams: one too many is told to come again, and a place that is left is
// given to another.
func TestTooManyStreams(t *testing.T) {
	srv := start(t, DefaultConfig(), nil)
	var all []*stream
	for range maxStreams - 1 {
		st := &stream{events: make(chan []byte, maxUnread), fresh: true}
		if !srv.events.join(st) {
			t.Fatal("no room")
		}
		all = append(all, st)
	}
	last, _ := streamOf(t, srv.addr, "")
	if resp, _ := streamOf(t, srv.addr, ""); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s", resp.Status)
	}
	last.Body.Close()
	srv.events.leave(all[0])
	if resp, _ := streamOf(t, srv.addr, ""); resp.StatusCode != http.StatusOK {
		t.Errorf("%s", resp.Status)
	}
}

// TestSlowStream: who does not read is cut off, and the others are not held up.
func TestSlowStream(t *testing.T) {
	st := &stream{events: make(chan []byte, maxUnread)}
	for range maxUnread + 3 {
		st.push([]byte("x"))
	}
	n := 0
	for range st.events {
		n++
	}
	if n != maxUnread || !st.behind {
		t.Errorf("%d events before the end", n)
	}
}

// TestChangedHostsAreBounded: an event has a bounded number of hosts, and the others
// are in the next ones.
func TestChangedHostsAreBounded(t *testing.T) {
	s, err := New(DefaultConfig(), slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range maxChanged + 30 {
		r := &fleet.Report{Hash: [20]byte{1}, Size: 5, LeftS: -1}
		r.Addr = netip.AddrPortFrom(loopback, uint16(1+n))
		if err := s.reports.store.Note(s.shards.now(), r); err != nil {
			t.Fatal(err)
		}
	}
	old := &stream{hash: [20]byte{1}, swarm: true, events: make(chan []byte, maxUnread)}
	s.events.join(old)
	for _, want := range []int{maxChanged, 30} {
		s.events.tick()
		var ev swarmEvent
		for raw := range old.events {
			if data, ok := strings.CutPrefix(string(raw), "event: swarm\ndata: "); ok {
				if err := json.Unmarshal([]byte(data), &ev); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		if len(ev.Hosts) != want {
			t.Errorf("%d hosts, want %d", len(ev.Hosts), want)
		}
	}
}

// TestGone: who watches a swarm of which nothing is known is told so, once, and has all
// of it when it is there.
func TestGone(t *testing.T) {
	s, err := New(DefaultConfig(), slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	st := &stream{hash: [20]byte{1}, swarm: true, events: make(chan []byte, maxUnread), fresh: true}
	s.events.join(st)
	told := func() (names []string) {
		s.events.tick()
		for len(st.events) > 0 {
			ev := string(<-st.events)
			name, _, _ := strings.Cut(strings.TrimPrefix(ev, "event: "), "\n")
			if name == "swarm" && strings.Contains(ev, `"addr":"127.0.0.1:7"`) {
				name += " with its host"
			}
			names = append(names, name)
		}
		return names
	}
	if got := told(); !slices.Equal(got, []string{"swarms", "gone"}) {
		t.Errorf("of an unknown swarm it was told %v", got)
	}
	if got := told(); len(got) != 0 {
		t.Errorf("it was told again: %v", got)
	}
	r := &fleet.Report{Hash: [20]byte{1}, Addr: netip.AddrPortFrom(loopback, 7), Size: 5, LeftS: -1}
	if err := s.reports.store.Note(s.shards.now(), r); err != nil {
		t.Fatal(err)
	}
	if got := told(); !slices.Contains(got, "swarm with its host") {
		t.Errorf("of a swarm that has come it was told %v", got)
	}
}
