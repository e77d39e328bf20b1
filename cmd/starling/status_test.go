package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"starling/tracker/fleet"
)

func ptr[T any](v T) *T { return &v }

// fleetServer is a tracker whose fleet does not change.
func fleetServer(t *testing.T, st fleet.Status, hosts []fleet.HostInfo) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	send := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	hash := strings.Repeat("0a", 20)
	mux.HandleFunc("/api/v1/swarms", func(w http.ResponseWriter, r *http.Request) {
		list := fleet.Swarms{V: 1, Total: 2}
		if q := r.URL.Query(); q.Has("name") {
			send(w, namedSwarms(q.Get("name"), hash))
			return
		}
		if r.URL.Query().Get("offset") == "0" { // the second is on another page
			list.Swarms = []fleet.SwarmInfo{{InfoHash: hash, Name: "llama-70b", Size: 141 << 30, Hosts: 40, Done: 38, Mean: 0.991, DownBPS: 3 << 20}}
		} else {
			list.Swarms = []fleet.SwarmInfo{{InfoHash: strings.Repeat("0b", 20), Hosts: 1}}
		}
		send(w, list)
	})
	mux.HandleFunc("/api/v1/swarms/"+hash+"/status", func(w http.ResponseWriter, r *http.Request) {
		st := st
		st.By = r.URL.Query().Get("by")
		send(w, st)
	})
	mux.HandleFunc("/api/v1/swarms/"+hash+"/hosts", func(w http.ResponseWriter, _ *http.Request) {
		send(w, fleet.Hosts{V: 1, Total: len(hosts), Hosts: hosts})
	})
	mux.HandleFunc("/api/v1/swarms/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "no such swarm\n")
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

// namedSwarms is what a tracker knows by a name.
func namedSwarms(name, hash string) fleet.Swarms {
	switch name {
	case "llama-70b":
		return fleet.Swarms{V: 1, Total: 1, Swarms: []fleet.SwarmInfo{{InfoHash: hash, Name: "llama-70b"}}}
	case "model":
		return fleet.Swarms{V: 1, Total: 1, Swarms: []fleet.SwarmInfo{{InfoHash: hash, Name: "llama-70b", Title: "model"}}}
	case "twins":
		list := fleet.Swarms{V: 1, Total: 11}
		for n := range 10 {
			list.Swarms = append(list.Swarms, fleet.SwarmInfo{InfoHash: fmt.Sprintf("%040x", n), Name: "a", Title: "twins"})
		}
		return list
	}
	return fleet.Swarms{V: 1, Swarms: []fleet.SwarmInfo{}}
}

// someFleet is the fleet of the contract's example, and another rack.
func someFleet() fleet.Status {
	slow := fleet.Slow{Node: "gpu-r12-07", Done: ptr(0.81), Why: "disk", LeftS: ptr(int64(14))}
	return fleet.Status{
		V: 1, InfoHash: strings.Repeat("0a", 20), Name: "llama-70b", Hosts: 60, Done: 58, Mean: 0.99, LeftS: ptr(int64(14)), GroupsTotal: 3, Labels: []string{"rack"},
		Groups: []fleet.Group{
			{Name: "r12", Hosts: 40, Done: 38, Mean: 0.9911, Slowest: &slow, LeftS: ptr(int64(14))},
			{Name: "r13", Hosts: 20, Done: 20, Mean: 1, LeftS: new(int64)},
		},
		Stragglers: []fleet.Straggler{
			{Slow: slow, State: "downloading", DownBPS: 12 << 20},
			{Slow: fleet.Slow{Node: "gpu-r12-09\x1b[31m", Why: "choked"}, State: "stalled"},
			{Slow: fleet.Slow{Node: "gpu-r12-11", Done: ptr(0.5), Why: "peers"}, SeenS: 120},
			{Slow: fleet.Slow{Node: "gpu-r12-12", Done: ptr(0.4), Why: "none"}, State: "stalled", SeenS: 34},
		},
	}
}

// starling runs a command and returns its exit code and what it wrote.
func starling(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	home := t.TempDir()
	code = run(args, &out, &errs, func(key string) string { return map[string]string{"HOME": home}[key] })
	return code, out.String(), errs.String()
}

// TestStatusText holds the tables of starling status against golden files.
func TestStatusText(t *testing.T) {
	hosts := []fleet.HostInfo{
		{Node: "gpu-r12-07", State: "downloading", Size: 1000, Done: ptr(int64(810)), DownBPS: 12 << 20, UpBPS: 1 << 20, Why: "disk", LeftS: ptr(int64(14))},
		{Node: "10.0.0.7:6881", Client: "TR2940", Why: "none"},
		{Node: "gpu-r12-01", State: "seeding", Size: 1000, Done: ptr(int64(1000)), UpBPS: 90 << 20, Why: "none", LeftS: new(int64)},
		{Node: "gpu-r12-02", State: "left", Size: 1000, Done: ptr(int64(1000)), Why: "none", LeftS: new(int64)},
	}
	srv := fleetServer(t, someFleet(), hosts)
	for name, args := range map[string][]string{
		"swarms": {"status"}, "all": {"status", "llama-70b"}, "rack": {"status", "llama-70b", "--by", "rack"},
		"host": {"status", strings.Repeat("0A", 20), "--by", "host"},
	} {
		code, out, errs := starling(t, append(args, "--tracker", srv.URL+"/announce")...)
		if code != exitOK {
			t.Errorf("%s: exit code %d: %s", name, code, errs)
		}
		golden := filepath.Join("testdata", "status", name+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil || out != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s%v", name, out, want, err)
		}
	}
}

func TestStatusJSON(t *testing.T) {
	srv := fleetServer(t, someFleet(), nil)
	code, out, _ := starling(t, "status", "llama-70b", "--by", "rack", "--json", "--tracker", srv.URL)
	var doc fleetDoc
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != exitOK {
		t.Fatalf("%d %q %v", code, out, err)
	}
	if doc.V != 1 || doc.Type != "fleet" || doc.Status.By != "rack" || doc.Status.Groups[0].Slowest.Node != "gpu-r12-07" {
		t.Errorf("%+v", doc)
	}
	if _, err := time.Parse(time.RFC3339Nano, doc.Time); err != nil {
		t.Error(err)
	}
	// A list without entries is one, and not null or missing.
	if _, out, _ = starling(t, "status", "llama-70b", "--by", "host", "--json", "--tracker", srv.URL); !strings.Contains(out, `"groups":[]`) || !strings.Contains(out, `"hosts":[]`) {
		t.Errorf("by host: %s", out)
	}
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"v":1,"total":0,"swarms":[]}`)
	}))
	t.Cleanup(empty.Close)
	if _, out, _ = starling(t, "status", "--json", "--tracker", empty.URL); !strings.Contains(out, `"swarms":[]`) {
		t.Errorf("no swarms: %s", out)
	}
	if _, out, _ = starling(t, "status", "--tracker", empty.URL); out != "no swarms\n" {
		t.Errorf("no swarms: %q", out)
	}
}

// TestStatusNames: a swarm is found by what its torrent is called; a name that several
// have is refused with the infohashes to choose from.
func TestStatusNames(t *testing.T) {
	srv := fleetServer(t, someFleet(), nil)
	if code, out, errs := starling(t, "status", "model", "--tracker", srv.URL); code != exitOK || !strings.HasPrefix(out, "SWARM") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	for _, verb := range []string{"status", "wait"} {
		code, out, errs := starling(t, verb, "twins", "--tracker", srv.URL)
		want := fmt.Sprintf("starling: %s twins: 11 torrents call themselves so: %040x, %040x, ", verb, 0, 1)
		if code != exitUsage || out != "" || !strings.HasPrefix(errs, want) || !strings.Contains(errs, fmt.Sprintf("%040x and 3 more\nhint: starling %s %040x --tracker %s\n", 7, verb, 0, srv.URL)) {
			t.Errorf("%s: %d %q %q", verb, code, out, errs)
		}
	}
	for _, verb := range []string{"status", "wait"} {
		if _, _, errs := starling(t, verb, "/nowhere/llama-70b.torrent"); !strings.HasSuffix(errs, "hint: starling "+verb+" llama-70b\n") {
			t.Errorf("a file that is not here: %q", errs)
		}
	}
	if _, _, errs := starling(t, "status", "llama-70b", "--by", "rcak", "--tracker", srv.URL); !strings.Contains(errs, `no host has a label "rcak"; there is: rack, host`) {
		t.Errorf("a label that nobody has: %q", errs)
	}
}

// TestSecondTracker: a tracker that does not know the swarm is not the last word.
func TestSecondTracker(t *testing.T) {
	first, second := fleetServer(t, someFleet(), nil), fleetServer(t, someFleet(), nil)
	first.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "no such swarm\n")
	})
	link := "magnet:?xt=urn:btih:" + strings.Repeat("0a", 20) + "&tr=" + first.URL + "/announce&tr=" + second.URL + "/announce"
	if code, out, errs := starling(t, "status", link); code != exitOK || !strings.Contains(out, "gpu-r12-07") {
		t.Errorf("%d %q %q", code, out, errs)
	}
}

// TestStatusFails: each way to fail has its exit code and one line.
func TestStatusFails(t *testing.T) {
	srv := fleetServer(t, someFleet(), nil)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(page.Close)
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(denied.Close)
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(tls.Close)
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hangs.Close)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitNotFound, "knows no such swarm", []string{"status", "nope", "--tracker", srv.URL}},
		{exitNotFound, "knows no such swarm", []string{"status", strings.Repeat("0c", 20), "--tracker", srv.URL}},
		{exitUnreached, "connection refused", []string{"status", "--tracker", "http://127.0.0.1:1"}},
		{exitUnreached, "no starling tracker", []string{"status", "--tracker", other.URL}},
		{exitUnreached, "no starling tracker", []string{"status", "--tracker", page.URL}},
		{exitNotFound, "starling: status nope.torrent: no such file", []string{"status", "nope.torrent"}},
		{exitNotFound, "starling: wait nope.torrent: no such file", []string{"wait", "nope.torrent"}},
		{exitUntrusted, "403 Forbidden", []string{"status", "--tracker", denied.URL}},
		{exitUntrusted, "certificate", []string{"status", "--tracker", tls.URL}},
		{exitUsage, "starling: wait magnet:?xt=urn:btih:" + strings.Repeat("0a", 20) + "&tr=ws://h: none of", []string{"wait", "magnet:?xt=urn:btih:" + strings.Repeat("0a", 20) + "&tr=ws://h"}},
		{exitUnreached, "starling: wait " + hangs.URL + "/x.torrent: no answer within 300ms", []string{"wait", hangs.URL + "/x.torrent", "--timeout", "300ms"}},
		{exitUnreached, "starling: wait x: no answer within 300ms", []string{"wait", "x", "--tracker", hangs.URL, "--timeout", "300ms"}},
		{exitUsage, "status.tracker", []string{"status", "--tracker", "nope"}},
		{exitUsage, "status.label", []string{"status", "--label", "x"}},
		{exitUsage, "status.interval", []string{"status", "--interval", "1ms"}},
		{exitUsage, "too many arguments", []string{"status", "a", "b"}},
		{exitUsage, "missing argument", []string{"wait"}},
		{exitUsage, "wait.hosts", []string{"wait", "x", "--hosts", "0%"}},
		{exitUsage, "wait.hosts", []string{"wait", "x", "--hosts", "0"}},
		{exitUnmet, "58 of 60 hosts done (96.6%), wanted 97%", []string{"wait", "llama-70b", "--hosts", "97%", "--timeout", "3s", "--interval", "100ms", "--tracker", srv.URL}},
		{exitUnmet, "58 of 70 hosts done (82.8%)", []string{"wait", "llama-70b", "--expect", "70", "--hosts", "95%", "--timeout", "3s", "--interval", "100ms", "--tracker", srv.URL}},
		{exitUnmet, "0 of 0 hosts done", []string{"wait", "nope", "--timeout", "3s", "--interval", "100ms", "--tracker", srv.URL}},
		{exitUnreached, "connection refused", []string{"wait", "x", "--tracker", "http://127.0.0.1:1"}},
	} {
		t.Run(strings.Join(c.args[:min(len(c.args), 2)], " "), func(t *testing.T) {
			t.Parallel()
			code, out, errs := starling(t, c.args...)
			if code != c.code || !strings.Contains(errs, c.want) || out != "" {
				t.Errorf("%v: exit code %d, want %d; %q%q", c.args, code, c.code, out, errs)
			}
		})
	}
}

func TestWaitMet(t *testing.T) {
	srv := fleetServer(t, someFleet(), nil)
	for _, hosts := range []string{"95%", "58"} {
		code, out, errs := starling(t, "wait", "llama-70b", "--hosts", hosts, "--timeout", "30s", "--tracker", srv.URL)
		if code != exitOK || out != "58 of 60 hosts done (96.6%)\n" || !strings.Contains(errs, "waiting   llama-70b  58 of 60 hosts done") {
			t.Errorf("%s: %d %q %q", hosts, code, out, errs)
		}
	}
	code, _, errs := starling(t, "wait", "llama-70b", "--hosts", "58", "--progress", "json", "--tracker", srv.URL)
	var doc fleetDoc
	if err := json.Unmarshal([]byte(errs), &doc); err != nil || code != exitOK || doc.Status.Done != 58 {
		t.Errorf("%d %q %v", code, errs, err)
	}
}

// TestBaseOf: where a tracker's interface is follows from its announce URL.
func TestBaseOf(t *testing.T) {
	for announce, want := range map[string]string{
		"http://h:6969/announce": "http://h:6969", "udp://h:6969": "http://h:6969", "udp://[::1]:1/announce": "http://[::1]:1",
		"https://h/t/announce?key=1": "https://h/t", "http://h:1/": "http://h:1", "http://h": "http://h", "": "", "x": "", "ws://h:1/announce": "",
	} {
		if got := baseOf(announce); got != want {
			t.Errorf("%q: %q, want %q", announce, got, want)
		}
	}
}

// TestOpenFleet: a REF of each kind names a swarm, and its trackers.
func TestOpenFleet(t *testing.T) {
	v2 := strings.Repeat("2b", 32)
	for ref, want := range map[string]string{
		"magnet:?xt=urn:btih:" + strings.Repeat("1a", 20) + "&xt=urn:btmh:1220" + v2 + "&tr=udp://h:5&tr=http://h:5/announce&dn=n": "[http://h:5] [" + strings.Repeat("1a", 20) + " " + v2[:40] + "] ",
		strings.Repeat("1A", 20): "[http://127.0.0.1:6969] [" + strings.Repeat("1a", 20) + "] ",
		v2:                       "[http://127.0.0.1:6969] [" + v2[:40] + "] ",
		"name":                   "[http://127.0.0.1:6969] [] name",
		"":                       "[http://127.0.0.1:6969] [] ",
	} {
		v, err := openFleet(context.Background(), ref, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(v.bases, " ", v.hashes, " ", v.name); got != want {
			t.Errorf("%q: %s, want %s", ref, got, want)
		}
	}
}

// TestNoTrackerNamed: who has named no tracker is told how to.
func TestNoTrackerNamed(t *testing.T) {
	for tracker, want := range map[string]string{"": "name the tracker: --tracker http://HOST:6969", "http://127.0.0.1:1": ""} {
		v, err := openFleet(t.Context(), "x", tracker)
		if err != nil {
			t.Fatal(err)
		}
		v.bases = []string{"http://127.0.0.1:1"}
		f, ok := v.findName(t.Context()).(*failure)
		if !ok || f.code != exitUnreached || f.hint != want {
			t.Errorf("%q: %+v", tracker, f)
		}
	}
}
